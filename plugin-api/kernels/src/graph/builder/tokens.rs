//! Layers of sequences and vectors.

use super::{GraphBuilder, Value};
use crate::graph::{
    Attention, DeformableAttention, GraphError, LayerNorm, Op, Rotation, Weight, WindowAttention,
};
use std::sync::Arc;

impl GraphBuilder {
    /// A trained value that is the same for every image: one dimension is a vector, two are tokens, three a map.
    pub fn constant(&mut self, name: &str, weight: Weight) -> Result<Value, GraphError> {
        self.layer(name, Op::Constant(weight), &[])
    }

    /// A map as one token for each pixel, row by row.
    pub fn to_tokens(&mut self, name: &str, x: Value) -> Result<Value, GraphError> {
        self.layer(name, Op::ToTokens, &[x])
    }

    /// Tokens as a map of `[height, width]`, a token for each pixel.
    pub fn to_map(&mut self, name: &str, x: Value, size: [usize; 2]) -> Result<Value, GraphError> {
        self.layer(name, Op::ToMap { size }, &[x])
    }

    /// Tokens of all sequences, one after the other.
    pub fn concat_tokens(&mut self, name: &str, values: &[Value]) -> Result<Value, GraphError> {
        self.layer(name, Op::ConcatTokens, values)
    }

    /// One token as a vector.
    pub fn select_token(&mut self, name: &str, x: Value, index: usize) -> Result<Value, GraphError> {
        self.layer(name, Op::SelectToken { index }, &[x])
    }

    /// Tokens by their indices, in any order, any number of times.
    pub fn take_tokens(
        &mut self,
        name: &str,
        x: Value,
        indices: impl Into<Arc<[usize]>>,
    ) -> Result<Value, GraphError> {
        let indices = indices.into();
        self.layer(name, Op::TakeTokens { indices }, &[x])
    }

    /// The `count` tokens with the largest features of the tokens `scores`, the largest first.
    pub fn top_tokens(
        &mut self,
        name: &str,
        x: Value,
        scores: Value,
        count: usize,
    ) -> Result<Value, GraphError> {
        self.layer(name, Op::TopTokens { count }, &[x, scores])
    }

    /// The `count` largest features of each token or of a vector, the largest first.
    pub fn top_features(&mut self, name: &str, x: Value, count: usize) -> Result<Value, GraphError> {
        self.layer(name, Op::TopFeatures { count }, &[x])
    }

    /// The mean of all tokens as a vector.
    pub fn mean_tokens(&mut self, name: &str, x: Value) -> Result<Value, GraphError> {
        self.layer(name, Op::MeanTokens, &[x])
    }

    /// A linear layer of a vector or of each token; `weight` is `[out, in]`.
    pub fn linear(
        &mut self,
        name: &str,
        x: Value,
        weight: Weight,
        bias: Option<Weight>,
    ) -> Result<Value, GraphError> {
        self.layer(name, Op::Linear { weight, bias }, &[x])
    }

    /// Layer normalisation over the features of each token or vector, or over the channels of each pixel.
    pub fn layer_norm(&mut self, name: &str, x: Value, parameters: LayerNorm) -> Result<Value, GraphError> {
        self.layer(name, Op::LayerNorm(parameters), &[x])
    }

    /// Each of `groups` equal parts of a map's channels to mean 0 and variance 1.
    pub fn group_norm(
        &mut self,
        name: &str,
        x: Value,
        groups: usize,
        epsilon: f32,
    ) -> Result<Value, GraphError> {
        self.layer(name, Op::GroupNorm { groups, epsilon }, &[x])
    }

    /// Each of `parts` equal parts of the features, divided by its 2-norm.
    pub fn unit_length(&mut self, name: &str, x: Value, parts: usize) -> Result<Value, GraphError> {
        self.layer(name, Op::UnitLength { parts }, &[x])
    }

    /// For each feature the 2-norm of all tokens, divided by the mean of these norms and `epsilon`.
    pub fn response_norms(&mut self, name: &str, x: Value, epsilon: f32) -> Result<Value, GraphError> {
        self.layer(name, Op::ResponseNorms { epsilon }, &[x])
    }

    /// Rotary positional embeddings.
    pub fn rotate(&mut self, name: &str, x: Value, parameters: Rotation) -> Result<Value, GraphError> {
        self.layer(name, Op::Rotate(parameters), &[x])
    }

    /// Scaled dot-product attention; projections are linear layers of their own.
    pub fn attention(
        &mut self,
        name: &str,
        [queries, keys, values]: [Value; 3],
        parameters: Attention,
    ) -> Result<Value, GraphError> {
        self.layer(name, Op::Attention(parameters), &[queries, keys, values])
    }

    /// Scaled dot-product attention within windows; projections are linear layers of their own.
    pub fn window_attention(
        &mut self,
        name: &str,
        [queries, keys, values]: [Value; 3],
        parameters: WindowAttention,
    ) -> Result<Value, GraphError> {
        self.layer(name, Op::WindowAttention(parameters), &[queries, keys, values])
    }

    /// Attention to points around boxes; projections are linear layers of their own.
    pub fn deformable_attention(
        &mut self,
        name: &str,
        [values, offsets, scores, boxes]: [Value; 4],
        parameters: DeformableAttention,
    ) -> Result<Value, GraphError> {
        self.layer(
            name,
            Op::DeformableAttention(parameters),
            &[values, offsets, scores, boxes],
        )
    }
}
