//! Names beside the things they belong to.

use super::{
    canvas::Canvas,
    color::{self, Rgb},
    text::Line,
};
use tiny_skia::Rect;

/// Names that wait until everything else is drawn, so that nothing covers them.
#[derive(Default)]
pub(super) struct Tags(Vec<Tag>);

struct Tag {
    text: String,
    color: Rgb,
    anchor: Rect,
}

impl Tags {
    /// Names what lies within `anchor`.
    pub fn add(&mut self, text: String, color: Rgb, anchor: Rect) {
        if !text.is_empty() {
            self.0.push(Tag { text, color, anchor });
        }
    }

    /// Draws the names, each where it covers no other if there is such a place near its box: above, within at the top
    /// or at the bottom, below.
    pub fn draw(self, canvas: &mut Canvas) {
        let mut taken: Vec<Rect> = Vec::new();
        for Tag { text, color, anchor } in self.0 {
            let padding = (canvas.font_size * 0.22).round();
            let line = Line::fitting(&text, canvas.font_size, canvas.width() - 2.0 * padding);
            let (width, height) = (line.width.ceil() + 2.0 * padding, line.height.ceil() + padding);
            let half_line = canvas.line_width / 2.0;
            let left = (anchor.left() - half_line).clamp(0.0, (canvas.width() - width).max(0.0));
            let tops = [
                anchor.top() - half_line - height,
                anchor.top() + half_line,
                anchor.bottom() - half_line - height,
                anchor.bottom() + half_line,
            ];
            let places = tops
                .into_iter()
                .filter(|top| *top >= 0.0 && top + height <= canvas.height())
                .filter_map(|top| Rect::from_xywh(left, top, width, height));
            let free = |place: &Rect| taken.iter().all(|other| !overlap(place, other));
            let last_resort = Rect::from_xywh(
                left,
                tops[1].clamp(0.0, (canvas.height() - height).max(0.0)),
                width,
                height,
            );
            let Some(place) = places
                .clone()
                .find(free)
                .or_else(|| places.clone().next())
                .or(last_resort)
            else {
                continue;
            };
            canvas.fill_rectangle(place, padding, color, 0.92);
            let corner = [place.left() + padding, place.top() + padding / 2.0];
            canvas.text(corner, &line, color::of_text_on(color));
            taken.push(place);
        }
    }
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.left() < b.right() && b.left() < a.right() && a.top() < b.bottom() && b.top() < a.bottom()
}
