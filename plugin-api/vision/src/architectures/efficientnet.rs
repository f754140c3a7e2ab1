//! EfficientNet, its Lite and V2, MobileNetV2 and MobileNetV3, as timm publishes them: kernels and widths are read off
//! the tensors; strides, activations and paddings are those of the names.
//!
//! Sources: Sandler et al., "MobileNetV2" (2018), table 2; Howard et al., "Searching for MobileNetV3" (2019), tables 1
//! and 2; Tan and Le, "EfficientNet" (2019), table 1, and "EfficientNetV2" (2021), table 4.

use super::{Architecture, Outputs, activation::Activation};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Padding, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// The strides of the stages of all but the small MobileNetV3.
const STRIDES: &[usize] = &[1, 2, 2, 2, 1, 2, 1];
/// The strides of the small MobileNetV3.
const SMALL_STRIDES: &[usize] = &[2, 2, 2, 1, 2, 1];

/// Parts of the names of relatives that compute something else.
const OTHERS: [&str; 8] = [
    "minimal",
    "_rw",
    "_pruned",
    "_es",
    "_el",
    "_em",
    "_cc_",
    "efficientnet_x",
];

/// More layers than any stage has.
const MOST_LAYERS: usize = 100;

/// What a name says.
#[derive(Clone, Copy, Debug)]
struct EfficientNet {
    image: [usize; 2],
    strides: &'static [usize],
    activation: Activation,
    /// So many stages have [`Activation::Relu`] instead.
    relu_stages: usize,
    /// MobileNetV3's factors of channels, and its last convolution behind the pooling.
    is_mobile_v3: bool,
    /// TensorFlow's padding, by which a result is as large as its operand divided by the stride, rounded up.
    pads_same: bool,
    epsilon: f64,
    classes: usize,
}

pub(super) fn timm(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let name = config.text("architecture")?.unwrap_or_default();
    if OTHERS.iter().any(|other| name.contains(other)) {
        return Err(config.unsupported(
            "architecture",
            "an EfficientNet, MobileNetV2 or MobileNetV3 that is known here",
        ));
    }
    let is_tensorflow = name.starts_with("tf_");
    let is_mobile_v3 = name.contains("mobilenetv3");
    let is_small = name.contains("mobilenetv3_small");
    let [_, height, width] = repository.processor.counts_of("input_size", [3, 224, 224])?;
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(EfficientNet {
        image: [height, width],
        strides: if is_small { SMALL_STRIDES } else { STRIDES },
        activation: if is_mobile_v3 {
            Activation::HardSwish
        } else if name.contains("lite") || name.contains("mobilenetv2") {
            Activation::Relu6
        } else {
            Activation::Silu
        },
        relu_stages: match (is_mobile_v3, is_small) {
            (false, _) => 0,
            (true, false) => 3,
            (true, true) => 2,
        },
        is_mobile_v3,
        pads_same: is_tensorflow,
        epsilon: if is_tensorflow { 1e-3 } else { 1e-5 },
        classes: names.map_or(0, |names| names.len()),
    }))
}

impl Architecture for EfficientNet {
    fn image_size(&self) -> [usize; 2] {
        self.image
    }

    fn depends_on_size(&self) -> bool {
        self.pads_same
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let described = Described {
            settings: self,
            checkpoint,
        };
        let x = described.convolve(network, "conv_stem", image, 2)?;
        let mut x = described.normalise(network, "bn1", x, Some(self.activation))?;
        for (stage, &stride) in self.strides.iter().enumerate() {
            let activation = if stage < self.relu_stages {
                Activation::Relu
            } else {
                self.activation
            };
            for layer in 0..MOST_LAYERS {
                let name = format!("blocks.{stage}.{layer}");
                if !checkpoint.has_any(&format!("{name}.")) {
                    break;
                }
                let stride = if layer == 0 { stride } else { 1 };
                x = described.block(network, &name, x, stride, activation)?;
            }
            network.alias(&format!("blocks.{stage}"), x)?;
        }
        let embedding = if self.is_mobile_v3 {
            let pooled = network.adaptive_avg_pool2d(x, [1, 1])?;
            let channels = described.weight("conv_head")?[0];
            let x = network.conv2d("conv_head", pooled, Conv2d::new(channels, 1))?;
            let x = self.activation.apply(network, x)?;
            network.flatten(x)?
        } else {
            let x = described.convolve(network, "conv_head", x, 1)?;
            let x = described.normalise(network, "bn2", x, Some(self.activation))?;
            let pooled = network.adaptive_avg_pool2d(x, [1, 1])?;
            network.flatten(pooled)?
        };
        let logits = if checkpoint.has("classifier.weight") {
            Some(network.linear("classifier", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

/// The tensors of a network, by which its layers are described.
struct Described<'a> {
    settings: &'a EfficientNet,
    checkpoint: &'a Checkpoint,
}

impl Described<'_> {
    /// A block of any kind, told by the names of its tensors; it adds its operand where the shape allows it.
    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        stride: usize,
        activation: Activation,
    ) -> Result<Value> {
        let has = |part: &str| self.checkpoint.has(&format!("{name}.{part}.weight"));
        let part = |part: &str| format!("{name}.{part}");
        let x = if has("conv_pwl") && has("conv_dw") {
            let x = self.convolve(network, &part("conv_pw"), input, 1)?;
            let x = self.normalise(network, &part("bn1"), x, Some(activation))?;
            let x = self.convolve(network, &part("conv_dw"), x, stride)?;
            let x = self.normalise(network, &part("bn2"), x, Some(activation))?;
            let x = self.excite(network, &part("se"), x, activation)?;
            let x = self.convolve(network, &part("conv_pwl"), x, 1)?;
            self.normalise(network, &part("bn3"), x, None)?
        } else if has("conv_exp") {
            let x = self.convolve(network, &part("conv_exp"), input, stride)?;
            let x = self.normalise(network, &part("bn1"), x, Some(activation))?;
            let x = self.excite(network, &part("se"), x, activation)?;
            let x = self.convolve(network, &part("conv_pwl"), x, 1)?;
            self.normalise(network, &part("bn2"), x, None)?
        } else if has("conv_dw") {
            let x = self.convolve(network, &part("conv_dw"), input, stride)?;
            let x = self.normalise(network, &part("bn1"), x, Some(activation))?;
            let x = self.excite(network, &part("se"), x, activation)?;
            let x = self.convolve(network, &part("conv_pw"), x, 1)?;
            self.normalise(network, &part("bn2"), x, None)?
        } else {
            let x = self.convolve(network, &part("conv"), input, stride)?;
            self.normalise(network, &part("bn1"), x, Some(activation))?
        };
        let x = if network.dims(x)? == network.dims(input)? {
            network.add(x, input)?
        } else {
            x
        };
        network.alias(name, x)?;
        Ok(x)
    }

    /// Squeeze and excitation, where a block has it.
    fn excite(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        activation: Activation,
    ) -> Result<Value> {
        if !self.checkpoint.has_any(&format!("{name}.")) {
            return Ok(x);
        }
        let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
        let squeezed = self.weight(&format!("{name}.conv_reduce"))?[0];
        let factors = network.conv2d(&format!("{name}.conv_reduce"), mean, Conv2d::new(squeezed, 1))?;
        let is_mobile_v3 = self.settings.is_mobile_v3;
        let inner = if is_mobile_v3 {
            Activation::Relu
        } else {
            activation
        };
        let factors = inner.apply(network, factors)?;
        let channels = network.channels(x)?;
        let factors = network.conv2d(&format!("{name}.conv_expand"), factors, Conv2d::new(channels, 1))?;
        let factors = if is_mobile_v3 {
            network.hardsigmoid(factors)?
        } else {
            network.sigmoid(factors)?
        };
        network.mul(x, factors)
    }

    fn normalise(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        activation: Option<Activation>,
    ) -> Result<Value> {
        let x = network.batch_norm_with_epsilon(name, x, self.settings.epsilon)?;
        match activation {
            Some(activation) => activation.apply(network, x),
            None => Ok(x),
        }
    }

    /// A convolution without a bias whose kernel, channels and groups are those of its weight.
    fn convolve(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        stride: usize,
    ) -> Result<Value> {
        let [outputs, inputs, height, width] = self.weight(name)?;
        let dims = network.dims(x)?;
        if height != width || inputs == 0 || dims[0] % inputs != 0 {
            return Err(unfit(name, [outputs, inputs, height, width]));
        }
        let padding = if self.settings.pads_same {
            same([dims[1], dims[2]], height, stride)
        } else {
            Padding::all(height / 2)
        };
        let settings = Conv2d::new(outputs, height)
            .stride(stride)
            .uneven_padding(padding)
            .groups(dims[0] / inputs)
            .without_bias();
        network.conv2d(name, x, settings)
    }

    fn weight(&self, name: &str) -> Result<[usize; 4]> {
        let Some(dims) = self.checkpoint.dims(&format!("{name}.weight")) else {
            // Says that it is missing.
            return self.checkpoint.tensor(&format!("{name}.weight")).map(|_| [0; 4]);
        };
        dims.try_into().map_err(|dims: Vec<usize>| unfit(name, dims))
    }
}

/// TensorFlow's `SAME`: as many zeros as the last window needs, the odd one at the bottom and the right.
fn same(size: [usize; 2], kernel: usize, stride: usize) -> Padding {
    let [rows, columns] = size.map(|length| {
        let windows = length.div_ceil(stride);
        ((windows - 1) * stride + kernel).saturating_sub(length)
    });
    Padding {
        top: rows / 2,
        bottom: rows - rows / 2,
        left: columns / 2,
        right: columns - columns / 2,
    }
}

fn unfit(name: &str, dims: impl std::fmt::Debug) -> Error {
    Error::new(format!(
        "tensor `{name}.weight` has dimensions {dims:?}, which are no EfficientNet's"
    ))
    .with_kind(ErrorKind::Weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_tensorflow_s() {
        let sides = |size, kernel, stride| {
            let Padding {
                top,
                bottom,
                left,
                right,
            } = same(size, kernel, stride);
            [top, bottom, left, right]
        };
        assert_eq!(sides([224, 225], 3, 2), [0, 1, 1, 1]);
        assert_eq!(sides([7, 7], 5, 1), [2, 2, 2, 2]);
        assert_eq!(sides([8, 8], 1, 2), [0, 0, 0, 0]);
    }
}
