//! A model without weights, whose embeddings are the mean colours of a picture's quarters.

use modelzoo_plugin_api::prelude::*;

pub struct Example;

impl Model for Example {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_embeddings_only("`modelzoo embed` gives its embeddings")
    }

    fn predict(&self, _image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        Err(Error::unsupported(
            "this model has embeddings alone: `modelzoo embed`",
        ))
    }

    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        Ok(Array::vector(mean_colours(image).to_vec()))
    }
}

/// The mean colours of the four quarters, 0 to 1: the upper left one first, row by row.
fn mean_colours(image: &Image<'_>) -> [f32; 12] {
    let (mut sums, mut counts) = ([0.0; 12], [0.0_f32; 4]);
    for (place, pixel) in image.pixels().chunks_exact(3).enumerate() {
        let (x, y) = (place % image.width(), place / image.width());
        let quarter = x * 2 / image.width() + 2 * (y * 2 / image.height());
        counts[quarter] += 1.0;
        for (channel, &value) in pixel.iter().enumerate() {
            sums[quarter * 3 + channel] += f32::from(value) / 255.0;
        }
    }
    std::array::from_fn(|place| sums[place] / counts[place / 3].max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quarter_has_its_mean() {
        let mut pixels = [0; 4 * 2 * 3];
        pixels[18..21].fill(255);
        let image = Image::new(4, 2, &pixels).unwrap();
        assert_eq!(mean_colours(&image)[8..], [0.0, 0.5, 0.5, 0.5]);
    }
}
