//! As transformers publishes it.

use super::rotation::Heads;
use crate::{
    architectures::{
        Architecture, Outputs,
        activation::Activation,
        transformer::{self, linear},
    },
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Rotation, Value};
use modelzoo_plugin_api::Result;

struct Dinov3 {
    image: [usize; 2],
    patch: [usize; 2],
    features: usize,
    hidden: usize,
    layers: usize,
    heads: Heads,
    registers: usize,
    activation: Activation,
    is_gated: bool,
    /// Whether queries, keys, values, their results and perceptrons have biases.
    biases: Biases,
    epsilon: f32,
}

#[derive(Clone, Copy, Debug)]
struct Biases {
    queries: bool,
    keys: bool,
    values: bool,
    projection: bool,
    perceptron: bool,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    let features = config.count("hidden_size", 384)?;
    let heads = transformer::heads(config, "num_attention_heads", 6, features)?;
    if !(features / heads).is_multiple_of(4) {
        return Err(config.wrong(
            "num_attention_heads",
            "a number of heads with a multiple of 4 features each",
        ));
    }
    let base = config.number("rope_theta")?.unwrap_or(100.0);
    if !(1.0..=1e9).contains(&base) {
        return Err(config.wrong("rope_theta", "a number from 1 to 1e9"));
    }
    Ok(Box::new(Dinov3 {
        image: config.size("image_size", [224; 2])?,
        patch: config.size("patch_size", [16; 2])?,
        features,
        hidden: config.count("intermediate_size", 1536)?,
        layers: config.count("num_hidden_layers", 12)?,
        heads: Heads {
            count: heads,
            features: features / heads,
            base,
        },
        registers: config.count_or_none("num_register_tokens", 0)?,
        activation: Activation::of(config, "hidden_act", Activation::Gelu)?,
        is_gated: config.flag("use_gated_mlp", false)?,
        biases: Biases {
            queries: config.flag("query_bias", true)?,
            keys: config.flag("key_bias", false)?,
            values: config.flag("value_bias", true)?,
            projection: config.flag("proj_bias", true)?,
            perceptron: config.flag("mlp_bias", true)?,
        },
        epsilon: config.epsilon("layer_norm_eps", 1e-5)? as f32,
    }))
}

impl Architecture for Dinov3 {
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
        if self.registers == 0 {
            // It is there without an element.
            checkpoint.leave_out("embeddings.register_tokens");
        }
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], self.patch)?;
        let mut x = self.embed(network, image)?;
        let rotation = self.heads.rotation(1 + self.registers, grid);
        // transformers 5 has the layers in a model of their own in memory.
        let root = if checkpoint.has_any("model.layer.") {
            "model."
        } else {
            ""
        };
        for layer in 0..self.layers {
            x = self.layer(network, &format!("{root}layer.{layer}"), x, &rotation)?;
        }
        let x = network.layer_norm("norm", x, self.epsilon)?;
        Ok(Outputs::Picture {
            embedding: network.select_token(x, 0)?,
            logits: None,
        })
    }
}

impl Dinov3 {
    /// The class token, the registers, and a token for each patch.
    fn embed(&self, network: &mut NetworkBuilder<'_>, image: Value) -> Result<Value> {
        let features = self.features;
        let projection = Conv2d::new(features, self.patch[0])
            .kernel(self.patch)
            .strides(self.patch);
        let patches = network.conv2d("embeddings.patch_embeddings", image, projection)?;
        let patches = network.to_tokens(patches)?;
        let mut tokens = Vec::new();
        for (name, count) in [("cls_token", 1), ("register_tokens", self.registers)] {
            if count > 0 {
                let name = format!("embeddings.{name}");
                tokens.push(network.parameter_view(&name, &[1, count, features], &[count, features])?);
            }
        }
        tokens.push(patches);
        network.cat_tokens(&tokens)
    }

    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        rotation: &Rotation,
    ) -> Result<Value> {
        let x = network.layer_norm(&format!("{name}.norm1"), input, self.epsilon)?;
        let x = self.attend(network, &format!("{name}.attention"), x, rotation)?;
        let x = transformer::layer_scale(network, &format!("{name}.layer_scale1.lambda1"), x)?;
        let attended = network.add(x, input)?;
        let x = network.layer_norm(&format!("{name}.norm2"), attended, self.epsilon)?;
        let x = self.perceptron(network, &format!("{name}.mlp"), x)?;
        let x = transformer::layer_scale(network, &format!("{name}.layer_scale2.lambda1"), x)?;
        let x = network.add(x, attended)?;
        network.alias(name, x)?;
        Ok(x)
    }

    fn attend(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        rotation: &Rotation,
    ) -> Result<Value> {
        let Biases {
            queries,
            keys,
            values,
            projection,
            ..
        } = self.biases;
        let features = self.features;
        let queries = linear(network, &format!("{name}.q_proj"), x, features, queries)?;
        let keys = linear(network, &format!("{name}.k_proj"), x, features, keys)?;
        let values = linear(network, &format!("{name}.v_proj"), x, features, values)?;
        let queries = network.rotate(queries, rotation.clone())?;
        let keys = network.rotate(keys, rotation.clone())?;
        let x = network.attention([queries, keys, values], self.heads.count)?;
        linear(network, &format!("{name}.o_proj"), x, features, projection)
    }

    fn perceptron(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        let bias = self.biases.perceptron;
        let up = linear(network, &format!("{name}.up_proj"), x, self.hidden, bias)?;
        let x = if self.is_gated {
            let gate = linear(network, &format!("{name}.gate_proj"), x, self.hidden, bias)?;
            let gate = self.activation.apply(network, gate)?;
            network.mul(gate, up)?
        } else {
            self.activation.apply(network, up)?
        };
        linear(network, &format!("{name}.down_proj"), x, self.features, bias)
    }
}
