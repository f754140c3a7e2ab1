//! Which pixels of a picture an object's patch is.

use crate::media::PixelBox;
use modelzoo_plugin_api::label::{Label, Polyline};

/// How a patch is cut around a box: FiftyOne's `alpha` and `force_square`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PatchGeometry {
    /// By how much of its size the box grows (or shrinks, below 0; at most to nothing, at -1), half on each side.
    pub alpha: Option<f64>,
    /// Whether the patch becomes a square, by growing its shorter side as far as the picture allows and then
    /// shrinking its longer side.
    pub force_square: bool,
}

impl PatchGeometry {
    /// The pixels of a box `[x, y, width, height]`, relative to a picture of the given size; `None` when there are
    /// none. Corners are rounded towards the top left.
    pub fn patch(&self, bounding_box: [f64; 4], width: u32, height: u32) -> Option<PixelBox> {
        let [x, y, box_width, box_height] = bounding_box;
        let horizontal = self.padded(Span::new(x, box_width)).pixels(width);
        let vertical = self.padded(Span::new(y, box_height)).pixels(height);
        let (horizontal, vertical) = match self.force_square {
            false => (horizontal, vertical),
            true if horizontal.length() <= vertical.length() => square(horizontal, vertical, width),
            true => {
                let (vertical, horizontal) = square(vertical, horizontal, height);
                (horizontal, vertical)
            }
        };
        let patch = PixelBox {
            x: horizontal.start,
            y: vertical.start,
            width: horizontal.length(),
            height: vertical.length(),
        };
        (patch.width > 0 && patch.height > 0).then_some(patch)
    }

    fn padded(&self, span: Span) -> Span {
        let Some(alpha) = self.alpha else { return span };
        let padding = 0.5 * alpha.max(-1.0) * (span.end - span.start);
        Span {
            start: clamp(span.start - padding),
            end: clamp(span.end + padding),
        }
    }
}

/// The boxes `[x, y, width, height]` of the objects in a label, as patches are cut from it: of detections their own,
/// of polylines those around their points. `None` for labels of other types.
pub fn patch_boxes(label: &Label) -> Option<Vec<[f64; 4]>> {
    match label {
        Label::Detection(one) => Some(vec![one.bounding_box]),
        Label::Detections(all) => Some(all.detections.iter().map(|one| one.bounding_box).collect()),
        Label::Polyline(one) => Some(vec![box_around(one)]),
        Label::Polylines(all) => Some(all.polylines.iter().map(box_around).collect()),
        _ => None,
    }
}

/// Puts a fact about the object of one of [`patch_boxes`] among its attributes. Does nothing where there is no such
/// object.
pub fn set_patch_attribute(label: &mut Label, index: usize, name: &str, value: serde_json::Value) {
    let attributes = match label {
        Label::Detection(one) if index == 0 => Some(&mut one.attributes),
        Label::Detections(all) => all.detections.get_mut(index).map(|one| &mut one.attributes),
        Label::Polyline(one) if index == 0 => Some(&mut one.attributes),
        Label::Polylines(all) => all.polylines.get_mut(index).map(|one| &mut one.attributes),
        _ => None,
    };
    if let Some(attributes) = attributes {
        attributes.insert(name.to_owned(), value);
    }
}

/// The box around all points of a polyline; an empty one when there are none.
fn box_around(polyline: &Polyline) -> [f64; 4] {
    let points = || polyline.points.iter().flatten();
    let span = |axis: usize| {
        points()
            .map(|point| point[axis])
            .fold(None, |span: Option<[f64; 2]>, value| match span {
                Some([least, greatest]) => Some([least.min(value), greatest.max(value)]),
                None => Some([value; 2]),
            })
    };
    match (span(0), span(1)) {
        (Some([left, right]), Some([top, bottom])) => [left, top, right - left, bottom - top],
        _ => [0.0; 4],
    }
}

/// One side of a box, relative to the picture's.
#[derive(Clone, Copy)]
struct Span {
    start: f64,
    end: f64,
}

impl Span {
    fn new(start: f64, length: f64) -> Self {
        Self {
            start: clamp(start),
            end: clamp(start + length),
        }
    }

    fn pixels(self, length: u32) -> Pixels {
        // Never above `length`, which fits; a coordinate that is no number is 0.
        let pixel = |position: f64| (f64::from(length) * position) as u32;
        let (start, end) = (pixel(self.start), pixel(self.end));
        Pixels {
            start,
            end: end.max(start),
        }
    }
}

fn clamp(position: f64) -> f64 {
    position.clamp(0.0, 1.0)
}

/// One side of a patch, in pixels, without `end`.
#[derive(Clone, Copy)]
struct Pixels {
    start: u32,
    end: u32,
}

impl Pixels {
    fn length(self) -> u32 {
        self.end - self.start
    }
}

/// Makes both sides equally long: the shorter grows up to `room`, the length of the picture in its direction, and
/// the longer shrinks to what that gave.
fn square(shorter: Pixels, longer: Pixels, room: u32) -> (Pixels, Pixels) {
    let side = longer.length().min(room);
    let before = (side - shorter.length()) / 2;
    let start = shorter.start.saturating_sub(before).min(room - side);
    let cut = (longer.length() - side) / 2;
    let longer_start = longer.start + cut;
    (
        Pixels {
            start,
            end: start + side,
        },
        Pixels {
            start: longer_start,
            end: longer_start + side,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_plugin_api::label::{Classification, Polylines};
    use proptest::prelude::*;
    use serde::Deserialize;

    /// A patch as FiftyOne 1.22.1 cut it.
    #[derive(Deserialize)]
    struct Cut {
        image: [u32; 2],
        #[serde(rename = "box")]
        bounding_box: [f64; 4],
        alpha: Option<f64>,
        force_square: bool,
        patch: Option<[u32; 4]>,
    }

    #[test]
    fn patches_are_those_of_fiftyone() {
        let cuts: Vec<Cut> =
            serde_json::from_str(include_str!("../../tests/labels/patches.json")).expect("valid JSON");
        assert!(cuts.len() > 100);
        for Cut {
            image: [width, height],
            bounding_box,
            alpha,
            force_square,
            patch,
        } in cuts
        {
            let expected = patch.map(|[x, y, width, height]| PixelBox { x, y, width, height });
            let found = PatchGeometry { alpha, force_square }.patch(bounding_box, width, height);
            assert_eq!(
                found, expected,
                "{bounding_box:?} of {width}x{height}, {alpha:?}, {force_square}"
            );
        }
    }

    #[test]
    fn detections_and_polylines_have_boxes() {
        let triangle = Polyline::new("a", vec![vec![[0.2, 0.9], [0.4, 0.1]], vec![[0.3, 0.5]]]);
        let boxes =
            patch_boxes(&Polylines::new(vec![triangle, Polyline::default()]).into()).expect("has boxes");
        assert_eq!(boxes, [[0.2, 0.1, 0.2, 0.8], [0.0; 4]]);
        assert_eq!(patch_boxes(&Classification::new("a").into()), None);
    }

    proptest! {
        #[test]
        fn a_patch_is_within_its_picture(
            bounding_box in [any::<f64>(), any::<f64>(), any::<f64>(), any::<f64>()],
            near in [-0.5..1.5f64, -0.5..1.5, -0.5..1.5, -0.5..1.5],
            use_near in any::<bool>(),
            alpha in prop::option::of(-2.0..4.0f64),
            force_square in any::<bool>(),
            width in 1..5000u32,
            height in 1..5000u32,
        ) {
            let bounding_box = if use_near { near } else { bounding_box };
            if let Some(patch) = (PatchGeometry { alpha, force_square }).patch(bounding_box, width, height) {
                prop_assert!(patch.x + patch.width <= width && patch.y + patch.height <= height);
                prop_assert!(!force_square || patch.width == patch.height);
            }
        }
    }
}
