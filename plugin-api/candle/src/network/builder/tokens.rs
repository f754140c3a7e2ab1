//! Layers of sequences: what vision transformers are made of.

use super::NetworkBuilder;
use modelzoo_kernels::graph::{Attention, LayerNorm, Op, Value};
use modelzoo_plugin_api::Result;

impl NetworkBuilder<'_> {
    /// A map as one token for each pixel, row by row: `x.flatten(2).transpose(1, 2)`.
    pub fn to_tokens(&mut self, x: Value) -> Result<Value> {
        self.numbered("to_tokens", Op::ToTokens, &[x])
    }

    /// Tokens as a map of `[height, width]`, a token for each pixel.
    pub fn to_map(&mut self, x: Value, size: [usize; 2]) -> Result<Value> {
        self.numbered("to_map", Op::ToMap { size }, &[x])
    }

    /// Tokens of all sequences, one after the other.
    pub fn cat_tokens(&mut self, values: &[Value]) -> Result<Value> {
        self.numbered("cat_tokens", Op::ConcatTokens, values)
    }

    /// One token as a vector: `x[:, index]`.
    pub fn select_token(&mut self, x: Value, index: usize) -> Result<Value> {
        self.numbered("select_token", Op::SelectToken { index }, &[x])
    }

    /// The mean of all tokens as a vector.
    pub fn mean_tokens(&mut self, x: Value) -> Result<Value> {
        self.numbered("mean_tokens", Op::MeanTokens, &[x])
    }

    /// `torch.nn.LayerNorm` over the features of each token or vector, or over the channels of each pixel: parameters
    /// `weight` and `bias`.
    pub fn layer_norm(&mut self, name: &str, x: Value, epsilon: f32) -> Result<Value> {
        let features = self.operand_channels(name, x)?;
        let parameters = LayerNorm {
            weight: self.parameter_of(name, "weight", &[features])?,
            bias: self.parameter_of(name, "bias", &[features])?,
            epsilon,
        };
        self.layer(name, Op::LayerNorm(parameters), &[x])
    }

    /// `torch.nn.functional.scaled_dot_product_attention` of queries, keys and values with this many heads.
    pub fn attention(&mut self, operands: [Value; 3], heads: usize) -> Result<Value> {
        let attention = Attention {
            heads,
            scale: None,
            causal: false,
        };
        self.numbered("attention", Op::Attention(attention), &operands)
    }

    /// `torch.nn.MultiheadAttention` of a sequence with itself: parameters `in_proj_weight`, `in_proj_bias`,
    /// `out_proj.weight` and `out_proj.bias`.
    pub fn self_attention(&mut self, name: &str, x: Value, heads: usize) -> Result<Value> {
        let features = self.operand_channels(name, x)?;
        let projection = Op::Linear {
            weight: self
                .parameters
                .parameter(&format!("{name}.in_proj_weight"), &[3 * features, features])?,
            bias: Some(
                self.parameters
                    .parameter(&format!("{name}.in_proj_bias"), &[3 * features])?,
            ),
        };
        let projected = self.layer(&format!("{name}.in_proj"), projection, &[x])?;
        let queries = self.narrow(projected, 0, features)?;
        let keys = self.narrow(projected, features, features)?;
        let values = self.narrow(projected, 2 * features, features)?;
        let attended = self.attention([queries, keys, values], heads)?;
        self.linear(&format!("{name}.out_proj"), attended, features)
    }
}
