//! PP-OCR's networks that read a line of text: how likely each character is at each place of it.
//!
//! Source: Du et al., "SVTR: Scene Text Recognition with a Single Visual Model" (2022), and PaddleOCR's PP-OCRv5 (Cui et al.,
//! "PaddleOCR 3.0 Technical Report", 2025); names and defaults: those of transformers' `PPOCRV5MobileRecConfig`.

use super::{
    super::{Architecture, Outputs, activation::Activation},
    Backbone, same,
};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Padding, Pool, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

struct TextReader {
    backbone: Backbone,
    features: usize,
    hidden: usize,
    depth: usize,
    heads: usize,
    kernel: [usize; 2],
    activation: Activation,
    epsilon: f32,
    has_bias: bool,
    characters: usize,
}

pub(in crate::architectures) fn recognition(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let features = config.count("hidden_size", 120)?;
    let heads = config.count("num_attention_heads", 8)?;
    if features % heads != 0 {
        return Err(config.wrong("num_attention_heads", "a divisor of `hidden_size`"));
    }
    let ratio = config.number("mlp_ratio")?.unwrap_or(2.0);
    if !(0.01..=64.0).contains(&ratio) {
        return Err(config.wrong("mlp_ratio", "a number from 0.01 to 64"));
    }
    let kernel = config.counts_of("conv_kernel_size", [1, 3])?;
    if kernel.iter().any(|side| side % 2 == 0) {
        return Err(config.unsupported("conv_kernel_size", "two odd numbers"));
    }
    Ok(Box::new(TextReader {
        backbone: Backbone::read(config)?,
        features,
        hidden: ((features as f64 * ratio) as usize).max(1),
        depth: config.count("depth", 2)?,
        heads,
        kernel,
        activation: Activation::of(config, "hidden_act", Activation::Silu)?,
        epsilon: config.epsilon("layer_norm_eps", 1e-6)? as f32,
        has_bias: config.flag("qkv_bias", true)?,
        characters: config.count("head_out_channels", 18385)?,
    }))
}

impl Architecture for TextReader {
    fn image_size(&self) -> [usize; 2] {
        [48, 320]
    }

    fn depends_on_size(&self) -> bool {
        // Tokens are made maps of sizes that the description names.
        true
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        const POOL: Pool = Pool {
            kernel: [3, 2],
            stride: [3, 2],
            padding: Padding::all(0),
            ceil_mode: false,
        };
        let maps = self.backbone.stages(network, checkpoint, image)?;
        let map = maps.last().copied().unwrap_or(image);
        let residual = network.avg_pool2d(map, POOL, true)?;
        let dims = network.dims(residual)?;
        if dims[1] != 1 {
            return Err(Error::new(format!(
                "a line of text must become one row of places, but {} come of a picture of these rows",
                dims[1]
            ))
            .with_kind(ErrorKind::InvalidInput)
            .with_hint("the height that the model was published with is 48 pixels"));
        }
        let channels = dims[0];
        let eighth = (channels / 8).max(1);
        let x = self.convolve(network, 0, residual, same(eighth, self.kernel))?;
        let x = self.convolve(network, 1, x, Conv2d::new(self.features, 1))?;
        let mut x = network.to_tokens(x)?;
        for layer in 0..self.depth {
            x = self.block(network, &format!("head.encoder.svtr_block.{layer}"), x)?;
        }
        let x = network.layer_norm("head.encoder.norm", x, self.epsilon)?;
        let x = network.to_map(x, [dims[1], dims[2]])?;
        let x = self.convolve(network, 2, x, Conv2d::new(channels, 1))?;
        let both = network.cat(&[residual, x])?;
        let x = self.convolve(network, 3, both, same(eighth, self.kernel))?;
        let x = self.convolve(network, 4, x, Conv2d::new(self.features, 1))?;
        let x = network.to_tokens(x)?;
        let logits = network.linear("head.head", x, self.characters)?;
        Ok(Outputs::Text {
            probabilities: network.softmax(logits)?,
        })
    }
}

impl TextReader {
    fn convolve(
        &self,
        network: &mut NetworkBuilder<'_>,
        index: usize,
        x: Value,
        settings: Conv2d,
    ) -> Result<Value> {
        let name = format!("head.encoder.conv_block.{index}");
        let x = network.conv2d(&format!("{name}.convolution"), x, settings.without_bias())?;
        let x = network.batch_norm(&format!("{name}.normalization"), x)?;
        // The convolutions keep their own function, whatever that of the blocks between them is.
        network.silu(x)
    }

    fn block(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let x = network.layer_norm(&format!("{name}.layer_norm1"), input, self.epsilon)?;
        let all = format!("{name}.self_attn.qkv");
        let all = if self.has_bias {
            network.linear(&all, x, 3 * self.features)?
        } else {
            network.linear_without_bias(&all, x, 3 * self.features)?
        };
        let mut parts = [all; 3];
        for (index, part) in parts.iter_mut().enumerate() {
            *part = network.narrow(all, index * self.features, self.features)?;
        }
        let x = network.attention(parts, self.heads)?;
        let x = network.linear(&format!("{name}.self_attn.projection"), x, self.features)?;
        let input = network.add(input, x)?;
        let x = network.layer_norm(&format!("{name}.layer_norm2"), input, self.epsilon)?;
        let x = network.linear(&format!("{name}.mlp.fc1"), x, self.hidden)?;
        let x = self.activation.apply(network, x)?;
        let x = network.linear(&format!("{name}.mlp.fc2"), x, self.features)?;
        network.add(input, x)
    }
}
