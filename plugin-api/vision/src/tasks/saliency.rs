//! What stands out in a picture: how much each pixel does, or which pixels.

use super::enlarged::Enlarged;
use crate::{processing::Processing, repository::Repository, runner::Runner, settings::Settings};
use modelzoo_candle::{candle_core::Tensor, device};
use modelzoo_plugin_api::{
    Array, Error, Image, Model, ModelInfo, Output, PredictOptions, Result,
    label::{Heatmap, Segmentation},
};

/// What a mask's values mean.
const CLASSES: [&str; 2] = ["background", "salient"];

/// FiftyOne's argument of a processor of masks; a pixel stands out above it where it is not there.
const THRESHOLD: (&str, f64) = ("mask_thresh", 0.5);

/// A model of what stands out.
#[derive(Debug)]
pub(super) struct SaliencyFinder {
    processing: Processing,
    runner: Runner,
    /// A pixel stands out above this; without it, pictures get maps instead of masks.
    threshold: Option<f32>,
}

impl SaliencyFinder {
    /// A model of maps; of masks where the user, or else the manifest, wants them.
    ///
    /// # Errors
    /// When the threshold is none.
    pub(super) fn new(
        repository: &Repository,
        processing: Processing,
        runner: Runner,
        settings: &Settings,
    ) -> Result<Self> {
        let config = &repository.config;
        let of_manifest = if config.has("output_processor_cls") {
            let (key, default) = THRESHOLD;
            let arguments = config.section_or_empty("output_processor_args")?;
            Some(arguments.number(key)?.unwrap_or(default) as f32)
        } else {
            None
        };
        let threshold = settings.mask_threshold.or(of_manifest);
        if threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
            return Err(Error::invalid_option(
                "`mask_threshold` of a model of what stands out is not between 0 and 1",
            ));
        }
        Ok(Self {
            processing,
            runner,
            threshold,
        })
    }

    /// The map of each picture of a batch, spread over 0 to 1 as the authors do, with its `[height, width]`.
    fn maps(&self, batch: &Tensor) -> Result<Vec<(Vec<f32>, [usize; 2])>> {
        let maps = self.runner.forward(batch)?.remove(0);
        let (_, _, height, width) = maps.dims4()?;
        let rows = maps.flatten_from(1)?.to_vec2::<f32>()?;
        let rows = rows.into_iter().map(|map| (spread(map), [height, width]));
        Ok(rows.collect())
    }

    fn label(&self, map: Vec<f32>, shape: [usize; 2], image: &Image<'_>) -> Result<Output> {
        let Some(threshold) = self.threshold else {
            let map = Heatmap::new(Array::new(shape, map)?);
            return Ok(map.with_range(0.0, 1.0).into());
        };
        let size = [image.height(), image.width()];
        let enlarged = Enlarged::new(map, shape, size);
        let mask: Vec<u8> = enlarged
            .whole()
            .map(|value| u8::from(value > threshold))
            .collect();
        Ok(Segmentation::new(Array::new(size, mask)?).into())
    }
}

/// Spread over 0 to 1; a map of one value stays as it is.
fn spread(map: Vec<f32>) -> Vec<f32> {
    let least = map.iter().copied().fold(f32::INFINITY, f32::min);
    let greatest = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if greatest > least {
        let range = greatest - least;
        map.into_iter().map(|value| (value - least) / range).collect()
    } else {
        map
    }
}

impl Model for SaliencyFinder {
    fn info(&self) -> ModelInfo {
        let classes: &[&str] = if self.threshold.is_some() { &CLASSES } else { &[] };
        ModelInfo::image()
            .with_classes(classes.iter().copied())
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], _options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let maps = |batch: &Tensor| self.maps(batch);
        let maps = self.processing.run_batched(images, self.runner.device(), maps)?;
        let labelled = maps.into_iter().zip(images).map(|(map, image)| {
            let (map, shape) = map?;
            self.label(map, shape, image)
        });
        Ok(labelled.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_spread_over_0_to_1_unless_it_is_flat() {
        assert_eq!(spread(vec![0.25, 0.75, 0.5]), [0.0, 1.0, 0.5]);
        assert_eq!(spread(vec![0.3; 2]), [0.3; 2]);
    }
}
