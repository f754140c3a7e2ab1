//! YOLOS: a vision transformer with tokens that become objects.
//!
//! Source: Fang et al., "You Only Look at One Sequence" (2021), section 3; names and defaults: those of transformers'
//! `YolosConfig`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    positions::{Positions, Resampling},
    transformer::{self, Projections},
};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

struct Yolos {
    image: [usize; 2],
    patch: [usize; 2],
    features: usize,
    hidden: usize,
    layers: usize,
    heads: usize,
    activation: Activation,
    bias: bool,
    epsilon: f32,
    objects: usize,
    /// Whether positions are added again behind each layer but the last.
    repeats_positions: bool,
    classes: usize,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    let features = config.count("hidden_size", 768)?;
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(Yolos {
        image: config.size("image_size", [512, 864])?,
        patch: config.size("patch_size", [16; 2])?,
        features,
        hidden: config.count("intermediate_size", 3072)?,
        layers: config.count("num_hidden_layers", 12)?,
        heads: transformer::heads(config, "num_attention_heads", 12, features)?,
        activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
        bias: config.flag("qkv_bias", true)?,
        epsilon: config.epsilon("layer_norm_eps", 1e-12)? as f32,
        objects: config.count("num_detection_tokens", 100)?,
        repeats_positions: config.flag("use_mid_position_embeddings", true)?,
        classes: names.map_or(2, |names| names.len()),
    }))
}

impl Architecture for Yolos {
    fn image_size(&self) -> [usize; 2] {
        self.image
    }

    fn depends_on_size(&self) -> bool {
        true
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let features = self.features;
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], self.patch)?;
        let projection = Conv2d::new(features, self.patch[0])
            .kernel(self.patch)
            .strides(self.patch);
        let patches = network.conv2d("vit.embeddings.patch_embeddings.projection", image, projection)?;
        let patches = network.to_tokens(patches)?;
        let class = network.parameter_view("vit.embeddings.cls_token", &[1, 1, features], &[1, features])?;
        let stored = [1, self.objects, features];
        let objects = network.parameter_view("vit.embeddings.detection_tokens", &stored, &stored[1..])?;
        let x = network.cat_tokens(&[class, patches, objects])?;

        let count = 1 + grid[0] * grid[1] + self.objects;
        let trained = self.positions("vit.embeddings.position_embeddings")?;
        let positions = network.constant(&[count, features], trained.values(checkpoint, grid)?)?;
        let mut x = network.add(x, positions)?;
        let mut repeated = Vec::new();
        if self.repeats_positions && self.layers > 1 {
            let trained = self.positions("vit.encoder.mid_position_embeddings")?;
            repeated = trained.values_of_layers(checkpoint, grid)?;
        }
        let mut repeated = repeated.into_iter();
        for layer in 0..self.layers {
            x = self.layer(network, &format!("vit.encoder.layer.{layer}"), x)?;
            if layer + 1 < self.layers
                && let Some(values) = repeated.next()
            {
                let positions = network.constant(&[count, features], values)?;
                x = network.add(x, positions)?;
            }
        }
        let x = network.layer_norm("vit.layernorm", x, self.epsilon)?;
        let objects = network.take_tokens(x, (count - self.objects..count).collect::<Vec<_>>())?;
        let logits =
            transformer::deep_perceptron(network, "class_labels_classifier", self.classes + 1, objects)?;
        Ok(Outputs::Objects {
            logits,
            boxes: transformer::box_head(network, objects)?,
            are_exclusive: true,
        })
    }
}

impl Yolos {
    fn positions<'a>(&self, name: &'a str) -> Result<Positions<'a>> {
        Ok(Positions {
            name,
            features: self.features,
            prefix: 1,
            suffix: self.objects,
            trained: Some(transformer::grid(self.image, self.patch)?),
            resampling: Resampling::Bicubic,
        })
    }

    fn layer(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let x = network.layer_norm(&format!("{name}.layernorm_before"), input, self.epsilon)?;
        let projections = ["query", "key", "value"].map(|part| format!("{name}.attention.attention.{part}"));
        let projections = Projections::Apart([&projections[0], &projections[1], &projections[2]]);
        let x = transformer::self_attention(network, projections, self.bias, self.heads, x)?;
        let x = network.linear(&format!("{name}.attention.output.dense"), x, self.features)?;
        let attended = network.add(x, input)?;
        let x = network.layer_norm(&format!("{name}.layernorm_after"), attended, self.epsilon)?;
        let dense = ["intermediate", "output"].map(|part| format!("{name}.{part}.dense"));
        let x = transformer::perceptron(network, [&dense[0], &dense[1]], self.hidden, self.activation, x)?;
        network.add(x, attended)
    }
}
