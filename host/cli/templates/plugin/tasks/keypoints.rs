//! A model without weights, which points at the brightest pixel.

use modelzoo_plugin_api::{
    label::{Keypoint, Keypoints},
    prelude::*,
};

pub struct Example;

impl Model for Example {
    fn info(&self) -> ModelInfo {
        // The names of the points, and the pairs of them that lines connect.
        ModelInfo::image().with_keypoints(["brightest"], Vec::new())
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        let (point, brightness) = brightest(image);
        let keypoint = Keypoint::new(vec![point])
            .with_label("light")
            .with_confidence(vec![brightness.into()]);
        Ok(Keypoints::new(vec![keypoint]).into())
    }
}

/// The centre of the brightest pixel, relative to the picture, and how bright it is.
fn brightest(image: &Image<'_>) -> ([f64; 2], f32) {
    let bright = luminance(image);
    let place = (0..bright.len())
        .max_by(|&a, &b| bright[a].total_cmp(&bright[b]))
        .unwrap_or(0);
    let (x, y) = (place % image.width(), place / image.width());
    let centre = |position: usize, length: usize| (position as f64 + 0.5) / length as f64;
    (
        [centre(x, image.width()), centre(y, image.height())],
        bright[place].min(1.0),
    )
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
        assert_eq!(brightest(&image).0, [0.625, 0.75]);
    }
}
