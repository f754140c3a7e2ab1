//! How many images go through a layer before the next layer runs.
//!
//! Early layers have large maps and few weights: one image at a time keeps its maps in the cache. Late layers
//! have small maps and many weights: several images together read each weight once.

use super::super::fuse::Layer;
use crate::graph::{Graph, Op};
use std::ops::Range;

/// Steps that run for so many images before the next segment does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) struct Segment {
    pub(in crate::plan) steps: Range<usize>,
    pub(in crate::plan) images: usize,
}

/// The layer from which on images go together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    first: usize,
    layers: usize,
    images: usize,
}

/// Values of input of an image, of a layer of tokens, that leave room in a core's second cache for those of others.
const SMALL_INPUT: usize = 112 * 1024;

/// Values of weights and maps in layers: what a pass over a layer reads and writes. Weights that a pass of several
/// images would read for each of them do not count.
fn traffic(graph: &Graph, layer: &Layer) -> (usize, usize) {
    let weights = match &graph.nodes()[layer.node].op {
        Op::Convolution(parameters) => parameters.weight.data().len(),
        Op::TransposedConvolution(parameters) => parameters.weight.data().len(),
        Op::Linear { weight, .. } if graph.shapes()[layer.inputs[0]].elements() <= SMALL_INPUT => {
            weight.data().len()
        }
        _ => 0,
    };
    let maps = layer
        .reads()
        .chain([layer.output])
        .map(|value| graph.shapes()[value].elements())
        .sum();
    (weights, maps)
}

/// Finds the layer from which on more is gained by reading weights once than lost by larger maps.
pub(super) fn split(graph: &Graph, layers: &[Layer], images: usize) -> Split {
    /// Weights that stay in a core's own cache from one image to the next cost nothing.
    const CACHED: usize = 64 * 1024;
    let mut best = (0, layers.len());
    let mut gain = 0i64;
    for (index, layer) in layers.iter().enumerate().rev() {
        let (weights, maps) = traffic(graph, layer);
        gain += if weights > CACHED { weights as i64 } else { 0 } - maps as i64;
        if gain > best.0 {
            best = (gain, index);
        }
    }
    Split {
        first: if images == 1 { 0 } else { best.1 },
        layers: layers.len(),
        images,
    }
}

impl Split {
    /// Images that go through a layer together.
    pub(super) fn images(&self, layer: usize) -> usize {
        if layer < self.first { 1 } else { self.images }
    }

    /// The most images that go together anywhere.
    pub(super) fn most_images(&self) -> usize {
        if self.first < self.layers { self.images } else { 1 }
    }

    /// The segments of steps, given the layer of each.
    pub(super) fn segments(&self, layers: impl Iterator<Item = usize>) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        for (step, layer) in layers.enumerate() {
            let images = self.images(layer);
            match segments.last_mut() {
                Some(segment) if segment.images == images => segment.steps.end = step + 1,
                _ => segments.push(Segment {
                    steps: step..step + 1,
                    images,
                }),
            }
        }
        segments
    }
}
