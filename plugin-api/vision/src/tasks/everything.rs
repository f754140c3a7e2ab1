//! Masks of everything in a picture: what the points of a grid are at, without what is unsure, unstable, or there already.
//!
//! Source: Kirillov et al., "Segment Anything" (2023), appendix B; the numbers are those of its authors' generator of masks.

use super::mask_maker::{AT_ONCE, MaskMaker, cut, no_prompts};
use crate::{
    architectures::{Choice, Prompt},
    prompts::Pointed,
};
use modelzoo_candle::detection::Corners;
use modelzoo_plugin_api::{
    Error, Image, Output, PredictOptions, Result,
    label::{Detection, Detections},
};
use rayon::prelude::*;
use std::cmp::Ordering;

/// Masks of lower scores are left out: of SAM, and of SAM 2.
const SURE: [f64; 2] = [0.88, 0.8];
/// A mask is stable where its pixels remain so many parts of what they are, when the logit that they must have is raised by
/// [`SHIFT`] instead of lowered.
const STABLE: f32 = 0.95;
const SHIFT: f32 = 1.0;
/// Masks whose boxes overlap by more than this are the same: the surest one stays.
const SAME: f32 = 0.7;
/// More points along a side would take hours.
const MOST: usize = 256;

/// A mask, its box in pixels, and how sure the network is.
struct Found {
    corners: Corners,
    score: f32,
    object: Detection,
}

/// Makes sure that there are points, and not too many.
///
/// # Errors
/// When there are none or too many.
pub(super) fn check(points_per_side: Option<usize>) -> Result<()> {
    match points_per_side {
        Some(count) if !(1..=MOST).contains(&count) => Err(Error::invalid_option(format!(
            "`points_per_side` is not between 1 and {MOST}"
        ))),
        _ => Ok(()),
    }
}

/// The masks of what so many points along each side are at, the surest first.
pub(super) fn masks(
    maker: &MaskMaker,
    image: &Image<'_>,
    per_side: usize,
    options: &PredictOptions,
) -> Result<Output> {
    let runner = maker.runner.prompts().ok_or_else(no_prompts)?;
    let default = match runner.choice() {
        Choice::First => SURE[0],
        Choice::FirstWhereStable(_) => SURE[1],
    };
    let threshold = options
        .confidence_threshold
        .or(maker.threshold.map(f64::from))
        .unwrap_or(default) as f32;
    let size = [image.height(), image.width()];
    let filled = maker.processing.filled(size);
    let prompts = grid(per_side, filled);
    let picture = maker.processing.tensor(image, maker.runner.device())?;
    let features = maker.runner.forward(&picture)?;
    let mut found = Vec::new();
    for prompts in prompts.chunks(AT_ONCE) {
        let prompts: Vec<&Prompt> = prompts.iter().collect();
        let pointed = maker.runner.point(&features, &prompts)?;
        let masks: Vec<_> = pointed
            .iter()
            .flat_map(|pointed| (1..pointed.scores.len()).map(move |index| (pointed, index)))
            .filter(|(pointed, index)| pointed.scores[*index] > threshold)
            .collect();
        let of_masks = masks
            .into_par_iter()
            .map(|(pointed, index)| stable(maker, pointed, index, (filled, size)))
            .collect::<Result<Vec<_>>>()?;
        found.extend(of_masks.into_iter().flatten());
    }
    Ok(Detections::new(different(found)).into())
}

/// A mask where it is stable and has pixels.
fn stable(
    maker: &MaskMaker,
    pointed: &Pointed,
    index: usize,
    (filled, size): ([usize; 2], [usize; 2]),
) -> Result<Option<Found>> {
    let mask = maker.enlarged(pointed, index, (filled, size))?;
    let limits = [SHIFT, -SHIFT].map(|shift| maker.mask_threshold + shift);
    let mut counts = [0usize; 2];
    for logit in mask.whole() {
        for (count, limit) in counts.iter_mut().zip(limits) {
            *count += usize::from(logit > limit);
        }
    }
    // Without any pixel the share is no number, and none is above the limit.
    if (counts[0] as f32 / counts[1] as f32).partial_cmp(&STABLE) != Some(Ordering::Greater) {
        return Ok(None);
    }
    let Some((bounding_box, pixels)) = cut(&mask, maker.mask_threshold, size)? else {
        return Ok(None);
    };
    let [x, y, width, height] = bounding_box;
    let [high, wide] = size.map(|side| side as f64);
    let score = pointed.scores[index];
    let mut object = Detection::new("", bounding_box).with_mask(pixels);
    object.label = None;
    object.confidence = Some(f64::from(score.clamp(0.0, 1.0)));
    // The last pixel counts, not its end.
    let corners = Corners::new(
        (x * wide) as f32,
        (y * high) as f32,
        ((x + width) * wide) as f32 - 1.0,
        ((y + height) * high) as f32 - 1.0,
    );
    Ok(Some(Found {
        corners,
        score,
        object,
    }))
}

/// The middle of each cell of a grid over a picture of `[height, width]`.
fn grid(per_side: usize, [height, width]: [usize; 2]) -> Vec<Prompt> {
    let place = |index: usize, length: usize| (index as f64 + 0.5) / per_side as f64 * length as f64;
    let rows = 0..per_side;
    rows.flat_map(|row| (0..per_side).map(move |column| [column, row]))
        .map(|[column, row]| [place(column, width), place(row, height)])
        .map(|point| Prompt {
            points: vec![(point, true)],
            edges: None,
        })
        .collect()
}

/// The surest of those that are the same, the surest first; of equally sure ones the first.
fn different(mut found: Vec<Found>) -> Vec<Detection> {
    found.sort_by(|one, next| next.score.total_cmp(&one.score));
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        let is_new = kept
            .iter()
            .all(|surer| surer.corners.intersection_over_union(one.corners) <= SAME);
        if is_new {
            kept.push(one);
        }
    }
    kept.into_iter().map(|found| found.object).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_in_the_middle_of_cells() {
        let points: Vec<[f64; 2]> = grid(2, [10, 40])
            .iter()
            .map(|prompt| prompt.points[0].0)
            .collect();
        assert_eq!(points, [[10.0, 2.5], [30.0, 2.5], [10.0, 7.5], [30.0, 7.5]]);
        assert!(check(Some(0)).is_err() && check(Some(MOST + 1)).is_err() && check(None).is_ok());
    }

    #[test]
    fn of_the_same_masks_the_surest_stays() {
        let found = |left: f32, score: f32| Found {
            corners: Corners::new(left, 0.0, left + 10.0, 10.0),
            score,
            object: Detection::new("", [f64::from(left), 0.0, 0.1, 0.1]),
        };
        let kept = different(vec![found(0.0, 0.9), found(1.0, 0.95), found(8.0, 0.85)]);
        let lefts: Vec<f64> = kept.iter().map(|object| object.bounding_box[0]).collect();
        assert_eq!(lefts, [1.0, 8.0]);
    }
}
