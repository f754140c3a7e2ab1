//! A picture to draw on.

use super::{color::Rgb, text::Line};
use crate::media::RgbImage;
use tiny_skia::{
    FillRule, LineCap, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform,
};

/// The shorter side that a picture has at least when it is drawn on; smaller ones are enlarged, or no text would fit.
const LEAST_SIDE: u32 = 200;

/// A picture to draw on, in pixels from its top left corner. Drawing outside of it does nothing.
pub(super) struct Canvas {
    pixmap: Pixmap,
    /// The thickness of lines.
    pub line_width: f32,
    /// The height of letters.
    pub font_size: f32,
}

impl Canvas {
    /// A canvas that shows `image`, enlarged by a whole number where it is tiny; `None` for pictures too large to draw
    /// on (a side of more than 2^29 pixels).
    pub fn new(image: &RgbImage) -> Option<Self> {
        let factor = LEAST_SIDE
            .div_ceil(image.width().min(image.height()).max(1))
            .max(1);
        let factor = if image.width().min(image.height()) < LEAST_SIDE / 2 {
            factor
        } else {
            1
        };
        let mut pixmap = Pixmap::new(
            image.width().checked_mul(factor)?,
            image.height().checked_mul(factor)?,
        )?;
        let width = pixmap.width() as usize;
        for (index, pixel) in pixmap.data_mut().chunks_exact_mut(4).enumerate() {
            let (x, y) = (index % width, index / width);
            let [r, g, b] = image.pixel(x as u32 / factor, y as u32 / factor);
            pixel.copy_from_slice(&[r, g, b, 255]);
        }
        // Lines and letters grow with the picture, but slower, so that they stay fine on large ones.
        let side = (pixmap.width() as f32 * pixmap.height() as f32).sqrt();
        let scale = (side / 500.0).powf(0.8);
        Some(Self {
            pixmap,
            line_width: (2.6 * scale).max(1.5),
            font_size: (16.0 * scale).max(13.0),
        })
    }

    pub fn width(&self) -> f32 {
        self.pixmap.width() as f32
    }

    pub fn height(&self) -> f32 {
        self.pixmap.height() as f32
    }

    /// The pixel at a point relative to the picture.
    pub fn at(&self, [x, y]: [f64; 2]) -> [f32; 2] {
        [x as f32 * self.width(), y as f32 * self.height()]
    }

    /// Fills a rectangle with rounded corners.
    pub fn fill_rectangle(&mut self, rectangle: Rect, radius: f32, color: Rgb, opacity: f32) {
        let (l, t, r, b) = (
            rectangle.left(),
            rectangle.top(),
            rectangle.right(),
            rectangle.bottom(),
        );
        let radius = radius.min(rectangle.width() / 2.0).min(rectangle.height() / 2.0);
        let mut path = PathBuilder::new();
        path.move_to(l + radius, t);
        path.line_to(r - radius, t);
        path.quad_to(r, t, r, t + radius);
        path.line_to(r, b - radius);
        path.quad_to(r, b, r - radius, b);
        path.line_to(l + radius, b);
        path.quad_to(l, b, l, b - radius);
        path.line_to(l, t + radius);
        path.quad_to(l, t, l + radius, t);
        path.close();
        self.fill(path.finish(), color, opacity);
    }

    /// Draws a rectangle's outline, with a thin dark rim that sets it off from any background.
    pub fn outline_rectangle(&mut self, rectangle: Rect, color: Rgb) {
        self.stroke_with_rim(
            Some(PathBuilder::from_rect(rectangle)),
            self.line_width,
            color,
            1.0,
        );
    }

    /// Draws a line through points, back to the first when it is closed.
    pub fn line(&mut self, points: &[[f32; 2]], closed: bool, width: f32, color: Rgb, opacity: f32) {
        self.stroke_with_rim(path_through(points, closed), width, color, opacity);
    }

    /// Fills the inside of a closed line.
    pub fn fill_polygon(&mut self, points: &[[f32; 2]], color: Rgb, opacity: f32) {
        self.fill(path_through(points, true), color, opacity);
    }

    /// Draws a filled circle with a rim.
    pub fn dot(&mut self, [x, y]: [f32; 2], radius: f32, color: Rgb, rim: Rgb, opacity: f32) {
        self.fill(
            PathBuilder::from_circle(x, y, radius + radius * 0.35),
            rim,
            opacity,
        );
        self.fill(PathBuilder::from_circle(x, y, radius), color, opacity);
    }

    /// Draws a line of text with its top left corner at a point.
    pub fn text(&mut self, [x, y]: [f32; 2], line: &Line, color: Rgb) {
        let (left, top) = (x.round() as i32, y.round() as i32);
        line.rasterize(|column, row, coverage| self.blend(left + column, top + row, color, coverage));
    }

    /// Mixes a colour into one pixel.
    pub fn blend(&mut self, x: i32, y: i32, color: Rgb, opacity: f32) {
        let (width, height) = (self.pixmap.width() as i32, self.pixmap.height() as i32);
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let start = (y as usize * width as usize + x as usize) * 4;
        let pixel = &mut self.pixmap.data_mut()[start..start + 3];
        for (channel, new) in pixel.iter_mut().zip(color) {
            let old = f32::from(*channel);
            *channel = (old + (f32::from(new) - old) * opacity).round() as u8;
        }
    }

    /// The finished picture.
    pub fn into_image(self) -> RgbImage {
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        let pixels = self.pixmap.data().chunks_exact(4);
        let data = pixels.flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let Some(image) = RgbImage::from_raw(width, height, data) else {
            unreachable!("a pixmap has four bytes for each of its pixels, and one pixel at least");
        };
        image
    }

    fn fill(&mut self, path: Option<Path>, color: Rgb, opacity: f32) {
        if let Some(path) = path {
            let paint = paint(color, opacity);
            self.pixmap.fill_path(
                &path,
                &paint,
                FillRule::Winding,
                Transform::identity(),
                None::<&Mask>,
            );
        }
    }

    fn stroke_with_rim(&mut self, path: Option<Path>, width: f32, color: Rgb, opacity: f32) {
        let Some(path) = path else { return };
        let rim = (width * 0.3).max(0.75);
        for (width, color, opacity) in [
            (width + 2.0 * rim, [0; 3], 0.45 * opacity),
            (width, color, opacity),
        ] {
            let stroke = Stroke {
                width,
                line_cap: LineCap::Round,
                line_join: LineJoin::Miter,
                ..Stroke::default()
            };
            self.pixmap.stroke_path(
                &path,
                &paint(color, opacity),
                &stroke,
                Transform::identity(),
                None::<&Mask>,
            );
        }
    }
}

fn paint([r, g, b]: Rgb, opacity: f32) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    paint.set_color_rgba8(r, g, b, (opacity.clamp(0.0, 1.0) * 255.0).round() as u8);
    paint
}

/// A path through points; `None` when there are too few of them, or one is no number.
fn path_through(points: &[[f32; 2]], closed: bool) -> Option<Path> {
    let (first, rest) = points.split_first()?;
    let mut path = PathBuilder::new();
    path.move_to(first[0], first[1]);
    rest.iter().for_each(|point| path.line_to(point[0], point[1]));
    if closed {
        path.close();
    }
    path.finish()
}
