//! PP-OCR's networks that read a line of text: how likely each character is at each place of it.
//!
//! Source: Du et al., "SVTR: Scene Text Recognition with a Single Visual Model" (2022), and PaddleOCR's PP-OCRv5 (Cui et al.,
//! "PaddleOCR 3.0 Technical Report", 2025); names and defaults: those of transformers' `PPOCRV5MobileRecConfig`.

use super::{
    super::{Architecture, Outputs, activation::Activation, transformer},
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
    /// Whether it is one of the sixth version, which adds where the fifth one puts side by side.
    adds: bool,
    characters: usize,
}

pub(in crate::architectures) fn recognition(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let features = config.count("hidden_size", 120)?;
    let heads = config.count("num_attention_heads", 8)?;
    if features % heads != 0 {
        return Err(config.wrong("num_attention_heads", "a divisor of `hidden_size`"));
    }
    let ratio = transformer::hidden_ratio(config, 2.0)?;
    let adds = config.text("model_type")? == Some("pp_ocrv6_small_rec");
    let kernel = config.counts_of("conv_kernel_size", if adds { [1, 7] } else { [1, 3] })?;
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
        adds,
        characters: config.count("head_out_channels", if adds { 18714 } else { 18385 })?,
    }))
}

impl Architecture for TextReader {
    fn image_size(&self) -> [usize; 2] {
        [48, 320]
    }

    fn depends_on_size(&self) -> bool {
        // Tokens are made maps of sizes that the description names.
        !self.adds
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let residual = places(&self.backbone, network, checkpoint, image)?;
        let x = if self.adds {
            self.add_up(network, residual)?
        } else {
            self.put_together(network, residual)?
        };
        let logits = network.linear("head.head", x, self.characters)?;
        Ok(Outputs::Text {
            probabilities: network.softmax(logits)?,
        })
    }
}

/// The map of a line, with one row.
pub(super) fn places(
    backbone: &Backbone,
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    image: Value,
) -> Result<Value> {
    const POOL: Pool = Pool {
        kernel: [3, 2],
        stride: [3, 2],
        padding: Padding::all(0),
        ceil_mode: false,
    };
    let maps = backbone.stages(network, checkpoint, image)?;
    let map = maps.last().copied().unwrap_or(image);
    let pooled = network.avg_pool2d(map, POOL, true)?;
    match network.dims(pooled)?[1] {
        1 => Ok(pooled),
        rows => Err(Error::new(format!(
            "a line of text must become one row of places, but {rows} come of a picture of these rows"
        ))
        .with_kind(ErrorKind::InvalidInput)
        .with_hint("the height that the model was published with is 48 pixels")),
    }
}

impl TextReader {
    /// What the layers of the fifth version make of a map, which they see twice.
    fn put_together(&self, network: &mut NetworkBuilder<'_>, residual: Value) -> Result<Value> {
        let dims = network.dims(residual)?;
        let channels = dims[0];
        let eighth = (channels / 8).max(1);
        let x = self.convolve(network, 0, residual, same(eighth, self.kernel))?;
        let x = self.convolve(network, 1, x, Conv2d::new(self.features, 1))?;
        let x = network.to_tokens(x)?;
        let x = self.transform(network, x)?;
        let x = network.to_map(x, [dims[1], dims[2]])?;
        let x = self.convolve(network, 2, x, Conv2d::new(channels, 1))?;
        let both = network.cat(&[residual, x])?;
        let x = self.convolve(network, 3, both, same(eighth, self.kernel))?;
        let x = self.convolve(network, 4, x, Conv2d::new(self.features, 1))?;
        network.to_tokens(x)
    }

    /// What the layers of the sixth version make of it.
    fn add_up(&self, network: &mut NetworkBuilder<'_>, map: Value) -> Result<Value> {
        let narrow = Conv2d::new(self.features, 1);
        let residual = self.convolve(network, 0, map, narrow)?;
        let x = self.convolve(network, 1, map, narrow)?;
        let around = same(self.features, self.kernel).groups(self.features);
        let beside = self.convolve(network, 2, x, around)?;
        let x = network.add(x, beside)?;
        let x = network.to_tokens(x)?;
        let x = self.transform(network, x)?;
        let residual = network.to_tokens(residual)?;
        network.add(x, residual)
    }

    fn transform(&self, network: &mut NetworkBuilder<'_>, x: Value) -> Result<Value> {
        let mut x = x;
        for layer in 0..self.depth {
            x = self.block(network, &format!("head.encoder.svtr_block.{layer}"), x)?;
        }
        network.layer_norm("head.encoder.norm", x, self.epsilon)
    }

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
        if self.adds {
            self.activation.apply(network, x)
        } else {
            // The convolutions keep their own function, whatever that of the blocks between them is.
            network.silu(x)
        }
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
