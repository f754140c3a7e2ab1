//! MobileNetV2 as transformers publishes it, for classes and, with DeepLab's head, for a class for each pixel.
//!
//! Sources: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), table 2 and section 6.3;
//! names and defaults: those of transformers' `MobileNetV2Config`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    layers::{Layers, Steps},
    transformer,
};
use crate::{
    checkpoint::Checkpoint,
    repository::{self, Repository},
};
use modelzoo_candle::network::{Interpolation, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Before the names of all tensors but the classifier's, where there is one.
const ROOT: &str = "mobilenet_v2.";

/// The strides of the blocks behind the stem.
const STRIDES: [usize; 16] = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1];

/// What is added to the variances of the segmenter's head.
const HEAD_EPSILON: f64 = 1e-5;

struct MobileNetV2 {
    image: [usize; 2],
    /// A picture is at most so many times larger than the last map: from there on filters are dilated instead.
    output_stride: usize,
    activation: Activation,
    pads_same: bool,
    epsilon: f64,
    classes: usize,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    let names = repository::class_names(repository)?;
    Ok(Box::new(MobileNetV2 {
        image: config.size("image_size", [224; 2])?,
        output_stride: config.count("output_stride", 32)?,
        activation: Activation::of(config, "hidden_act", Activation::Relu6)?,
        pads_same: config.flag("tf_padding", true)?,
        epsilon: config.epsilon("layer_norm_eps", 1e-3)?,
        classes: names.map_or(2, |names| names.len()),
    }))
}

impl Architecture for MobileNetV2 {
    fn image_size(&self) -> [usize; 2] {
        self.image
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let described = Described {
            settings: self,
            layers: Layers {
                checkpoint,
                epsilon: self.epsilon,
            },
        };
        let root = if checkpoint.has_any(ROOT) { ROOT } else { "" };
        let map = described.body(network, root, image)?;
        let last = format!("{root}conv_1x1");
        if checkpoint.has_any("segmentation_head.") {
            // Only classifiers need it.
            checkpoint.leave_out(&last);
            return described.segment(network, map);
        }
        let x = described.active(network, &last, map, Steps::ONE)?;
        let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
        let embedding = network.flatten(mean)?;
        let logits = if checkpoint.has("classifier.weight") {
            Some(network.linear("classifier", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

/// A network with its tensors.
struct Described<'a> {
    settings: &'a MobileNetV2,
    layers: Layers<'a>,
}

impl Described<'_> {
    /// The map before the last convolution of single pixels.
    fn body(&self, network: &mut NetworkBuilder<'_>, root: &str, image: Value) -> Result<Value> {
        let stem = format!("{root}conv_stem");
        let x = self.active(network, &format!("{stem}.first_conv"), image, Steps::of(2))?;
        let mut x = self.block(network, &stem, x, Steps::ONE)?;
        let (mut reached, mut dilation) = (2, 1);
        for (index, stride) in STRIDES.into_iter().enumerate() {
            let steps = if reached >= self.settings.output_stride {
                let steps = Steps::ONE.dilation(dilation);
                dilation *= stride;
                steps
            } else {
                reached *= stride;
                Steps::of(stride)
            };
            let name = format!("{root}layer.{index}");
            let narrowed = self.block(network, &name, x, steps)?;
            let is_shortened = network.dims(narrowed)? == network.dims(x)?;
            x = if is_shortened {
                network.add(narrowed, x)?
            } else {
                narrowed
            };
            network.alias(&name, x)?;
        }
        Ok(x)
    }

    /// Wider, filtered, narrower; the stem's does not widen.
    fn block(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value, steps: Steps) -> Result<Value> {
        let widening = format!("{name}.expand_1x1");
        let x = if self.layers.has(&format!("{widening}.convolution")) {
            self.active(network, &widening, x, Steps::ONE)?
        } else {
            x
        };
        let x = self.active(network, &format!("{name}.conv_3x3"), x, steps)?;
        self.normed(network, &format!("{name}.reduce_1x1"), x, Steps::ONE)
    }

    fn active(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value, steps: Steps) -> Result<Value> {
        let x = self.normed(network, name, x, steps)?;
        self.settings.activation.apply(network, x)
    }

    fn normed(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value, steps: Steps) -> Result<Value> {
        let names = ["convolution", "normalization"].map(|part| format!("{name}.{part}"));
        let steps = steps.same(self.settings.pads_same);
        self.layers.normed(network, [&names[0], &names[1]], x, steps)
    }

    /// DeepLab's head: the map beside its mean.
    fn segment(&self, network: &mut NetworkBuilder<'_>, map: Value) -> Result<Outputs> {
        let layers = Layers {
            epsilon: HEAD_EPSILON,
            ..self.layers
        };
        let convolve = |network: &mut NetworkBuilder<'_>, part: &str, x: Value| {
            let names =
                ["convolution", "normalization"].map(|layer| format!("segmentation_head.{part}.{layer}"));
            let x = layers.normed(network, [&names[0], &names[1]], x, Steps::ONE)?;
            network.relu(x)
        };
        let mean = network.adaptive_avg_pool2d(map, [1, 1])?;
        let mean = convolve(network, "conv_pool", mean)?;
        let whole = Interpolation::Bilinear { align_corners: true };
        let mean = network.interpolate_like(mean, map, whole)?;
        let local = convolve(network, "conv_aspp", map)?;
        let x = network.cat(&[mean, local])?;
        let x = convolve(network, "conv_projection", x)?;
        Ok(Outputs::Segmentation {
            logits: layers.convolve(network, "segmentation_head.classifier.convolution", x, Steps::ONE)?,
        })
    }
}
