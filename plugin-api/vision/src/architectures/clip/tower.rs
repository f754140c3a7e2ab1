//! The layers that all four towers are made of.

use crate::{
    architectures::{activation::Activation, transformer},
    repository::Config,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// The layers of a tower.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tower {
    pub(super) features: usize,
    pub(super) epsilon: f32,
    hidden: usize,
    layers: usize,
    heads: usize,
    activation: Activation,
    /// Whether a token sees only itself and those before it.
    causal: bool,
}

/// What is different between the families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Clip,
    Siglip,
    /// SigLIP 2 for pictures of any aspect ratio.
    NaFlex,
    /// OWL-ViT and OWLv2.
    Owl,
}

impl Family {
    fn activation(self) -> Activation {
        match self {
            Self::Clip | Self::Owl => Activation::QuickGelu,
            Self::Siglip | Self::NaFlex => Activation::TanhGelu,
        }
    }

    fn epsilon(self) -> f64 {
        match self {
            Self::Clip | Self::Owl => 1e-5,
            Self::Siglip | Self::NaFlex => 1e-6,
        }
    }
}

impl Tower {
    /// Reads the settings of one tower; `features` is the default number of features.
    pub(super) fn read(config: &Config, family: Family, features: usize, causal: bool) -> Result<Self> {
        let heads = features / 64;
        let features = config.count("hidden_size", features)?;
        Ok(Self {
            features,
            epsilon: config.epsilon("layer_norm_eps", family.epsilon())? as f32,
            hidden: config.count("intermediate_size", 4 * features)?,
            layers: config.count("num_hidden_layers", 12)?,
            heads: transformer::heads(config, "num_attention_heads", heads, features)?,
            activation: Activation::of(config, "hidden_act", family.activation())?,
            causal,
        })
    }

    pub(super) fn heads(&self) -> usize {
        self.heads
    }

    /// The tokens behind all layers.
    pub(super) fn run(&self, network: &mut NetworkBuilder<'_>, root: &str, tokens: Value) -> Result<Value> {
        let mut x = tokens;
        for layer in 0..self.layers {
            let name = format!("{root}encoder.layers.{layer}");
            let normalised = network.layer_norm(&format!("{name}.layer_norm1"), x, self.epsilon)?;
            let mut projected = [normalised; 3];
            for (part, value) in ["q_proj", "k_proj", "v_proj"].into_iter().zip(&mut projected) {
                *value = network.linear(&format!("{name}.self_attn.{part}"), normalised, self.features)?;
            }
            let attended = if self.causal {
                network.causal_attention(projected, self.heads)?
            } else {
                network.attention(projected, self.heads)?
            };
            let attended = network.linear(&format!("{name}.self_attn.out_proj"), attended, self.features)?;
            x = network.add(x, attended)?;
            let normalised = network.layer_norm(&format!("{name}.layer_norm2"), x, self.epsilon)?;
            let mixed = self.perceptron(network, &format!("{name}.mlp"), normalised)?;
            x = network.add(x, mixed)?;
            network.alias(&name, x)?;
        }
        Ok(x)
    }

    /// The two linear layers of the module `name`.
    pub(super) fn perceptron(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        let names = ["fc1", "fc2"].map(|part| format!("{name}.{part}"));
        transformer::perceptron(network, [&names[0], &names[1]], self.hidden, self.activation, x)
    }
}
