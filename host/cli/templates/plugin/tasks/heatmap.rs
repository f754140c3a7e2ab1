//! A model without weights, whose map is how bright each pixel is.

use modelzoo_plugin_api::{label::Heatmap, prelude::*};

pub struct Example;

impl Model for Example {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        let map = Array::new([image.height(), image.width()], luminance(image))?;
        Ok(Heatmap::new(map).with_range(0.0, 1.0).into())
    }
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
        assert_eq!(luminance(&image), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    }
}
