//! Objects: boxes with names, and masks within them.

use super::{
    canvas::Canvas,
    color::{self, Rgb},
    maps::Grid,
    tags::Tags,
};
use modelzoo_plugin_api::label::Detection;
use tiny_skia::Rect;

const MASK_OPACITY: f32 = 0.45;

/// Draws objects, large ones first, so that small ones before them stay visible.
pub(super) fn draw(canvas: &mut Canvas, tags: &mut Tags, detections: &[Detection]) {
    let mut objects: Vec<(Rect, Rgb, &Detection)> = detections
        .iter()
        .enumerate()
        .filter_map(|(index, detection)| {
            let color = match (detection.index, &detection.label) {
                // The same object has the same colour in every frame.
                (Some(number), _) => color::of_index(number.unsigned_abs()),
                (None, Some(label)) => color::of_class(label),
                (None, None) => color::of_index(index as u64),
            };
            Some((rectangle(canvas, detection.bounding_box)?, color, detection))
        })
        .collect();
    let area = |rectangle: &Rect| rectangle.width() * rectangle.height();
    objects.sort_by(|(a, ..), (b, ..)| area(b).total_cmp(&area(a)));
    for (rectangle, color, detection) in &objects {
        if let Some(grid) = detection.mask.as_ref().and_then(Grid::new) {
            draw_mask(canvas, &grid, *rectangle, *color);
        }
    }
    for (rectangle, color, _) in &objects {
        canvas.outline_rectangle(*rectangle, *color);
    }
    for (rectangle, color, detection) in objects {
        tags.add(caption(detection), color, rectangle);
    }
}

/// `name #3 0.87`, or those of the three that there are.
fn caption(detection: &Detection) -> String {
    let number = detection.index.map(|number| format!("#{number}"));
    let name: Vec<String> = detection.label.clone().into_iter().chain(number).collect();
    let name = (!name.is_empty()).then(|| name.join(" "));
    name_and_score(name.as_deref(), detection.confidence)
}

/// `name 0.87`, or the one of the two that there is.
pub(super) fn name_and_score(name: Option<&str>, score: Option<f64>) -> String {
    let score = score.map(|score| format!("{score:.2}"));
    [name.map(str::to_owned), score]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

/// A relative box in pixels, cut to the picture; `None` when nothing of it is inside.
fn rectangle(canvas: &Canvas, [x, y, width, height]: [f64; 4]) -> Option<Rect> {
    let inside = |value: f64| value.clamp(0.0, 1.0);
    let [left, top] = canvas.at([inside(x), inside(y)]);
    let [right, bottom] = canvas.at([inside(x + width), inside(y + height)]);
    Rect::from_ltrb(left, top, right, bottom).filter(|inner| inner.width() > 0.0 && inner.height() > 0.0)
}

fn draw_mask(canvas: &mut Canvas, grid: &Grid, rectangle: Rect, color: Rgb) {
    let (left, top) = (rectangle.left().floor() as i32, rectangle.top().floor() as i32);
    let (right, bottom) = (rectangle.right().ceil() as i32, rectangle.bottom().ceil() as i32);
    let inside = |x: i32, y: i32| {
        let column = (f64::from(x) + 0.5 - f64::from(rectangle.left())) / f64::from(rectangle.width());
        let row = (f64::from(y) + 0.5 - f64::from(rectangle.top())) / f64::from(rectangle.height());
        (0.0..1.0).contains(&column) && (0.0..1.0).contains(&row) && grid.smooth(column, row) > 0.5
    };
    let rim = canvas.line_width.round().max(1.0) as i32;
    for y in top..bottom {
        for x in left..right {
            if inside(x, y) {
                let at_edge = [(rim, 0), (-rim, 0), (0, rim), (0, -rim)]
                    .iter()
                    .any(|(dx, dy)| !inside(x + dx, y + dy));
                canvas.blend(x, y, color, if at_edge { 0.95 } else { MASK_OPACITY });
            }
        }
    }
}
