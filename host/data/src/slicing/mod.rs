//! Slices of large pictures, and one answer of what a model found in each of them: small objects are found that a whole
//! picture, made as small as a model takes it, would not show. What the library SAHI does for Python.

mod mask;
mod merge;

use crate::media::PixelBox;
use modelzoo_plugin_api::label::Detection;
use std::str::FromStr;

/// How pictures are cut into slices, and what is found in them becomes one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slicing {
    /// The side of a slice, which is a square.
    pub size: SliceSize,
    /// How much slices overlap.
    pub overlap: SliceOverlap,
    /// What becomes of an object that was found in several slices.
    pub merging: Merging,
}

/// The side of a slice in pixels, 32 at least: smaller ones show no object, and there would be a great many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceSize(u32);

/// By which part of its size a slice overlaps the next one: 0.2, or another one from 0 to 0.5. At a half, slices have four
/// times the pixels of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SliceOverlap(f64);

/// What is no size of a slice, or no overlap: it says what one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is {0}")]
pub struct SlicingError(&'static str);

const SIZE: SlicingError = SlicingError("a whole number of pixels from 32 on");
const OVERLAP: SlicingError = SlicingError("a number from 0 to 0.5");

impl SliceSize {
    /// The pixels.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl SliceOverlap {
    /// The part.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<u32> for SliceSize {
    type Error = SlicingError;

    fn try_from(pixels: u32) -> Result<Self, SlicingError> {
        (pixels >= 32).then_some(Self(pixels)).ok_or(SIZE)
    }
}

impl TryFrom<f64> for SliceOverlap {
    type Error = SlicingError;

    fn try_from(part: f64) -> Result<Self, SlicingError> {
        let is_one = (0.0..=0.5).contains(&part);
        is_one.then_some(Self(part)).ok_or(OVERLAP)
    }
}

impl FromStr for SliceSize {
    type Err = SlicingError;

    fn from_str(text: &str) -> Result<Self, SlicingError> {
        text.parse::<u32>().map_err(|_| SIZE)?.try_into()
    }
}

impl FromStr for SliceOverlap {
    type Err = SlicingError;

    fn from_str(text: &str) -> Result<Self, SlicingError> {
        text.parse::<f64>().map_err(|_| OVERLAP)?.try_into()
    }
}

impl Default for SliceOverlap {
    fn default() -> Self {
        Self(0.2)
    }
}

/// What becomes of an object that was found in several slices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Merging {
    /// The surest one grows to the box (and mask) around all of them: SAHI's greedy non-maximum merging. An object that no
    /// slice shows whole is put together.
    #[default]
    Unite,
    /// The surest one stays, and the others are left out: non-maximum suppression.
    Suppress,
}

impl Merging {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unite => "unite",
            Self::Suppress => "suppress",
        }
    }
}

impl Slicing {
    /// Slices of this size that overlap as is usual; what is found in several of them is united.
    pub fn new(size: SliceSize) -> Self {
        Self {
            size,
            overlap: SliceOverlap::default(),
            merging: Merging::default(),
        }
    }

    /// The parts of a picture that a model is asked about: it as a whole, for what is larger than a slice, then the slices,
    /// row by row. The last ones of a row and of a column are moved back into the picture. A picture that is no larger than a
    /// slice has one part.
    pub fn parts(&self, width: u32, height: u32) -> Vec<PixelBox> {
        let (columns, rows) = (self.starts(width), self.starts(height));
        let whole = PixelBox {
            x: 0,
            y: 0,
            width,
            height,
        };
        let mut parts = vec![whole];
        if columns.len() * rows.len() > 1 {
            parts.extend(rows.iter().flat_map(|&y| {
                columns.iter().map(move |&x| PixelBox {
                    x,
                    y,
                    width: self.size.get().min(width),
                    height: self.size.get().min(height),
                })
            }));
        }
        parts
    }

    /// Where slices begin along a side.
    fn starts(&self, length: u32) -> Vec<u32> {
        let size = self.size.get();
        let Some(last) = length.checked_sub(size) else {
            return vec![0];
        };
        let step = size - (f64::from(size) * self.overlap.get()) as u32;
        (0..last).step_by(step as usize).chain([last]).collect()
    }

    /// The objects of a picture of this size, of what was found in each of its [parts](Self::parts). Boxes are relative to
    /// the part, and become relative to the picture.
    pub fn merge(
        &self,
        found: Vec<(PixelBox, Vec<Detection>)>,
        (width, height): (u32, u32),
    ) -> Vec<Detection> {
        let picture = [f64::from(width), f64::from(height)];
        let is_one = found.len() == 1;
        let placed = found.into_iter().flat_map(|(part, detections)| {
            detections.into_iter().map(move |mut detection| {
                detection.bounding_box = in_picture(detection.bounding_box, part, picture);
                detection
            })
        });
        let placed: Vec<Detection> = placed.collect();
        if is_one {
            return placed;
        }
        merge::merge(placed, self.merging, picture)
    }
}

/// A box that is relative to a part, relative to the picture.
fn in_picture([x, y, width, height]: [f64; 4], part: PixelBox, [columns, rows]: [f64; 2]) -> [f64; 4] {
    let (part_width, part_height) = (f64::from(part.width), f64::from(part.height));
    [
        (f64::from(part.x) + x * part_width) / columns,
        (f64::from(part.y) + y * part_height) / rows,
        width * part_width / columns,
        height * part_height / rows,
    ]
}

#[cfg(test)]
mod tests;
