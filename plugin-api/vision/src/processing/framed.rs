//! A picture that keeps its aspect ratio in a frame of one size: timm's `border`, and `pad_size` of transformers' processors.

use super::CHANNELS;
use crate::repository::Config;
use modelzoo_candle::image::Preprocessing;
use modelzoo_plugin_api::{Error, ErrorKind, Image, Result};

/// How large a picture becomes, and what is around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Framed {
    /// Where the steps of the preprocessing do not say how large it becomes.
    pub(super) fit: Option<Fit>,
    pub(super) frame: Option<Frame>,
    /// Whether the network is told what of the frame is the picture, and sees nothing else.
    pub(super) is_masked: bool,
}

/// As large as a picture can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fit {
    /// Within `[height, width]`.
    Within { size: [usize; 2], rounding: Rounding },
    /// With no more squares of so many rows and columns than that, of which its sides are multiples.
    Patches { side: usize, most: usize },
}

/// How sides become whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    Down,
    /// Halves to even numbers.
    Nearest,
}

/// What a picture lies in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    /// `[height, width]`
    pub(super) size: [usize; 2],
    /// A value for each channel, as the network sees it.
    pub(super) filling: [f32; CHANNELS],
    pub(super) place: Place,
}

/// Where in the frame a picture lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the middle; what does not fit is cut off.
    Middle,
    /// At the left and the top, where it must fit.
    Corner,
}

/// Where one side of a picture and of its frame overlap.
struct Overlap {
    source: usize,
    target: usize,
    count: usize,
}

/// The kinds of models of transformers that see what pictures are filled up with as a part of the picture.
const WITHOUT_MASKS: [&str; 4] = ["d_fine", "rt_detr", "rt_detr_v2", "yolos"];

/// Those that are told what is the picture.
const WITH_MASKS: [&str; 2] = ["detr", "table-transformer"];

/// How pictures are framed that are as large as fits `within` a size, where they are, and are filled up to `pad_size`, where the
/// processor of this name does it; not where the user wants pictures of one size.
pub(super) fn read(
    config: &Config,
    (name, kind): (&str, &str),
    within: Option<[usize; 2]>,
    has_own_size: bool,
) -> Result<Option<Framed>> {
    let fit = within.map(|size| Fit::Within {
        size,
        rounding: Rounding::Down,
    });
    let pads = config.flag("do_pad", ["Detr", "Yolos"].contains(&name))?;
    let is_padded = pads && config.has("pad_size") && !has_own_size;
    let is_masked = WITH_MASKS.contains(&kind);
    if is_padded && !is_masked && !WITHOUT_MASKS.contains(&kind) {
        return Err(config.unsupported("pad_size", "no padding to a fixed size"));
    }
    let frame = if is_padded {
        let section = config.section_or_empty("pad_size")?;
        let side = |key: &str| {
            let side = section.count_of(key)?;
            side.ok_or_else(|| section.wrong(key, "a whole number of at least 1"))
        };
        Some(Frame {
            size: [side("height")?, side("width")?],
            filling: [0.0; CHANNELS],
            place: Place::Corner,
        })
    } else {
        None
    };
    Ok((fit.is_some() || frame.is_some()).then_some(Framed {
        fit,
        frame,
        is_masked: is_masked && frame.is_some(),
    }))
}

impl Fit {
    fn resized(self, original: [usize; 2]) -> [usize; 2] {
        let (size, rounding) = match self {
            Self::Within { size, rounding } => (size, rounding),
            Self::Patches { side, most } => return patched(original, side, most),
        };
        let scale = [0, 1]
            .map(|axis| size[axis] as f64 / original[axis] as f64)
            .into_iter()
            .fold(f64::MAX, f64::min);
        original.map(|side| {
            let exact = side as f64 * scale;
            let whole = match rounding {
                Rounding::Down => exact as usize,
                Rounding::Nearest => exact.round_ties_even() as usize,
            };
            // A side that is rounded to nothing would be no picture.
            whole.max(1)
        })
    }
}

/// The size of as many patches as there may be: the bounds and the precision of the search are those of transformers'
/// `get_image_size_for_max_num_patches`.
fn patched(original: [usize; 2], side: usize, most: usize) -> [usize; 2] {
    const PRECISION: f64 = 1e-5;
    let scaled = |scale: f64| {
        original.map(|length| ((length as f64 * scale / side as f64).ceil() as usize).max(1) * side)
    };
    let (mut low, mut high) = (PRECISION / 10.0, 100.0);
    while high - low >= PRECISION {
        let scale = (low + high) / 2.0;
        let [height, width] = scaled(scale);
        if (height / side).saturating_mul(width / side) <= most {
            low = scale;
        } else {
            high = scale;
        }
    }
    scaled(low)
}

impl Framed {
    /// The steps with which a picture of `[height, width]` becomes as large as it is in the frame.
    fn steps(self, preprocessing: &Preprocessing, size: [usize; 2]) -> Preprocessing {
        match self.fit {
            Some(fit) => preprocessing.clone().resize(fit.resized(size)),
            None => preprocessing.clone(),
        }
    }

    /// The rows and columns that a picture of `[height, width]` fills, where the network is told.
    pub(super) fn mask(self, preprocessing: &Preprocessing, size: [usize; 2]) -> Option<[usize; 2]> {
        self.is_masked
            .then(|| self.steps(preprocessing, size).output_size(size))
    }

    /// How much of the frame a picture of `[height, width]` fills, in parts of it.
    pub(super) fn filled(self, preprocessing: &Preprocessing, size: [usize; 2]) -> [f32; 2] {
        let resized = self.steps(preprocessing, size).output_size(size);
        match self.frame {
            // What is beside the picture is nothing to such a network, whose boxes are in parts of the picture.
            Some(_) if self.is_masked => [1.0; 2],
            Some(frame) => [0, 1].map(|axis| resized[axis] as f32 / frame.size[axis] as f32),
            None => [1.0; 2],
        }
    }

    /// A picture's `[height, width]` as the network takes it, and its values `[channel][row][column]`.
    pub(super) fn values(
        self,
        preprocessing: &Preprocessing,
        image: &Image<'_>,
    ) -> Result<([usize; 2], Vec<f32>)> {
        let steps = self.steps(preprocessing, [image.height(), image.width()]);
        let (size, values) = steps.apply(image)?;
        match self.frame {
            Some(frame) => Ok((frame.size, frame.around(size, &values)?)),
            None => Ok((size, values)),
        }
    }
}

impl Frame {
    /// The values of a picture of `[height, width]` in its frame.
    fn around(self, size: [usize; 2], values: &[f32]) -> Result<Vec<f32>> {
        if self.place == Place::Corner && (size[0] > self.size[0] || size[1] > self.size[1]) {
            return Err(Error::new(format!(
                "the picture would be resized to {} x {} pixels, more than the {} x {} that the model takes",
                size[1], size[0], self.size[1], self.size[0]
            ))
            .with_kind(ErrorKind::InvalidInput));
        }
        let [rows, columns] = [0, 1].map(|axis| self.place.overlap(size[axis], self.size[axis]));
        let [height, width] = self.size;
        let mut framed = Vec::with_capacity(CHANNELS * height * width);
        for value in self.filling {
            framed.extend(std::iter::repeat_n(value, height * width));
        }
        let planes = framed.chunks_exact_mut(height * width);
        for (framed, plane) in planes.zip(values.chunks_exact(size[0] * size[1])) {
            let lines = plane.chunks_exact(size[1]).skip(rows.source).take(rows.count);
            for (framed, line) in framed.chunks_exact_mut(width).skip(rows.target).zip(lines) {
                framed[columns.target..][..columns.count]
                    .copy_from_slice(&line[columns.source..][..columns.count]);
            }
        }
        Ok(framed)
    }
}

impl Place {
    fn overlap(self, side: usize, frame: usize) -> Overlap {
        let difference = side.abs_diff(frame);
        let (source, target) = match self {
            Self::Corner => (0, 0),
            // What is cut off is rounded, and what is added is not: torchvision's rules.
            Self::Middle if side > frame => ((difference as f64 / 2.0).round_ties_even() as usize, 0),
            Self::Middle => (0, difference / 2),
        };
        Overlap {
            source,
            target,
            count: side.min(frame),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_candle::image::Normalization;

    fn values(framed: Framed, [height, width]: [usize; 2]) -> Result<([usize; 2], Vec<f32>)> {
        let pixels = vec![255; height * width * CHANNELS];
        let preprocessing = Preprocessing::new().normalize(Normalization::UNIT);
        framed.values(&preprocessing, &Image::new(width, height, &pixels)?)
    }

    #[test]
    fn a_picture_is_in_the_middle_or_in_the_corner_of_its_frame() {
        let framed = |place| Framed {
            fit: Some(Fit::Within {
                size: [4, 4],
                rounding: Rounding::Nearest,
            }),
            frame: Some(Frame {
                size: [4, 4],
                filling: [0.5, 0.25, 0.125],
                place,
            }),
            is_masked: false,
        };
        let (size, middle) = values(framed(Place::Middle), [2, 4]).unwrap();
        assert_eq!(size, [4, 4]);
        assert_eq!(middle[..4], [0.5; 4]);
        assert_eq!(middle[4..12], [1.0; 8]);
        assert_eq!(middle[12..20], [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]);
        let (_, corner) = values(framed(Place::Corner), [8, 4]).unwrap();
        assert_eq!(corner[..8], [1.0, 1.0, 0.5, 0.5, 1.0, 1.0, 0.5, 0.5]);
        let preprocessing = Preprocessing::new();
        let filled = framed(Place::Corner).filled(&preprocessing, [8, 4]);
        assert_eq!(filled, [1.0, 0.5]);
    }

    #[test]
    fn what_does_not_fit_is_cut_off_or_refused() {
        let framed = |place| Framed {
            fit: None,
            frame: Some(Frame {
                size: [2, 6],
                filling: [0.0; CHANNELS],
                place,
            }),
            is_masked: false,
        };
        let (_, cut) = values(framed(Place::Middle), [3, 3]).unwrap();
        assert_eq!(cut[..6], [0.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        let error = values(framed(Place::Corner), [3, 3]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("more than the 6 x 2"), "{error}");
    }

    #[test]
    fn pictures_become_as_large_as_fits() {
        let fit = |rounding| Fit::Within {
            size: [600, 800],
            rounding,
        };
        assert_eq!(fit(Rounding::Down).resized([333, 500]), [532, 800]);
        assert_eq!(fit(Rounding::Nearest).resized([333, 500]), [533, 800]);
        assert_eq!(fit(Rounding::Down).resized([5000, 1]), [600, 1]);
        // Seen of transformers' function.
        let patches = Fit::Patches { side: 16, most: 256 };
        for (from, to) in [
            ([480, 640], [224, 288]),
            ([100, 100], [256, 256]),
            ([3000, 20], [2400, 16]),
        ] {
            assert_eq!(patches.resized(from), to);
        }
    }
}
