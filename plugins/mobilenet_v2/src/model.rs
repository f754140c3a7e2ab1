//! The model: pictures in, labels and embeddings out.

use crate::{Settings, network::mobilenet_v2};
use modelzoo_candle::{
    device::Placement,
    image::{Normalization, Preprocessing},
    pictures::PictureClassifier,
    weights::Weights,
};
use modelzoo_plugin_api::Result;

/// The names of ImageNet's classes, a line each.
const CLASSES: &str = include_str!("classes.txt");

/// MobileNetV2 with its preprocessing and classes.
///
/// # Errors
/// When the weights are not those of torchvision's `mobilenet_v2`, or there is no such layer for embeddings.
pub fn model(weights: &Weights, placement: &Placement, settings: &Settings) -> Result<PictureClassifier> {
    let outputs = ["logits", &settings.embeddings_layer];
    let network = mobilenet_v2(weights, placement)?.with_outputs(&outputs)?;
    let preprocessing = Preprocessing::new()
        .resize_shorter_side(256)
        .center_crop([224, 224])
        .normalize(Normalization::IMAGENET);
    PictureClassifier::new(preprocessing, network, CLASSES.lines())
}
