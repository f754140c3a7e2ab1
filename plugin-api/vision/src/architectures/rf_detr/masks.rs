//! Masks of RF-DETR's objects: features of pixels, with which each object is compared.
//!
//! Source: Robinson et al., "RF-DETR: Neural Architecture Search for Real-Time Detection Transformers" (2025), section 3; a block
//! is ConvNeXt's (Liu et al., "A ConvNet for the 2020s", 2022) with one linear layer; names: those of the published files.

use crate::{
    architectures::{activation::Activation, transformer},
    checkpoint::Checkpoint,
    repository::Config,
};
use modelzoo_candle::network::{Conv2d, Interpolation, NetworkBuilder, Parameters, Value};
use modelzoo_plugin_api::Result;

/// Before the names of all tensors.
pub(super) const ROOT: &str = "segmentation_head.";
/// Added to variances of pixels, and of objects.
const EPSILONS: [f32; 2] = [1e-6, 1e-5];

/// The settings of the head.
#[derive(Debug)]
pub(super) struct MaskHead {
    features: usize,
    blocks: usize,
    hidden: usize,
    /// A picture has so many times more rows and columns than masks have.
    ratio: usize,
    activation: Activation,
}

impl MaskHead {
    pub(super) fn read(config: &Config) -> Result<Self> {
        Ok(Self {
            features: config.count("d_model", 256)?,
            blocks: config.count("decoder_layers", 3)?,
            hidden: config.count("intermediate_size", 1024)?,
            ratio: config.count("mask_downsample_ratio", 4)?,
            activation: Activation::of(config, "segmentation_head_activation_function", Activation::Gelu)?,
        })
    }

    /// Tokens `[objects, features + 1]` and a map `[features + 1, height, width]`, whose products are the masks' logits.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        [map, objects]: [Value; 2],
        [height, width]: [usize; 2],
    ) -> Result<[Value; 2]> {
        let size = [height, width].map(|side| (side / self.ratio).max(1));
        let mut x = network.interpolate(map, size, Interpolation::Bilinear { align_corners: false })?;
        for block in 0..self.blocks {
            x = self.block(network, &format!("{ROOT}blocks.{block}"), x, size)?;
        }
        let last = Conv2d::new(self.features, 1);
        let x = network.conv2d(&format!("{ROOT}spatial_features_proj"), x, last)?;
        // What is added to each logit is one more feature of each pixel, and 1 in each object.
        let bias = checkpoint.parameter(&format!("{ROOT}bias"), &[1])?.data()[0];
        let same = network.constant(&[1, size[0], size[1]], vec![bias; size[0] * size[1]])?;
        let pixels = network.cat(&[x, same])?;
        let objects = self.judge(network, objects)?;
        let count = network.dims(objects)?[0];
        let ones = network.constant(&[count, 1], vec![1.0; count])?;
        Ok([network.cat(&[objects, ones])?, pixels])
    }

    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        size: [usize; 2],
    ) -> Result<Value> {
        let around = Conv2d::new(self.features, 3).padding(1).groups(self.features);
        let x = network.conv2d(&format!("{name}.dwconv"), input, around)?;
        let x = network.to_tokens(x)?;
        let x = network.layer_norm(&format!("{name}.norm"), x, EPSILONS[0])?;
        let x = network.linear(&format!("{name}.pwconv1"), x, self.features)?;
        let x = self.activation.apply(network, x)?;
        let x = network.to_map(x, size)?;
        network.add(x, input)
    }

    /// What the features of a pixel are compared with.
    fn judge(&self, network: &mut NetworkBuilder<'_>, objects: Value) -> Result<Value> {
        let name = format!("{ROOT}query_features_block");
        let x = network.layer_norm(&format!("{name}.norm_in"), objects, EPSILONS[1])?;
        let layers = ["0", "2"].map(|layer| format!("{name}.layers.{layer}"));
        let layers = [layers[0].as_str(), layers[1].as_str()];
        let x = transformer::perceptron(network, layers, self.hidden, self.activation, x)?;
        let x = network.add(x, objects)?;
        network.linear(&format!("{ROOT}query_features_proj"), x, self.features)
    }
}
