//! From a picture to one map: several layers of DINOv2, put together by convolutions.

use crate::{
    architectures::{
        activation::Activation,
        dinov2::{Dinov2, Windows},
        transformer,
    },
    checkpoint::Checkpoint,
    repository::Config,
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Before the names of the backbone's tensors.
const BACKBONE: &str = "backbone.0.encoder.encoder.";
/// Before the names of the projector's tensors.
const PROJECTOR: &str = "backbone.0.projector.stages.0";
/// Added to variances behind the projector.
const EPSILON: f32 = 1e-6;

/// The settings of backbone and projector.
pub(super) struct Features {
    backbone: Dinov2,
    /// The layers, counted from 1, whose tokens are used.
    taken: Vec<usize>,
    normalises: bool,
    windows: Windows,
    features: usize,
    /// Of the convolutions within the projector.
    narrow: usize,
    blocks: usize,
    activation: Activation,
    epsilon: f32,
}

impl Features {
    pub(super) fn read(config: &Config) -> Result<Self> {
        let section = config.section_or_empty("backbone_config")?;
        if section
            .text("model_type")?
            .is_some_and(|kind| kind != "rf_detr_dinov2")
        {
            return Err(section.unsupported("model_type", "\"rf_detr_dinov2\""));
        }
        let taken = section.counts("out_indices", &[2, 5, 8, 11])?;
        let layers = section.count("num_hidden_layers", 12)?;
        let last = taken.iter().copied().max().unwrap_or(layers);
        if last > layers {
            return Err(section.wrong("out_indices", &format!("a list of numbers up to {layers}")));
        }
        let windows = Windows {
            count: section.count("num_windows", 4)?,
            open: taken.clone(),
        };
        let features = config.count("d_model", 256)?;
        let expansion = config.number("hidden_expansion")?.unwrap_or(0.5);
        if !(0.01..=16.0).contains(&expansion) {
            return Err(config.wrong("hidden_expansion", "a number from 0.01 to 16"));
        }
        Ok(Self {
            backbone: Dinov2::read(&section)?.in_windows(windows.clone(), last),
            taken,
            normalises: section.flag("apply_layernorm", true)?,
            windows,
            features,
            narrow: ((features as f64 * expansion) as usize).max(1),
            blocks: config.count("c2f_num_blocks", 3)?,
            activation: Activation::of(config, "activation_function", Activation::Silu)?,
            epsilon: config.epsilon("layer_norm_eps", 1e-5)? as f32,
        })
    }

    pub(super) fn image_size(&self) -> [usize; 2] {
        self.backbone.image_size()
    }

    /// The map `[features, rows, columns]` of a picture.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Value> {
        // What masks in training, and layers behind the last one that is used.
        checkpoint.leave_out(&format!("{BACKBONE}embeddings.mask_token"));
        checkpoint.leave_out(&format!("{BACKBONE}encoder.layer."));
        checkpoint.leave_out(&format!("{BACKBONE}layernorm."));
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], self.backbone.patch())?;
        let layers = self.backbone.layers(network, checkpoint, BACKBONE, image)?;
        let patches = self.windows.patches(grid)?;
        let mut maps = Vec::new();
        for &layer in &self.taken {
            let mut x = layers[layer];
            if self.normalises {
                let name = format!("{BACKBONE}layernorm");
                let parameters = ["weight", "bias"].map(|part| format!("{name}.{part}"));
                let parameters = [parameters[0].as_str(), parameters[1].as_str()];
                let name = format!("{name} of layer {layer}");
                x = network.layer_norm_of(&name, x, parameters, self.backbone.epsilon())?;
            }
            let x = network.take_tokens(x, patches.clone())?;
            maps.push(network.to_map(x, grid)?);
        }
        let x = network.cat(&maps)?;
        let x = self.projector(network, x)?;
        network.layer_norm(&format!("{PROJECTOR}.1"), x, EPSILON)
    }

    /// A block whose parts see what those before them made, and all of which is put together.
    fn projector(&self, network: &mut NetworkBuilder<'_>, x: Value) -> Result<Value> {
        let root = format!("{PROJECTOR}.0");
        let x = self.convolution(
            network,
            &format!("{root}.cv1"),
            x,
            Conv2d::new(2 * self.narrow, 1),
        )?;
        let mut parts = Vec::from(network.halves(x)?);
        let wide = Conv2d::new(self.narrow, 3).padding(1);
        for block in 0..self.blocks {
            let mut x = parts[parts.len() - 1];
            for part in ["cv1", "cv2"] {
                x = self.convolution(network, &format!("{root}.m.{block}.{part}"), x, wide)?;
            }
            parts.push(x);
        }
        let x = network.cat(&parts)?;
        self.convolution(network, &format!("{root}.cv2"), x, Conv2d::new(self.features, 1))
    }

    fn convolution(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        convolution: Conv2d,
    ) -> Result<Value> {
        let x = network.conv2d(&format!("{name}.conv"), x, convolution.without_bias())?;
        let x = network.layer_norm(&format!("{name}.bn"), x, self.epsilon)?;
        self.activation.apply(network, x)
    }
}
