//! The geometric steps.

use super::{filter::Filter, resample::resample};
use modelzoo_plugin_api::{Error, ErrorKind, Image, Result};
use std::borrow::Cow;

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
    CropToMultiple(usize),
}

impl Step {
    pub(super) fn output_size(self, [height, width]: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Resize(size) | Self::CenterCrop(size) => size,
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
            Self::CropToMultiple(length) => {
                [height, width].map(|side| (side / length.max(1)).max(1) * length.max(1))
            }
        }
    }

    fn is_crop(self) -> bool {
        matches!(self, Self::CenterCrop(_) | Self::CropToMultiple(_))
    }
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
        Self {
            size,
            pixels: resample(&self.pixels, self.size, size, filter).into(),
        }
    }

    fn center_cropped(&self, size: [usize; 2]) -> Self {
        let rows = overlap(self.size[0], size[0]);
        let columns = overlap(self.size[1], size[1]);
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

/// torchvision pads a side that is too short with `(window - side) / 2` before it, and cuts one that is too long at
/// `round((side - window) / 2)`, ties to even.
fn overlap(side: usize, window: usize) -> Overlap {
    if side < window {
        Overlap {
            source: 0,
            target: (window - side) / 2,
            count: side,
        }
    } else {
        Overlap {
            source: ((side - window) as f64 / 2.0).round_ties_even() as usize,
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
    for step in steps {
        let size = step.output_size(raster.size);
        if size.contains(&0)
            || size[0]
                .checked_mul(size[1])
                .is_none_or(|pixels| pixels > MOST_PIXELS)
        {
            return Err(degenerate(raster.size, size));
        }
        if size != raster.size {
            raster = if step.is_crop() {
                raster.center_cropped(size)
            } else {
                raster.resized(size, filter)
            };
        }
    }
    Ok(raster)
}

fn degenerate(from: [usize; 2], to: [usize; 2]) -> Error {
    let message = format!(
        "a picture of {} x {} pixels cannot be prepared: it would become {} x {}",
        from[1], from[0], to[1], to[0]
    );
    Error::new(message).with_kind(ErrorKind::InvalidInput)
}
