//! Keypoints with their skeleton, and polylines.

use super::{boxes::name_and_score, canvas::Canvas, color, tags::Tags};
use modelzoo_plugin_api::label::{Keypoint, Polyline};
use tiny_skia::Rect;

/// The lines between the 17 points of a person in COCO, as indices from 0.
pub(super) const COCO_SKELETON: [[usize; 2]; 19] = [
    [15, 13],
    [13, 11],
    [16, 14],
    [14, 12],
    [11, 12],
    [5, 11],
    [6, 12],
    [5, 6],
    [5, 7],
    [6, 8],
    [7, 9],
    [8, 10],
    [1, 2],
    [0, 1],
    [0, 2],
    [1, 3],
    [2, 4],
    [3, 5],
    [4, 6],
];

/// How opaque a point is that the model does not believe in at all.
const LEAST_OPACITY: f64 = 0.25;

/// Draws sets of points, each in a colour of its own. Without a skeleton, sets of 17 points get COCO's.
pub(super) fn draw_keypoints(
    canvas: &mut Canvas,
    tags: &mut Tags,
    keypoints: &[Keypoint],
    skeleton: &[[usize; 2]],
) {
    for (index, keypoint) in keypoints.iter().enumerate() {
        let color = color::of_index(index as u64);
        let points: Vec<Option<[f32; 2]>> = keypoint
            .points
            .iter()
            .map(|point| {
                point
                    .iter()
                    .all(|value| value.is_finite())
                    .then(|| canvas.at(*point))
            })
            .collect();
        let opacity = |index: usize| {
            let confidence = keypoint
                .confidence
                .as_ref()
                .and_then(|all| all.get(index))
                .copied()
                .unwrap_or(1.0);
            (LEAST_OPACITY + (1.0 - LEAST_OPACITY) * confidence.clamp(0.0, 1.0)) as f32
        };
        let skeleton = match (skeleton, points.len()) {
            ([], 17) => &COCO_SKELETON[..],
            (given, _) => given,
        };
        let point = |index: usize| points.get(index).copied().flatten();
        for &[from, to] in skeleton {
            if let (Some(start), Some(end)) = (point(from), point(to)) {
                let opacity = opacity(from).min(opacity(to));
                canvas.line(&[start, end], false, canvas.line_width * 1.2, color, opacity);
            }
        }
        for (index, point) in points.iter().enumerate() {
            if let Some(point) = point {
                canvas.dot(
                    *point,
                    canvas.line_width * 1.35,
                    color,
                    color::WHITE,
                    opacity(index),
                );
            }
        }
        if let Some(anchor) = around(points.iter().flatten().copied(), canvas) {
            tags.add(name_and_score(keypoint.label.as_deref(), None), color, anchor);
        }
    }
}

/// Draws outlines and lines, filled where they say so.
pub(super) fn draw_polylines(canvas: &mut Canvas, tags: &mut Tags, polylines: &[Polyline]) {
    for (index, polyline) in polylines.iter().enumerate() {
        let color = polyline
            .label
            .as_deref()
            .map_or_else(|| color::of_index(index as u64), color::of_class);
        let shapes: Vec<Vec<[f32; 2]>> = polyline
            .points
            .iter()
            .map(|shape| {
                let finite = shape
                    .iter()
                    .filter(|point| point.iter().all(|value| value.is_finite()));
                finite.map(|point| canvas.at(*point)).collect()
            })
            .collect();
        for shape in &shapes {
            if polyline.filled {
                canvas.fill_polygon(shape, color, 0.35);
            }
            canvas.line(shape, polyline.closed, canvas.line_width, color, 1.0);
        }
        if let Some(anchor) = around(shapes.into_iter().flatten(), canvas) {
            tags.add(
                name_and_score(polyline.label.as_deref(), polyline.confidence),
                color,
                anchor,
            );
        }
    }
}

/// The smallest rectangle around points, with room for their dots.
fn around(points: impl Iterator<Item = [f32; 2]>, canvas: &Canvas) -> Option<Rect> {
    let [left, top, right, bottom] = points.fold(
        [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY],
        |[left, top, right, bottom], [x, y]| [left.min(x), top.min(y), right.max(x), bottom.max(y)],
    );
    let room = canvas.line_width * 3.0;
    Rect::from_ltrb(left - room, top - room, right + room, bottom + room)
}
