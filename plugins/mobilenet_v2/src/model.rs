//! The model: pictures in, labels and embeddings out.

use crate::{Settings, network::mobilenet_v2};
use modelzoo_candle::{
    candle_core::Tensor,
    classifier::Classifier,
    device::{self, Placement},
    image::{Normalization, Preprocessing},
    network::Network,
    weights::Weights,
};
use modelzoo_plugin_api::{Array, Image, Model, ModelInfo, Output, PredictOptions, Result};

/// The names of ImageNet's classes, a line each.
const CLASSES: &str = include_str!("classes.txt");

/// MobileNetV2 with its preprocessing and classes.
#[derive(Debug)]
pub struct MobileNetV2 {
    preprocessing: Preprocessing,
    /// Outputs: logits, embedding.
    network: Network,
    classifier: Classifier,
}

impl MobileNetV2 {
    /// Makes the model ready.
    ///
    /// # Errors
    /// When the weights are not those of torchvision's `mobilenet_v2`, or there is no such layer for embeddings.
    pub fn new(weights: &Weights, placement: &Placement, settings: &Settings) -> Result<Self> {
        let outputs = ["logits", &settings.embeddings_layer];
        let network = mobilenet_v2(weights, placement)?.with_outputs(&outputs)?;
        network.prepare()?;
        Ok(Self {
            preprocessing: Preprocessing::new()
                .resize_shorter_side(256)
                .center_crop([224, 224])
                .normalize(Normalization::IMAGENET),
            network,
            classifier: Classifier::new(CLASSES.lines()),
        })
    }

    /// Runs the network on pictures and gives the values of one of its outputs for each.
    fn rows(&self, images: &[Image<'_>], output: usize) -> Result<Vec<Result<Vec<f32>>>> {
        let run = |batch: &Tensor| {
            Ok(self.network.forward(batch)?[output]
                .flatten_from(1)?
                .to_vec2::<f32>()?)
        };
        self.preprocessing.run_batched(images, self.network.device(), run)
    }
}

impl Model for MobileNetV2 {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(CLASSES.lines())
            .with_embeddings()
            .with_logits()
            .with_preferred_batch_size(8)
            .on_device(device::name(self.network.device()))
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let label = |logits: Vec<f32>| Ok(self.classifier.label(&logits, options)?.into());
        Ok(self
            .rows(images, 0)?
            .into_iter()
            .map(|logits| logits.and_then(label))
            .collect())
    }

    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        self.embed_all(std::slice::from_ref(image))?.remove(0)
    }

    fn embed_all(&self, images: &[Image<'_>]) -> Result<Vec<Result<Array>>> {
        let dims = &self.network.output_dims()[1];
        let array = |values: Vec<f32>| Array::new(dims.as_slice(), values);
        Ok(self
            .rows(images, 1)?
            .into_iter()
            .map(|values| values.and_then(array))
            .collect())
    }
}
