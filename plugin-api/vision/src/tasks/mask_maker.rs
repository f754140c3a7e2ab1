//! Masks of what prompts point at in a picture, and how they are cut out.

use super::enlarged::Enlarged;
use crate::{processing::Processing, prompts::Pointed, runner::Runner};
use modelzoo_plugin_api::{Array, Error, ErrorKind, Result};

/// The name of the field with boxes around objects.
pub(super) const BOXES: &str = "boxes";
/// The name of the field with points on objects.
pub(super) const POINTS: &str = "points";
/// The name of the field with either of them: FiftyOne's.
pub(super) const EITHER: &str = "prompt_field";
/// So many prompts go through the network together.
pub(super) const AT_ONCE: usize = 8;

/// A network that makes masks.
#[derive(Debug)]
pub(super) struct MaskMaker {
    pub(super) processing: Processing,
    pub(super) runner: Runner,
    /// Masks of lower scores are left out.
    pub(super) threshold: Option<f32>,
    /// A pixel belongs to an object where its logit is above this.
    pub(super) mask_threshold: f32,
}

impl MaskMaker {
    /// The logits of a mask as large as the picture.
    pub(super) fn enlarged(
        &self,
        pointed: &Pointed,
        index: usize,
        (filled, size): ([usize; 2], [usize; 2]),
    ) -> Result<Enlarged> {
        let logits = pointed.mask(index)?;
        Ok(match self.processing.padded() {
            Some(padded) => {
                let square = Enlarged::new(logits, pointed.size, [padded.side; 2]);
                let inside = square.part(0..filled[0], 0..filled[1]).collect();
                Enlarged::new(inside, filled, size)
            }
            None => Enlarged::new(logits, pointed.size, size),
        })
    }
}

/// A mask where it has pixels, with its box relative to the picture; `None` where it has none.
pub(super) fn cut(mask: &Enlarged, threshold: f32, size: [usize; 2]) -> Result<Option<([f64; 4], Array)>> {
    let [rows, columns] = mask.reach(threshold);
    let pixels: Vec<bool> = mask
        .part(rows.clone(), columns.clone())
        .map(|logit| logit > threshold)
        .collect();
    let width = columns.len();
    let mut bounds: Option<[usize; 4]> = None;
    for (row, line) in pixels.chunks_exact(width.max(1)).enumerate() {
        let Some(first) = line.iter().position(|&pixel| pixel) else {
            continue;
        };
        let end = line
            .iter()
            .rposition(|&pixel| pixel)
            .map_or(width, |last| last + 1);
        let [left, top, right, _] = bounds.unwrap_or([first, row, end, row]);
        bounds = Some([left.min(first), top, right.max(end), row + 1]);
    }
    let Some([left, top, right, bottom]) = bounds else {
        return Ok(None);
    };
    let lines = pixels.chunks_exact(width).skip(top).take(bottom - top);
    let inside: Vec<bool> = lines.flat_map(|line| &line[left..right]).copied().collect();
    let [high, wide] = size.map(|side| side as f64);
    let bounding_box = [
        (columns.start + left) as f64 / wide,
        (rows.start + top) as f64 / high,
        (right - left) as f64 / wide,
        (bottom - top) as f64 / high,
    ];
    let pixels = Array::new([bottom - top, right - left], inside)?;
    Ok(Some((bounding_box, pixels)))
}

/// Nothing says what is to be segmented.
pub(super) fn no_prompts() -> Error {
    Error::new(format!(
        "there are neither `{BOXES}` nor `{POINTS}` that say what to make masks of"
    ))
    .with_kind(ErrorKind::InvalidInput)
    .with_hint(format!(
        "give it a field with detections by `--sample-field {BOXES}=FIELD`, or one with keypoints by `--sample-field {POINTS}=FIELD`; \
         `--set points_per_side=32` makes masks of everything"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_cut_to_its_pixels() {
        let mut values = vec![-1.0; 6 * 5];
        values[2 * 5 + 1] = 1.0;
        values[3 * 5 + 3] = 1.0;
        let mask = Enlarged::new(values, [6, 5], [6, 5]);
        let (bounding_box, pixels) = cut(&mask, 0.0, [6, 5]).unwrap().unwrap();
        assert_eq!(bounding_box, [0.2, 2.0 / 6.0, 0.6, 2.0 / 6.0]);
        assert_eq!(pixels.shape(), [2, 3]);
        assert_eq!(pixels.to_f64(), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert!(cut(&mask, 1.0, [6, 5]).unwrap().is_none());
    }
}
