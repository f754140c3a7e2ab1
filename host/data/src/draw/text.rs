//! Measuring and rasterising text.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use std::sync::LazyLock;

static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(dejavu::sans_condensed::bold())
        .unwrap_or_else(|_| unreachable!("the embedded font is valid"))
});

/// A line of text, set at a size.
pub(super) struct Line {
    glyphs: Vec<Glyph>,
    /// How far the pen went, in pixels.
    pub width: f32,
    /// From the top of the tallest letter to the bottom of the lowest, in pixels.
    pub height: f32,
}

impl Line {
    /// Sets `text` in letters of `size` pixels; `size` is the height from the lowest to the highest point of the font.
    pub fn new(text: &str, size: f32) -> Self {
        let font = FONT.as_scaled(PxScale::from(size));
        let mut pen = 0.0;
        let mut previous = None;
        let mut glyphs = Vec::new();
        for character in text.chars().filter(|character| !character.is_control()) {
            let id = font.glyph_id(character);
            if let Some(previous) = previous {
                pen += font.kern(previous, id);
            }
            glyphs.push(id.with_scale_and_position(PxScale::from(size), point(pen, font.ascent())));
            pen += font.h_advance(id);
            previous = Some(id);
        }
        Self {
            glyphs,
            width: pen,
            height: font.height(),
        }
    }

    /// Sets `text` no wider than `max_width`, cut at its end with an ellipsis where it must be.
    pub fn fitting(text: &str, size: f32, max_width: f32) -> Self {
        let line = Self::new(text, size);
        if line.width <= max_width {
            return line;
        }
        let boundaries: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
        let fits = |&end: &usize| Self::new(&format!("{}…", &text[..end]), size).width <= max_width;
        let count = boundaries.partition_point(fits);
        Self::new(
            &format!("{}…", &text[..boundaries[count.saturating_sub(1)]]),
            size,
        )
    }

    /// Calls `paint` with the column and row, relative to the line's top left corner, and the coverage (0 to 1) of
    /// every pixel that the text touches.
    pub fn rasterize(&self, mut paint: impl FnMut(i32, i32, f32)) {
        for outline in self
            .glyphs
            .iter()
            .filter_map(|glyph| FONT.outline_glyph(glyph.clone()))
        {
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, coverage| {
                paint(
                    corner.x as i32 + x as i32,
                    corner.y as i32 + y as i32,
                    coverage.min(1.0),
                );
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_text_is_wider_and_larger_letters_are_higher() {
        let (short, long) = (Line::new("cat", 16.0), Line::new("category", 16.0));
        assert!(0.0 < short.width && short.width < long.width);
        assert!(Line::new("cat", 32.0).height > short.height);
        assert_eq!(Line::new("", 16.0).width, 0.0);
    }

    #[test]
    fn text_is_cut_to_fit() {
        let full = Line::new("a rather long name of a class", 16.0);
        let cut = Line::fitting("a rather long name of a class", 16.0, 80.0);
        assert!(cut.width <= 80.0 && cut.width > 50.0, "{}", cut.width);
        assert_eq!(
            Line::fitting("a rather long name of a class", 16.0, 1000.0).width,
            full.width
        );
        // Nothing fits: one sign is left to show that there is something.
        assert!(Line::fitting("word", 16.0, 1.0).width > 0.0);
    }

    #[test]
    fn letters_lie_within_the_line() {
        let line = Line::new("Ågjy 0.97", 20.0);
        let (mut touched, height) = (0, line.height.ceil() as i32);
        line.rasterize(|_, y, coverage| {
            assert!((-1..=height).contains(&y) && (0.0..=1.0).contains(&coverage));
            touched += 1;
        });
        assert!(touched > 200);
    }
}
