//! Scaled dot-product attention of one head: two multiplications by the micro-kernel with a softmax between
//! them, a few queries at a time so that their scores stay in the first cache.

mod arithmetic;
mod bf16;
mod bias;
mod floats;
mod head;
mod softmax;

use crate::{
    memory::{View, ViewMut},
    simd::{Isa, LANES},
};
use head::Head;

pub(crate) use bias::AttentionBias;

/// Attention ready to run on one layout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadAttention {
    features: usize,
    value_features: usize,
    queries: usize,
    keys: usize,
    scale: f32,
    causal: bool,
    on_bf16: bool,
}

/// How much a head reads and writes; none is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadSizes {
    /// Features of a head of the queries and keys.
    pub(crate) features: usize,
    /// Features of a head of the values.
    pub(crate) value_features: usize,
    pub(crate) queries: usize,
    pub(crate) keys: usize,
}

/// A part of the sequences, of as many queries and keys as the layer has, and what is added to its scores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    /// Which one.
    pub(crate) index: usize,
    /// `[queries][keys, up to whole blocks of 16]` of the head.
    pub(crate) bias: Option<&'a [f32]>,
}

/// Queries whose scores are computed together.
const QUERIES: usize = 28;

impl HeadAttention {
    /// Products are multiplied with `scale`; a query sees the keys up to its own place only where it is `causal`.
    ///
    /// # Panics
    /// Where a size is 0, or queries that are `causal` are more than the keys.
    pub(crate) fn new(sizes: HeadSizes, scale: f32, causal: bool) -> Self {
        let HeadSizes {
            features,
            value_features,
            queries,
            keys,
        } = sizes;
        assert!(features > 0 && value_features > 0 && queries > 0 && keys > 0);
        assert!(!causal || queries <= keys);
        Self {
            features,
            value_features,
            queries,
            keys,
            scale,
            causal,
            on_bf16: false,
        }
    }

    /// The same, with products of bf16.
    ///
    /// # Panics
    /// Where a head's features are no whole blocks.
    pub(crate) fn on_bf16(self) -> Self {
        assert!(self.features.is_multiple_of(LANES) && self.value_features.is_multiple_of(LANES));
        Self {
            on_bf16: true,
            ..self
        }
    }

    /// Features of a head of the values.
    pub(crate) fn value_features(&self) -> usize {
        self.value_features
    }

    /// Length of the scratch memory that [`run`](Self::run) needs.
    pub(crate) fn scratch(&self) -> usize {
        self.parts().into_iter().sum()
    }

    /// Lengths of queries, keys, values, scores, weights where they are not written over the scores, and results in the
    /// scratch memory.
    fn parts(&self) -> [usize; 6] {
        let blocks = |count: usize| count.div_ceil(LANES);
        [
            blocks(self.features) * QUERIES * self.pixel(),
            blocks(self.keys) * self.terms(self.features) * LANES,
            blocks(self.value_features) * self.terms(self.keys) * LANES,
            blocks(self.keys) * QUERIES * LANES,
            if self.on_bf16 {
                blocks(self.keys) * QUERIES * self.pixel()
            } else {
                0
            },
            blocks(self.value_features) * QUERIES * LANES,
        ]
    }

    /// `f32` that 16 values have the place of.
    fn pixel(&self) -> usize {
        if self.on_bf16 { LANES / 2 } else { LANES }
    }

    /// How many terms a sum of so many products has: a term is one of `f32`, or two of bf16.
    fn terms(&self, products: usize) -> usize {
        products.div_ceil(LANES / self.pixel())
    }

    /// Computes one head of one window of one image, whose results the region of `y` has.
    pub(crate) fn run(
        &self,
        isa: Isa,
        head: usize,
        window: Window,
        inputs: [View; 3],
        y: &mut ViewMut,
        scratch: &mut [f32],
    ) {
        assert!(scratch.len() >= self.scratch());
        let head = Head {
            layer: self,
            head,
            window,
            inputs,
            y,
            scratch,
        };
        if self.on_bf16 {
            bf16::run(isa, head);
        } else {
            floats::run(isa, head);
        }
    }
}
