//! The bar at a picture's foot, for what is said about the picture as a whole.

use super::{
    canvas::Canvas,
    color::{BLACK, Rgb, WHITE},
    text::Line,
};
use tiny_skia::Rect;

/// What the bar says, item by item.
#[derive(Default)]
pub(super) struct Caption(Vec<Item>);

struct Item {
    text: String,
    swatch: Option<Rgb>,
}

impl Caption {
    /// Adds an item, with a patch of a colour before it where it explains one.
    pub fn add(&mut self, text: String, swatch: Option<Rgb>) {
        if !text.is_empty() {
            self.0.push(Item { text, swatch });
        }
    }

    /// Draws the bar: items from left to right, in as many rows as they need.
    pub fn draw(self, canvas: &mut Canvas) {
        if self.0.is_empty() {
            return;
        }
        let size = canvas.font_size;
        let (padding, gap, swatch) = ((size * 0.45).round(), (size * 1.1).round(), (size * 0.6).round());
        let room = canvas.width() - 2.0 * padding;
        let mut placed = Vec::with_capacity(self.0.len());
        let (mut x, mut row) = (0.0, 0);
        let mut row_height = size;
        for item in self.0 {
            let indent = if item.swatch.is_some() {
                swatch + padding * 0.7
            } else {
                0.0
            };
            let line = Line::fitting(&item.text, size, room - indent);
            if x > 0.0 && x + indent + line.width > room {
                (x, row) = (0.0, row + 1);
            }
            let width = indent + line.width;
            row_height = line.height.ceil();
            placed.push((x, row, indent, line, item.swatch));
            x += width + gap;
        }
        let height = row_height * (row + 1) as f32 + padding;
        let top = (canvas.height() - height).max(0.0);
        if let Some(bar) = Rect::from_xywh(0.0, top, canvas.width(), height) {
            canvas.fill_rectangle(bar, 0.0, BLACK, 0.68);
        }
        for (x, row, indent, line, color) in placed {
            let [left, y] = [padding + x, top + padding / 2.0 + row_height * row as f32];
            let middle = y + (row_height - swatch) / 2.0;
            if let (Some(color), Some(patch)) = (color, Rect::from_xywh(left, middle, swatch, swatch)) {
                canvas.fill_rectangle(patch, swatch * 0.2, color, 1.0);
            }
            canvas.text([left + indent, y], &line, WHITE);
        }
    }
}
