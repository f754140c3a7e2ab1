//! Layers of sequences: what vision transformers are made of.

use super::NetworkBuilder;
use modelzoo_kernels::graph::{
    Attention, DeformableAttention, LayerNorm, Op, Rotation, Value, Weight, WindowAttention,
};
use modelzoo_plugin_api::Result;
use std::sync::Arc;

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

    /// Tokens by their indices, in any order, any number of times: `x[:, indices]`.
    pub fn take_tokens(&mut self, x: Value, indices: impl Into<Arc<[usize]>>) -> Result<Value> {
        let indices = indices.into();
        self.numbered("take_tokens", Op::TakeTokens { indices }, &[x])
    }

    /// The `count` tokens for which the tokens `scores` have the largest features, the largest first:
    /// `x[:, scores.max(-1).values.topk(count).indices]`.
    pub fn top_tokens(&mut self, x: Value, scores: Value, count: usize) -> Result<Value> {
        self.numbered("top_tokens", Op::TopTokens { count }, &[x, scores])
    }

    /// The `count` largest features of each token or of a vector, the largest first: `x.topk(count).values`.
    pub fn top_features(&mut self, x: Value, count: usize) -> Result<Value> {
        self.numbered("top_features", Op::TopFeatures { count }, &[x])
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

    /// As [`NetworkBuilder::layer_norm`], with the parameters of these names, weight and bias: for one that is used
    /// several times.
    pub fn layer_norm_of(
        &mut self,
        name: &str,
        x: Value,
        parameters: [&str; 2],
        epsilon: f32,
    ) -> Result<Value> {
        let features = self.operand_channels(name, x)?;
        let [weight, bias] = parameters.map(|parameter| self.stored(parameter, &[features]));
        let parameters = LayerNorm {
            weight: weight?,
            bias: bias?,
            epsilon,
        };
        self.layer(name, Op::LayerNorm(parameters), &[x])
    }

    /// `torch.nn.GroupNorm` of maps of as many channels, all with the parameters `weight` and `bias` of `name`; the layers
    /// are named as those of [`NetworkBuilder::conv2d_of_each`].
    pub fn group_norm_of_each(
        &mut self,
        name: &str,
        maps: &[Value],
        groups: usize,
        epsilon: f32,
    ) -> Result<Vec<Value>> {
        let Some(&first) = maps.first() else {
            return Ok(Vec::new());
        };
        let channels = self.operand_channels(name, first)?;
        let [scale, shift] = ["weight", "bias"].map(|part| self.parameter_of(name, part, &[channels]));
        let (scale, shift) = (scale?, shift?);
        maps.iter()
            .enumerate()
            .map(|(index, &map)| {
                let normal = self.numbered("group_norm", Op::GroupNorm { groups, epsilon }, &[map])?;
                let layer = match index {
                    0 => name.to_owned(),
                    index => format!("{name}@{index}"),
                };
                let affine = Op::Affine {
                    scale: scale.clone(),
                    shift: shift.clone(),
                };
                self.layer(&layer, affine, &[normal])
            })
            .collect()
    }

    /// Each of `parts` equal parts of the features, divided by its 2-norm: torch's `normalize`.
    pub fn unit_length(&mut self, x: Value, parts: usize) -> Result<Value> {
        self.numbered("unit_length", Op::UnitLength { parts }, &[x])
    }

    /// For each feature the 2-norm of all tokens, divided by the mean of these norms and `epsilon`: a vector.
    pub fn response_norms(&mut self, x: Value, epsilon: f32) -> Result<Value> {
        self.numbered("response_norms", Op::ResponseNorms { epsilon }, &[x])
    }

    /// Rotary positional embeddings: see [`Rotation`].
    pub fn rotate(&mut self, x: Value, rotation: Rotation) -> Result<Value> {
        self.numbered("rotate", Op::Rotate(rotation), &[x])
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

    /// As [`NetworkBuilder::attention`], where a token sees only itself and those before it.
    pub fn causal_attention(&mut self, operands: [Value; 3], heads: usize) -> Result<Value> {
        let attention = Attention {
            heads,
            scale: None,
            causal: true,
        };
        self.numbered("attention", Op::Attention(attention), &operands)
    }

    /// `scaled_dot_product_attention` within this many equal parts of queries, keys and values, with a bias that is
    /// added to the scaled products: `[windows, heads, queries, keys]` of a window, or `[1, heads, queries, keys]`
    /// where it is the same for all of them.
    pub fn window_attention(
        &mut self,
        operands: [Value; 3],
        heads: usize,
        windows: usize,
        bias: Weight,
    ) -> Result<Value> {
        self.in_windows(operands, heads, windows, bias, None)
    }

    /// As [`NetworkBuilder::window_attention`] with products that are not scaled, such as those of directions.
    pub fn unscaled_window_attention(
        &mut self,
        operands: [Value; 3],
        heads: usize,
        windows: usize,
        bias: Weight,
    ) -> Result<Value> {
        self.in_windows(operands, heads, windows, bias, Some(1.0))
    }

    fn in_windows(
        &mut self,
        operands: [Value; 3],
        heads: usize,
        windows: usize,
        bias: Weight,
        scale: Option<f32>,
    ) -> Result<Value> {
        let attention = WindowAttention {
            heads,
            scale,
            windows,
            bias,
        };
        self.numbered("window_attention", Op::WindowAttention(attention), &operands)
    }

    /// Attention of queries to points around their boxes: see [`DeformableAttention`] for the operands, which are
    /// values, offsets, scores and boxes.
    pub fn deformable_attention(
        &mut self,
        operands: [Value; 4],
        attention: DeformableAttention,
    ) -> Result<Value> {
        self.numbered(
            "deformable_attention",
            Op::DeformableAttention(attention),
            &operands,
        )
    }

    /// `torch.nn.MultiheadAttention` of a sequence with another one of as many features: parameters as for
    /// [`NetworkBuilder::self_attention`].
    pub fn cross_attention(&mut self, name: &str, x: Value, memory: Value, heads: usize) -> Result<Value> {
        self.multihead_attention(name, [x, memory, memory], heads)
    }

    /// `torch.nn.MultiheadAttention` of queries, keys and values of as many features: parameters as for
    /// [`NetworkBuilder::self_attention`].
    pub fn multihead_attention(&mut self, name: &str, operands: [Value; 3], heads: usize) -> Result<Value> {
        let features = self.operand_channels(name, operands[0])?;
        let weight = self.parameter_of(name, "in_proj_weight", &[3 * features, features])?;
        let bias = self.parameter_of(name, "in_proj_bias", &[3 * features])?;
        let mut projected = Vec::new();
        for (index, (part, operand)) in ["queries", "keys", "values"]
            .into_iter()
            .zip(operands)
            .enumerate()
        {
            let rows = index * features..(index + 1) * features;
            let values = &weight.data()[rows.start * features..rows.end * features];
            let projection = Op::Linear {
                weight: Weight::new([features, features], values),
                bias: Some(Weight::vector(&bias.data()[rows])),
            };
            projected.push(self.layer(&format!("{name}.in_proj.{part}"), projection, &[operand])?);
        }
        let attended = self.attention([projected[0], projected[1], projected[2]], heads)?;
        self.linear(&format!("{name}.out_proj"), attended, features)
    }

    /// `torch.nn.MultiheadAttention` of a sequence with itself: parameters `in_proj_weight`, `in_proj_bias`,
    /// `out_proj.weight` and `out_proj.bias`.
    pub fn self_attention(&mut self, name: &str, x: Value, heads: usize) -> Result<Value> {
        let features = self.operand_channels(name, x)?;
        let projection = Op::Linear {
            weight: self.parameter_of(name, "in_proj_weight", &[3 * features, features])?,
            bias: Some(self.parameter_of(name, "in_proj_bias", &[3 * features])?),
        };
        let projected = self.layer(&format!("{name}.in_proj"), projection, &[x])?;
        let queries = self.narrow(projected, 0, features)?;
        let keys = self.narrow(projected, features, features)?;
        let values = self.narrow(projected, 2 * features, features)?;
        let attended = self.attention([queries, keys, values], heads)?;
        self.linear(&format!("{name}.out_proj"), attended, features)
    }
}
