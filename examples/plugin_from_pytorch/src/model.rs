//! The model: pictures in, labels and embeddings out.

use crate::network::efficientnet_lite0;
use modelzoo_candle::{
    device::Placement,
    image::{ChannelOrder, Divisor, Filter, Normalization, Preprocessing},
    pictures::PictureClassifier,
    weights::Weights,
};
use modelzoo_plugin_api::Result;

/// The names of ImageNet's classes, a line each.
const CLASSES: &str = include_str!("classes.txt");

/// `(byte - 127) / 128`, as it was trained with.
const NORMALIZATION: Normalization = Normalization {
    divisor: Divisor::Fixed(1.0),
    mean: [127.0; 3],
    std: [128.0; 3],
};

/// EfficientNet-Lite0 with its preprocessing and classes; its features are what `modelzoo embed` gives.
pub fn model(weights: &Weights, placement: &Placement) -> Result<PictureClassifier> {
    let network = efficientnet_lite0(weights, placement)?.with_outputs(&["logits", "features"])?;
    let preprocessing = Preprocessing::new()
        .resize_shorter_side(256)
        .filter(Filter::Bicubic)
        .center_crop([224, 224])
        .channels(ChannelOrder::Rgb)
        .normalize(NORMALIZATION);
    PictureClassifier::new(preprocessing, network, CLASSES.lines())
}
