//! A model without weights, which tells bright pixels from dark ones.

use modelzoo_plugin_api::{label::Segmentation, prelude::*};

pub struct Example;

impl Model for Example {
    fn info(&self) -> ModelInfo {
        // A class for each value of the mask, 0 first.
        ModelInfo::image().with_classes(["dark", "bright"])
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        let mask = Array::new([image.height(), image.width()], segment(image))?;
        Ok(Segmentation::new(mask).into())
    }
}

/// The class of each pixel, row by row.
fn segment(image: &Image<'_>) -> Vec<u8> {
    luminance(image)
        .into_iter()
        .map(|value| u8::from(value > 0.5))
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
        assert_eq!(segment(&image), [0, 0, 0, 0, 0, 0, 1, 0]);
    }
}
