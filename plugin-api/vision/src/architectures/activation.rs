//! Activations by their published names.

use crate::repository::Config;
use modelzoo_candle::network::{self, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// An activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    Relu,
    Relu6,
    Gelu,
    TanhGelu,
    QuickGelu,
    Silu,
    HardSwish,
    Tanh,
}

impl Activation {
    /// The activation that a configuration names.
    pub(super) fn of(config: &Config, key: &str, default: Self) -> Result<Self> {
        let Some(name) = config.text(key)? else {
            return Ok(default);
        };
        Ok(match name {
            "relu" => Self::Relu,
            "relu6" => Self::Relu6,
            "gelu" => Self::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" => Self::TanhGelu,
            "quick_gelu" => Self::QuickGelu,
            "silu" | "swish" => Self::Silu,
            "hard_swish" | "hardswish" => Self::HardSwish,
            "tanh" => Self::Tanh,
            _ => {
                let known = "relu, relu6, gelu, gelu_pytorch_tanh, quick_gelu, silu, hardswish or tanh";
                return Err(config.unsupported(key, known));
            }
        })
    }

    /// Applies it.
    pub(super) fn apply(self, network: &mut NetworkBuilder<'_>, x: Value) -> Result<Value> {
        network.activation(x, self.into())
    }
}

impl From<Activation> for network::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu,
            Activation::Relu6 => Self::Relu6,
            Activation::Gelu => Self::Gelu,
            Activation::TanhGelu => Self::TanhGelu,
            Activation::QuickGelu => Self::QuickGelu,
            Activation::Silu => Self::Silu,
            Activation::HardSwish => Self::HardSwish,
            Activation::Tanh => Self::Tanh,
        }
    }
}
