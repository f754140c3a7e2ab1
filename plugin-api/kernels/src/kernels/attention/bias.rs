//! What is added to the scores of queries and keys.

use super::HeadAttention;
use crate::{graph::Weight, simd::LANES};

/// What is added to scores: `[1 or windows][heads][queries][keys, up to whole blocks of 16]`.
#[derive(Debug)]
pub(crate) struct AttentionBias {
    values: Vec<f32>,
    /// Length of a window's.
    window: usize,
}

impl AttentionBias {
    /// Of a weight `[1 or windows, heads, queries, keys]`.
    pub(crate) fn new(weight: &Weight) -> Self {
        let (windows, keys) = (weight.dims()[0], weight.dims()[3]);
        let row = keys.next_multiple_of(LANES);
        let rows = weight.data().len() / keys;
        let mut values = vec![0.0; rows * row];
        for (to, from) in values.chunks_exact_mut(row).zip(weight.data().chunks_exact(keys)) {
            to[..keys].copy_from_slice(from);
        }
        Self {
            window: values.len() / windows,
            values,
        }
    }

    /// The part of a head of a window.
    pub(crate) fn of(&self, window: usize, head: usize, layer: &HeadAttention) -> &[f32] {
        let length = layer.queries * layer.keys.next_multiple_of(LANES);
        &self.values[window * self.window % self.values.len() + head * length..][..length]
    }
}
