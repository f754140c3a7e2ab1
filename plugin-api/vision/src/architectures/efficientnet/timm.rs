//! As timm publishes it, with its Lite and V2, and MobileNetV2 to V4: kernels and widths are read off the tensors;
//! strides, activations and paddings are those of the names.

use super::attention;
use crate::{
    architectures::{
        Architecture, Outputs,
        activation::Activation,
        excitation::{Excitation, excite},
        layers::{Layers, Steps},
        transformer,
    },
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// The strides of the stages of all but the small MobileNetV3.
const STRIDES: &[usize] = &[1, 2, 2, 2, 1, 2, 1];
/// The strides of the small MobileNetV3.
const SMALL_STRIDES: &[usize] = &[2, 2, 2, 1, 2, 1];

/// Those of MobileNetV4.
const FOURTH_STRIDES: &[usize] = &[2, 2, 2, 2, 1];

/// Parts of the names of relatives that compute something else.
const OTHERS: [&str; 10] = [
    "_aa_",
    "_blur_",
    "minimal",
    "mobilenetv3_rw",
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
    /// MobileNetV3's factors of channels.
    is_mobile_v3: bool,
    /// MobileNetV4's convolutions without shortcuts.
    is_mobile_v4: bool,
    /// TensorFlow's padding, by which a result is as large as its operand divided by the stride, rounded up.
    pads_same: bool,
    epsilon: f64,
    classes: usize,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let name = config.text("architecture")?.unwrap_or_default();
    if OTHERS.iter().any(|other| name.contains(other)) {
        return Err(config.unsupported(
            "architecture",
            "an EfficientNet or a MobileNetV2, V3 or V4 that is known here",
        ));
    }
    let is_tensorflow = name.starts_with("tf_");
    let is_mobile_v3 = name.contains("mobilenetv3");
    let is_mobile_v4 = name.contains("mobilenetv4");
    let is_small = name.contains("mobilenetv3_small");
    let [_, height, width] = repository.processor.counts_of("input_size", [3, 224, 224])?;
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(EfficientNet {
        image: [height, width],
        strides: match (is_mobile_v4, is_small) {
            (true, _) => FOURTH_STRIDES,
            (false, true) => SMALL_STRIDES,
            (false, false) => STRIDES,
        },
        activation: if name.contains("hybrid_large") {
            Activation::Gelu
        } else if is_mobile_v4 {
            Activation::Relu
        } else if is_mobile_v3 {
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
        is_mobile_v4,
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
        // Where it attends, tokens are made maps of sizes that the description names.
        self.is_mobile_v4
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
        let embedding = if self.is_mobile_v3 || self.is_mobile_v4 {
            let pooled = network.adaptive_avg_pool2d(x, [1, 1])?;
            let x = described.convolve(network, "conv_head", pooled, 1)?;
            let x = if described.layers.has("norm_head") {
                described.normalise(network, "norm_head", x, None)?
            } else {
                x
            };
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
    layers: Layers<'a>,
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
        let has = |part: &str| self.layers.has(&format!("{name}.{part}"));
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
        } else if has("attn.query.proj") {
            attention::describe(network, self.layers, name, input)?
        } else if has("pw_exp.conv") {
            self.universal(network, name, input, stride, activation)?
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
        let has_shortcut = !(self.settings.is_mobile_v4 && has("conv"));
        let x = if has_shortcut && network.dims(x)? == network.dims(input)? {
            network.add(x, input)?
        } else {
            x
        };
        network.alias(name, x)?;
        Ok(x)
    }

    /// MobileNetV4's block, which filters before it widens, behind that, both or not at all.
    fn universal(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        stride: usize,
        activation: Activation,
    ) -> Result<Value> {
        let filters_wide = self.layers.has(&format!("{name}.dw_mid.conv"));
        let layers = [
            ("dw_start", if filters_wide { 1 } else { stride }, None),
            ("pw_exp", 1, Some(activation)),
            ("dw_mid", stride, Some(activation)),
            ("pw_proj", 1, None),
        ];
        let mut x = input;
        for (part, stride, activation) in layers {
            let [convolution, norm] = ["conv", "bn"].map(|layer| format!("{name}.{part}.{layer}"));
            if part.starts_with("dw_") && !self.layers.has(&convolution) {
                continue;
            }
            x = self.convolve(network, &convolution, x, stride)?;
            x = self.normalise(network, &norm, x, activation)?;
        }
        let scale = format!("{name}.layer_scale.gamma");
        if self.layers.checkpoint.has(&scale) {
            return transformer::layer_scale(network, &scale, x);
        }
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
        if !self.layers.checkpoint.has_any(&format!("{name}.")) {
            return Ok(x);
        }
        let names = ["conv_reduce", "conv_expand"].map(|part| format!("{name}.{part}"));
        let excitation = if self.settings.is_mobile_v3 {
            Excitation::Hard
        } else {
            Excitation::Smooth(activation)
        };
        excite(network, self.layers, [&names[0], &names[1]], x, excitation)
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

    fn convolve(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        stride: usize,
    ) -> Result<Value> {
        let steps = Steps::of(stride).same(self.settings.pads_same);
        self.layers.convolve(network, name, x, steps)
    }
}
