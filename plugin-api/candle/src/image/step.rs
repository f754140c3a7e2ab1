//! The geometric steps.

use super::{
    filter::Filter,
    resample::{Part, resample},
};
use modelzoo_plugin_api::{Error, ErrorKind, Image, Result};
use std::{borrow::Cow, ops::Range};

/// More pixels than any network takes: a step that would exceed it comes from a degenerate picture.
const MOST_PIXELS: usize = 1 << 28;

/// One step; sizes are `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Resize([usize; 2]),
    ShorterSide(usize),
    AtLeast([usize; 2]),
    AtMost([usize; 2]),
    CenterCrop([usize; 2]),
    CenterCropDown([usize; 2]),
    CropToMultiple(usize),
    Cover([usize; 2]),
    Sides {
        shorter: usize,
        longer: usize,
        multiple: usize,
    },
    NearMultiple {
        size: [usize; 2],
        multiple: usize,
        keeps_aspect_ratio: bool,
    },
}

impl Step {
    pub(super) fn output_size(self, [height, width]: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Resize(size) | Self::CenterCrop(size) | Self::CenterCropDown(size) => size,
            Self::ShorterSide(length) if width <= height => [length * height / width, length],
            Self::ShorterSide(length) => [length, length * width / height],
            Self::AtLeast(least) if height < least[0] || width < least[1] => scaled(
                [height, width],
                ratios([height, width], least).into_iter().fold(0.0, f64::max),
            ),
            Self::AtMost(most) if height > most[0] || width > most[1] => scaled(
                [height, width],
                ratios([height, width], most).into_iter().fold(f64::MAX, f64::min),
            ),
            Self::AtLeast(_) | Self::AtMost(_) => [height, width],
            Self::Cover(size) => scaled(
                [height, width],
                ratios([height, width], size).into_iter().fold(0.0, f64::max),
            ),
            Self::CropToMultiple(length) => {
                [height, width].map(|side| (side / length.max(1)).max(1) * length.max(1))
            }
            Self::Sides {
                shorter,
                longer,
                multiple,
            } => by_sides([height, width], shorter, longer).map(|side| side - side % multiple.max(1)),
            Self::NearMultiple {
                size,
                multiple,
                keeps_aspect_ratio,
            } => near_multiple([height, width], size, multiple, keeps_aspect_ratio),
        }
    }

    /// How a step that cuts or surrounds a picture rounds; `None` for one that resizes it.
    fn crop_rounding(self) -> Option<Rounding> {
        match self {
            Self::CenterCrop(_) | Self::CropToMultiple(_) => Some(Rounding::Torchvision),
            Self::CenterCropDown(_) => Some(Rounding::HuggingFace),
            _ => None,
        }
    }
}

/// Where half a pixel goes when a picture is cut from the middle or surrounded.
#[derive(Clone, Copy)]
enum Rounding {
    /// Cut at `round(difference / 2)`, ties to even; surrounded by `difference / 2` before it, rounded down.
    Torchvision,
    /// Cut at `difference / 2`, rounded down; surrounded by `difference / 2` before it, rounded up.
    HuggingFace,
}

/// The size at which the shorter side is `shorter`, or the longer one `longer` where it would be more; the rounding is
/// that of transformers' `get_size_with_aspect_ratio`.
fn by_sides([height, width]: [usize; 2], shorter: usize, longer: usize) -> [usize; 2] {
    let (least, most) = (height.min(width) as f64, height.max(width) as f64);
    let (exact, shorter) = if most / least * shorter as f64 > longer as f64 {
        let exact = longer as f64 * least / most;
        (exact, exact.round_ties_even() as usize)
    } else {
        (shorter as f64, shorter)
    };
    if height.min(width) == shorter {
        [height, width]
    } else if width < height {
        [(exact * height as f64 / width as f64) as usize, shorter]
    } else {
        [shorter, (exact * width as f64 / height as f64) as usize]
    }
}

/// The size of multiples of `multiple` that is nearest to `size`, or to the size of the same aspect ratio that needs
/// less of a change: what DPT's image processor makes.
fn near_multiple(
    from: [usize; 2],
    size: [usize; 2],
    multiple: usize,
    keeps_aspect_ratio: bool,
) -> [usize; 2] {
    let mut scales = ratios(from, size);
    if keeps_aspect_ratio {
        let nearest = if (1.0 - scales[1]).abs() < (1.0 - scales[0]).abs() {
            scales[1]
        } else {
            scales[0]
        };
        scales = [nearest; 2];
    }
    let multiple = multiple.max(1);
    [0, 1].map(|side| {
        let exact = scales[side] * from[side] as f64 / multiple as f64;
        (exact.round_ties_even() as usize).max(1) * multiple
    })
}

fn ratios(size: [usize; 2], target: [usize; 2]) -> [f64; 2] {
    [0, 1].map(|side| target[side] as f64 / size[side] as f64)
}

fn scaled(size: [usize; 2], factor: f64) -> [usize; 2] {
    size.map(|side| ((side as f64 * factor).round_ties_even() as usize).max(1))
}

/// Pixels of three bytes, `[height, width]` of them.
pub(super) struct Raster<'a> {
    size: [usize; 2],
    pixels: Cow<'a, [u8]>,
}

impl Raster<'_> {
    pub(super) fn size(&self) -> [usize; 2] {
        self.size
    }

    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    fn resized(&self, size: [usize; 2], filter: Filter) -> Self {
        let [rows, columns] = size.map(|side| 0..side);
        let part = Part { size, rows, columns };
        Self {
            size,
            pixels: resample(&self.pixels, self.size, &part, filter).into(),
        }
    }

    /// Resized to `size` and then cut to a window or surrounded. What is cut off is not computed.
    fn resized_and_cropped(
        &self,
        size: [usize; 2],
        window: [usize; 2],
        filter: Filter,
        rounding: Rounding,
    ) -> Self {
        let overlaps = [0, 1].map(|side| overlap(size[side], window[side], rounding));
        let [rows, columns] = overlaps.each_ref().map(Overlap::of_source);
        let cut = [rows.len(), columns.len()];
        let part = Part { size, rows, columns };
        let pixels = resample(&self.pixels, self.size, &part, filter);
        if cut == window {
            return Self {
                size: window,
                pixels: pixels.into(),
            };
        }
        // A side that is surrounded is not cut, and one that is cut is as long as the window.
        let resized = Self {
            size: cut,
            pixels: pixels.into(),
        };
        resized.center_cropped(window, rounding)
    }

    fn center_cropped(&self, size: [usize; 2], rounding: Rounding) -> Self {
        let [rows, columns] = [0, 1].map(|side| overlap(self.size[side], size[side], rounding));
        let mut pixels = vec![0; size[0] * size[1] * 3];
        for row in 0..rows.count {
            let from = ((rows.source + row) * self.size[1] + columns.source) * 3;
            let to = ((rows.target + row) * size[1] + columns.target) * 3;
            let length = columns.count * 3;
            pixels[to..to + length].copy_from_slice(&self.pixels[from..from + length]);
        }
        Self {
            size,
            pixels: pixels.into(),
        }
    }
}

/// Where one side of a picture and of a window in its middle overlap.
struct Overlap {
    source: usize,
    target: usize,
    count: usize,
}

impl Overlap {
    /// The places of the picture that are in the window.
    fn of_source(&self) -> Range<usize> {
        self.source..self.source + self.count
    }
}

fn overlap(side: usize, window: usize, rounding: Rounding) -> Overlap {
    let difference = side.abs_diff(window);
    if side < window {
        Overlap {
            source: 0,
            target: match rounding {
                Rounding::Torchvision => difference / 2,
                Rounding::HuggingFace => difference.div_ceil(2),
            },
            count: side,
        }
    } else {
        Overlap {
            source: match rounding {
                Rounding::Torchvision => (difference as f64 / 2.0).round_ties_even() as usize,
                Rounding::HuggingFace => difference / 2,
            },
            target: 0,
            count: window,
        }
    }
}

/// Takes a picture through all steps; a picture that already has the right size is not copied.
pub(super) fn run<'a>(steps: &[Step], filter: Filter, image: &Image<'a>) -> Result<Raster<'a>> {
    let mut raster = Raster {
        size: [image.height(), image.width()],
        pixels: image.pixels().into(),
    };
    let mut steps = steps.iter().peekable();
    while let Some(step) = steps.next() {
        let size = checked(raster.size, step.output_size(raster.size))?;
        if size == raster.size {
            continue;
        }
        if let Some(rounding) = step.crop_rounding() {
            raster = raster.center_cropped(size, rounding);
            continue;
        }
        let crop = steps.next_if(|next| next.crop_rounding().is_some());
        raster = match crop.and_then(|crop| Some((crop, crop.crop_rounding()?))) {
            Some((crop, rounding)) => {
                let window = checked(size, crop.output_size(size))?;
                raster.resized_and_cropped(size, window, filter, rounding)
            }
            None => raster.resized(size, filter),
        };
    }
    Ok(raster)
}

/// The size that a picture gets, if it can have it.
fn checked(from: [usize; 2], to: [usize; 2]) -> Result<[usize; 2]> {
    match is_possible(to) {
        true => Ok(to),
        false => Err(degenerate(from, to)),
    }
}

/// Whether a picture can have this size.
pub(super) fn is_possible([height, width]: [usize; 2]) -> bool {
    height
        .checked_mul(width)
        .is_some_and(|pixels| (1..=MOST_PIXELS).contains(&pixels))
}

/// That a picture cannot get a size.
pub(super) fn degenerate(from: [usize; 2], to: [usize; 2]) -> Error {
    let message = format!(
        "a picture of {} x {} pixels cannot be prepared: it would become {} x {}",
        from[1], from[0], to[1], to[0]
    );
    Error::new(message).with_kind(ErrorKind::InvalidInput)
}
