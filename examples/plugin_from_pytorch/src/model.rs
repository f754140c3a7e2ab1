//! The model: pictures in, labels and embeddings out.

use crate::network::efficientnet_lite0;
use modelzoo_candle::{
    candle_core::Tensor,
    classifier::Classifier,
    device::{self, Placement},
    image::{ChannelOrder, Divisor, Filter, Normalization, Preprocessing},
    network::Network,
    weights::Weights,
};
use modelzoo_plugin_api::prelude::*;

/// The names of ImageNet's classes, a line each.
const CLASSES: &str = include_str!("classes.txt");

/// `(byte - 127) / 128`, as it was trained with.
const NORMALIZATION: Normalization = Normalization {
    divisor: Divisor::Fixed(1.0),
    mean: [127.0; 3],
    std: [128.0; 3],
};

/// What the network gives, in the order that it is asked for.
const OUTPUTS: [&str; 2] = ["logits", "features"];

pub struct EfficientNet {
    preprocessing: Preprocessing,
    network: Network,
    classifier: Classifier,
}

impl EfficientNet {
    pub fn new(weights: &Weights, placement: &Placement) -> Result<Self> {
        let network = efficientnet_lite0(weights, placement)?.with_outputs(&OUTPUTS)?;
        network.prepare()?;
        Ok(Self {
            preprocessing: Preprocessing::new()
                .resize_shorter_side(256)
                .filter(Filter::Bicubic)
                .center_crop([224, 224])
                .channels(ChannelOrder::Rgb)
                .normalize(NORMALIZATION),
            network,
            classifier: Classifier::new(CLASSES.lines()),
        })
    }

    /// One of the network's outputs for each picture; a picture that cannot be used has its error in its place.
    fn rows(&self, images: &[Image<'_>], output: usize) -> Result<Vec<Result<Vec<f32>>>> {
        let run = |batch: &Tensor| Ok(self.network.forward(batch)?[output].to_vec2::<f32>()?);
        self.preprocessing.run_batched(images, self.network.device(), run)
    }
}

impl Model for EfficientNet {
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
        let rows = self.rows(images, 0)?.into_iter();
        Ok(rows.map(|logits| logits.and_then(label)).collect())
    }

    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        self.embed_all(std::slice::from_ref(image))?.remove(0)
    }

    fn embed_all(&self, images: &[Image<'_>]) -> Result<Vec<Result<Array>>> {
        let array = |values: Vec<f32>| Array::new([values.len()], values);
        let rows = self.rows(images, 1)?.into_iter();
        Ok(rows.map(|values| values.and_then(array)).collect())
    }
}
