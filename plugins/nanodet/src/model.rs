//! The model: pictures in, objects out.

use crate::{
    Settings,
    decode::candidates,
    network::{INPUT, nanodet_g},
};
use modelzoo_candle::{
    detection::{self, Suppression},
    device::Placement,
    image::{ChannelOrder, Divisor, Normalization, Preprocessing},
    pictures::PictureNetwork,
    weights::Weights,
};
use modelzoo_plugin_api::{Error, Image, Model, ModelInfo, Output, PredictOptions, Result};

/// The names of COCO's classes, a line each.
const CLASSES: &str = include_str!("classes.txt");

/// Candidates beyond this many, the least sure ones, are not looked at.
const MOST_CANDIDATES: usize = 1000;

/// NanoDet-g with its preprocessing and classes.
#[derive(Debug)]
pub struct NanoDet {
    network: PictureNetwork,
    classes: Vec<&'static str>,
    settings: Settings,
}

impl NanoDet {
    /// Makes the model ready.
    ///
    /// # Errors
    /// When the weights are not those of NanoDet-g.
    pub fn new(weights: &Weights, placement: &Placement, settings: Settings) -> Result<Self> {
        let normalization = Normalization {
            divisor: Divisor::Fixed(1.0),
            mean: [103.53, 116.28, 123.675],
            std: [57.375, 57.12, 58.395],
        };
        let preprocessing = Preprocessing::new()
            .resize([INPUT, INPUT])
            .channels(ChannelOrder::Bgr)
            .normalize(normalization);
        Ok(Self {
            network: PictureNetwork::new(preprocessing, nanodet_g(weights, placement)?)?,
            classes: CLASSES.lines().collect(),
            settings,
        })
    }

    /// The objects in a picture, found in the network's outputs for it.
    fn objects(&self, outputs: &[Vec<f32>], options: &PredictOptions) -> Result<Output> {
        let [fine, middle, coarse] = outputs else {
            return Err(Error::new("the network has three outputs"));
        };
        let threshold = match options.confidence_threshold {
            Some(threshold) => threshold as f32,
            None => self.settings.score_threshold,
        };
        let suppression = Suppression {
            overlap: self.settings.nms_iou,
            considered: MOST_CANDIDATES,
            most: self.settings.max_detections,
        };
        let found = suppression.apply(candidates([fine, middle, coarse], threshold));
        Ok(detection::label(&found, &self.classes, options)?.into())
    }
}

impl Model for NanoDet {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(self.classes.iter().copied())
            .with_preferred_batch_size(8)
            .on_device(self.network.device_name())
            .with_precision(self.network.network().precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        self.network.run(images, |outputs| self.objects(outputs, options))
    }
}
