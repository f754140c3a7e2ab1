//! The model: pictures in, maps, masks or objects out.

use crate::{
    OutputKind, Settings,
    network::{INPUT, u2netp},
    regions::{Region, regions},
};
use modelzoo_candle::{
    device::Placement,
    image::{Divisor, Normalization, Preprocessing},
    pictures::PictureNetwork,
    weights::Weights,
};
use modelzoo_plugin_api::{
    Array, Image, Model, ModelInfo, Output, PredictOptions, Result,
    label::{Detection, Detections, Heatmap, Segmentation},
};

/// The class of what stands out.
const SALIENT: &str = "salient";

/// U2-Netp with its preprocessing.
#[derive(Debug)]
pub struct U2NetP {
    network: PictureNetwork,
    settings: Settings,
}

impl U2NetP {
    /// Makes the model ready.
    ///
    /// # Errors
    /// When the weights are not those of U2-Netp.
    pub fn new(weights: &Weights, placement: &Placement, settings: Settings) -> Result<Self> {
        let normalization = Normalization {
            divisor: Divisor::Maximum,
            ..Normalization::IMAGENET
        };
        let preprocessing = Preprocessing::new()
            .resize([INPUT, INPUT])
            .normalize(normalization);
        Ok(Self {
            network: PictureNetwork::new(preprocessing, u2netp(weights, placement)?)?,
            settings,
        })
    }

    fn label(&self, saliency: Vec<f32>) -> Result<Output> {
        let saliency = stretched(saliency);
        let Settings {
            output,
            threshold,
            smallest_area,
        } = self.settings;
        let shape = [INPUT, INPUT];
        Ok(match output {
            OutputKind::Heatmap => Heatmap::new(Array::new(shape, saliency)?)
                .with_range(0.0, 1.0)
                .into(),
            OutputKind::Segmentation => {
                let mask: Vec<u8> = saliency
                    .iter()
                    .map(|&value| u8::from(value >= threshold))
                    .collect();
                Segmentation::new(Array::new(shape, mask)?).into()
            }
            OutputKind::Detections => {
                let smallest = smallest_area * (INPUT * INPUT) as f32;
                let found = regions(&saliency, INPUT, threshold).into_iter();
                let large = found.filter(|region| region.area as f32 >= smallest);
                Detections::new(large.map(detection).collect::<Result<_>>()?).into()
            }
        })
    }
}

/// Spread over 0..=1, as U2-Net's authors do; a map of one value stays as it is.
fn stretched(map: Vec<f32>) -> Vec<f32> {
    let least = map.iter().copied().fold(f32::INFINITY, f32::min);
    let most = map.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if most > least {
        map.into_iter()
            .map(|value| (value - least) / (most - least))
            .collect()
    } else {
        map
    }
}

fn detection(region: Region) -> Result<Detection> {
    let relative = |pixels: usize| pixels as f64 / INPUT as f64;
    let bounding_box = [region.left, region.top, region.width, region.height].map(relative);
    let mask = Array::new([region.height, region.width], region.mask)?;
    Ok(Detection::new(SALIENT, bounding_box)
        .with_confidence(region.mean)
        .with_mask(mask))
}

impl Model for U2NetP {
    fn info(&self) -> ModelInfo {
        // Index 0 of a mask is what does not stand out.
        let classes: &[&str] = match self.settings.output {
            OutputKind::Heatmap => &[],
            OutputKind::Segmentation => &["background", SALIENT],
            OutputKind::Detections => &[SALIENT],
        };
        ModelInfo::image()
            .with_classes(classes.iter().copied())
            .with_preferred_batch_size(4)
            .on_device(self.network.device_name())
            .with_precision(self.network.network().precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], _: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let maps = self.network.rows(images, 0)?.into_iter();
        Ok(maps.map(|map| map.and_then(|map| self.label(map))).collect())
    }
}
