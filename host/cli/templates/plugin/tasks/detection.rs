//! A model without weights, which puts a box around what is bright.

use modelzoo_plugin_api::{
    label::{Detection, Detections},
    prelude::*,
};

pub struct Example;

impl Model for Example {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_classes(["bright"])
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        Ok(Detections::new(Vec::from_iter(detect(image))).into())
    }
}

/// A box around all that is bright; nothing where nothing is.
fn detect(image: &Image<'_>) -> Option<Detection> {
    let pixels = bright_pixels(image, 0.75);
    let (left, right) = (
        pixels.iter().map(|pixel| pixel.0).min()?,
        pixels.iter().map(|pixel| pixel.0).max()?,
    );
    let (top, bottom) = (
        pixels.iter().map(|pixel| pixel.1).min()?,
        pixels.iter().map(|pixel| pixel.1).max()?,
    );
    let (width, height) = (image.width() as f64, image.height() as f64);
    // x, y, width and height, relative to the picture.
    let edges = [
        left as f64 / width,
        top as f64 / height,
        (right + 1 - left) as f64 / width,
        (bottom + 1 - top) as f64 / height,
    ];
    let covered = pixels.len() as f64 / ((right + 1 - left) * (bottom + 1 - top)) as f64;
    Some(Detection::new("bright", edges).with_confidence(covered))
}

/// The pixels that are brighter than this, as `(x, y)`.
fn bright_pixels(image: &Image<'_>, threshold: f32) -> Vec<(usize, usize)> {
    let bright = luminance(image);
    let places = (0..bright.len()).filter(|&place| bright[place] > threshold);
    places
        .map(|place| (place % image.width(), place / image.width()))
        .collect()
}

/// How bright each pixel is, 0 to 1, row by row.
fn luminance(image: &Image<'_>) -> Vec<f32> {
    let of_pixel = |pixel: &[u8]| pixel.iter().map(|&value| f32::from(value) / 765.0).sum();
    image.pixels().chunks_exact(3).map(of_pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_white_pixel_is_found() {
        let mut pixels = [0; 4 * 2 * 3];
        pixels[18..21].fill(255);
        let image = Image::new(4, 2, &pixels).unwrap();
        assert_eq!(detect(&image).unwrap().bounding_box, [0.5, 0.5, 0.25, 0.5]);
    }
}
