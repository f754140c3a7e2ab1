//! A class for each pixel.

use crate::{bilinear::neighbours, processing::Processing, runner::Runner};
use modelzoo_candle::{candle_core::Tensor, device};
use modelzoo_plugin_api::{
    Array, Error, Image, Model, ModelInfo, Output, PredictOptions, Result, label::Segmentation,
};
use rayon::prelude::*;

/// A semantic segmenter.
#[derive(Debug)]
pub(super) struct Segmenter {
    processing: Processing,
    runner: Runner,
    classes: Vec<String>,
}

/// A picture's logits `[classes, height, width]`.
pub(super) struct Logits {
    pub(super) values: Vec<f32>,
    pub(super) dims: [usize; 3],
}

impl Segmenter {
    /// A segmenter of these classes.
    ///
    /// # Errors
    /// When a mask cannot hold so many.
    pub(super) fn new(processing: Processing, runner: Runner, classes: Vec<String>) -> Result<Self> {
        if classes.len() > 1 << u16::BITS {
            return Err(Error::new(format!(
                "a mask cannot hold {} classes",
                classes.len()
            )));
        }
        Ok(Self {
            processing,
            runner,
            classes,
        })
    }

    /// The logits of each picture of a batch.
    fn logits(&self, batch: &Tensor) -> Result<Vec<Logits>> {
        let maps = self.runner.forward(batch)?.remove(0);
        let (_, classes, height, width) = maps.dims4()?;
        let rows = maps.flatten_from(1)?.to_vec2::<f32>()?;
        let dims = [classes, height, width];
        Ok(rows.into_iter().map(|values| Logits { values, dims }).collect())
    }
}

impl Logits {
    /// The likeliest class of each pixel of a picture of `[height, width]`; 0 where its probability is below the
    /// threshold. The logits are enlarged as torch's bilinear `interpolate` does it.
    pub(super) fn label(&self, size: [usize; 2], options: &PredictOptions) -> Result<Segmentation> {
        let [classes, rows, columns] = self.dims;
        let across = neighbours(columns, size[1]);
        let lines = neighbours(rows, size[0]);
        let threshold = options.confidence_threshold.map(|threshold| threshold as f32);
        let mask: Vec<u16> = lines
            .par_iter()
            .flat_map_iter(|line| {
                let mut best = vec![(f32::NEG_INFINITY, 0u16); size[1]];
                let mut sums = vec![0f32; size[1]];
                for class in 0..classes {
                    let map = &self.values[class * rows * columns..];
                    for ((best, sum), place) in best.iter_mut().zip(&mut sums).zip(&across) {
                        let value = line.between(place.between_of(&map[line.first * columns..]), || {
                            place.between_of(&map[line.second * columns..])
                        });
                        if value > best.0 {
                            *sum = *sum * (best.0 - value).exp() + 1.0;
                            *best = (value, class as u16);
                        } else {
                            *sum += (value - best.0).exp();
                        }
                    }
                }
                best.into_iter()
                    .zip(sums)
                    .map(move |((_, class), sum)| match threshold {
                        Some(threshold) if 1.0 / sum < threshold => 0,
                        _ => class,
                    })
            })
            .collect();
        let shape = [size[0], size[1]];
        Ok(Segmentation::new(if classes <= 1 << u8::BITS {
            let narrow: Vec<u8> = mask.into_iter().map(|class| class as u8).collect();
            Array::new(shape, narrow)?
        } else {
            Array::new(shape, mask)?
        }))
    }
}

impl Model for Segmenter {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(&self.classes)
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let logits = |batch: &Tensor| self.logits(batch);
        let all = self
            .processing
            .run_batched(images, self.runner.device(), logits)?;
        Ok(all
            .into_iter()
            .zip(images)
            .map(|(logits, image)| Ok(logits?.label([image.height(), image.width()], options)?.into()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(values: &[f32], dims: [usize; 3], size: [usize; 2], threshold: Option<f64>) -> Vec<f64> {
        let mut options = PredictOptions::default();
        options.confidence_threshold = threshold;
        let logits = Logits {
            values: values.to_vec(),
            dims,
        };
        logits.label(size, &options).unwrap().mask.unwrap().to_f64()
    }

    #[test]
    fn logits_are_enlarged_before_the_likeliest_class_is_taken() {
        // Two classes of a row of two pixels: 1 and -1, and the other way round.
        let logits = [3.0, -1.0, -1.0, 3.0];
        assert_eq!(mask(&logits, [2, 1, 2], [1, 2], None), [0.0, 1.0]);
        assert_eq!(
            mask(&logits, [2, 1, 2], [2, 4], None),
            [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]
        );
        // Between 3 and -1 a third of the way: logits 2 and 0, a probability of 0.88.
        assert_eq!(mask(&logits, [2, 1, 2], [1, 4], Some(0.9)), [0.0, 0.0, 0.0, 1.0]);
    }
}
