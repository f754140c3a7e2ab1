//! The places of a person's points from maps of logits: torchvision's `heatmaps_to_keypoints`.

use modelzoo_candle::detection::Corners;
use rayon::prelude::*;

/// The parameter of the cubic that torch interpolates with.
const CUBIC: f32 = -0.75;

/// A point that was found: `[x, y]`, in pixels of what its box is in, and its logit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Located {
    pub(super) position: [f32; 2],
    pub(super) logit: f32,
}

/// The place of the largest logit of each map `[side, side]` over a box, between whose places is interpolated until they
/// are as many as the box has pixels.
pub(super) fn locate(maps: &[f32], side: usize, corners: Corners) -> Vec<Located> {
    let exact = [corners.right - corners.left, corners.bottom - corners.top].map(|length| length.max(1.0));
    let [width, height] = exact.map(|length| length.ceil() as usize);
    let (columns, rows) = (taps(side, width), taps(side, height));
    maps.par_chunks_exact(side * side)
        .map(|map| {
            let widened: Vec<f32> = map
                .chunks_exact(side)
                .flat_map(|line| columns.iter().map(|tap| tap.apply(|place| line[place])))
                .collect();
            let mut best = (f32::NEG_INFINITY, [0, 0]);
            for (y, tap) in rows.iter().enumerate() {
                for x in 0..width {
                    let value = tap.apply(|place| widened[place * width + x]);
                    if value > best.0 {
                        best = (value, [x, y]);
                    }
                }
            }
            let (logit, [x, y]) = best;
            let position = |pixel: usize, exact: f32, count: usize, first: f32| {
                (pixel as f32 + 0.5) * (exact / count as f32) + first
            };
            Located {
                position: [
                    position(x, exact[0], width, corners.left),
                    position(y, exact[1], height, corners.top),
                ],
                logit,
            }
        })
        .collect()
}

/// The four places that a value between places is made of, and their weights.
struct Tap {
    places: [usize; 4],
    weights: [f32; 4],
}

impl Tap {
    fn apply(&self, value: impl Fn(usize) -> f32) -> f32 {
        let terms = self.places.iter().zip(self.weights);
        terms.map(|(&place, weight)| value(place) * weight).sum()
    }
}

/// What each of `to` values is made of, of a line of `from`.
///
/// Source: Keys, "Cubic convolution interpolation for digital image processing" (1981).
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f32 / to as f32;
    let tap = |index: usize| {
        let exact = (index as f32 + 0.5) * scale - 0.5;
        let first = exact.floor();
        let share = exact - first;
        let near = |x: f32| ((CUBIC + 2.0) * x - (CUBIC + 3.0)) * x * x + 1.0;
        let far = |x: f32| ((CUBIC * x - 5.0 * CUBIC) * x + 8.0 * CUBIC) * x - 4.0 * CUBIC;
        let place = |offset: i64| (first as i64 + offset).clamp(0, from as i64 - 1) as usize;
        Tap {
            places: [-1, 0, 1, 2].map(place),
            weights: [far(share + 1.0), near(share), near(1.0 - share), far(2.0 - share)],
        }
    };
    (0..to).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_found_where_it_is_in_the_box() {
        let mut map = vec![0.0; 16];
        map[2 * 4 + 1] = 3.0;
        let found = locate(&map, 4, Corners::new(10.0, 20.0, 14.0, 24.0));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].position, [11.5, 22.5]);
        assert!((found[0].logit - 3.0).abs() < 1e-6);
    }

    #[test]
    fn weights_add_up_to_one() {
        for tap in taps(7, 23).iter().chain(&taps(7, 3)) {
            assert!((tap.weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn a_box_without_an_area_has_one_pixel() {
        let found = locate(&[1.0, 2.0, 3.0, 4.0], 2, Corners::new(5.0, 5.0, 5.0, 5.0));
        assert_eq!(found[0].position, [5.5, 5.5]);
    }
}
