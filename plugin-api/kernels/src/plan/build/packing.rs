//! The weights of direct convolutions in the order in which tiles read them.

use super::{
    super::{
        algorithm::Geometry,
        fuse::Layer,
        threads::Threads,
        weights::{Packing, pack_terms, scale_of, terms_length},
    },
    Builder,
};
use crate::{graph::Weight, kernels::reads::ReadBlocks, memory::Packed, simd::LANES};

/// The weights of a direct convolution of blocks of channels.
pub(super) struct PackedBlocks {
    pub(super) weights: Packed,
    pub(super) reads: ReadBlocks,
    /// Products in a sum.
    pub(super) terms: usize,
}

impl Builder<'_> {
    /// Packs a layer's weights, of one group or of several.
    pub(super) fn packed_blocks(&self, layer: &Layer, geometry: &Geometry, weight: &Weight) -> PackedBlocks {
        let (packing, reads) = if geometry.groups > 1 {
            (Packing::Grouped, blocks_of_groups(geometry))
        } else {
            let blocks = geometry.inputs.div_ceil(LANES);
            let reads = ReadBlocks {
                count: blocks,
                firsts: vec![0; geometry.outputs.div_ceil(LANES)],
                last_channels: geometry.inputs - (blocks - 1) * LANES,
            };
            (Packing::Direct, reads)
        };
        let terms = reads.channels() * geometry.kernel[0] * geometry.kernel[1];
        let length = terms_length(geometry.outputs, terms);
        let weights = self.packed.get(layer, packing, length, |packed| {
            let scale = scale_of(self.graph, layer);
            pack_blocks(self.packed.threads(), packed, geometry, weight, (&reads, scale));
        });
        PackedBlocks {
            weights,
            reads,
            terms,
        }
    }
}

/// Each block of output channels reads the blocks with the channels of its groups: as many as most need, of which the
/// last one counts as whole.
fn blocks_of_groups(geometry: &Geometry) -> ReadBlocks {
    let inputs = geometry.inputs / geometry.groups;
    let outputs = geometry.outputs / geometry.groups;
    let blocks = geometry.inputs.div_ceil(LANES);
    let ranges: Vec<(usize, usize)> = (0..geometry.outputs.div_ceil(LANES))
        .map(|block| {
            let last = ((block + 1) * LANES).min(geometry.outputs) - 1;
            let (from, to) = (block * LANES / outputs * inputs, (last / outputs + 1) * inputs);
            (from / LANES, to.div_ceil(LANES))
        })
        .collect();
    let count = ranges.iter().map(|(from, to)| to - from).max().unwrap_or(1);
    ReadBlocks {
        count,
        firsts: ranges.iter().map(|&(from, _)| from.min(blocks - count)).collect(),
        last_channels: LANES,
    }
}

/// Packs weights for input in blocks of channels; weights between channels of different groups are zero.
fn pack_blocks(
    threads: &Threads,
    packed: &mut [f32],
    geometry: &Geometry,
    weight: &Weight,
    (reads, scale): (&ReadBlocks, impl Fn(usize) -> f64 + Sync),
) {
    let taps = geometry.kernel[0] * geometry.kernel[1];
    let data = weight.data();
    // The input channel, counted from the first one that is read, and the tap of each term.
    let mut terms = Vec::new();
    for block in 0..reads.count {
        let channels = reads.channels_of(block);
        for tap in 0..taps {
            terms.extend((0..channels).map(|channel| (block * LANES + channel, tap)));
        }
    }
    if geometry.groups == 1 && taps == 1 {
        let inputs = geometry.inputs;
        pack_terms(threads, packed, geometry.outputs, inputs, |output, input| {
            f64::from(data[output * inputs + input]) * scale(output)
        });
        return;
    }
    if geometry.groups == 1 {
        let places: Vec<usize> = terms.iter().map(|(channel, tap)| channel * taps + tap).collect();
        pack_terms(threads, packed, geometry.outputs, terms.len(), |output, term| {
            f64::from(data[output * places.len() + places[term]]) * scale(output)
        });
        return;
    }
    let inputs = geometry.inputs / geometry.groups;
    let outputs = geometry.outputs / geometry.groups;
    pack_terms(threads, packed, geometry.outputs, terms.len(), |output, term| {
        let (channel, tap) = terms[term];
        let input = reads.firsts[output / LANES] * LANES + channel;
        match input.checked_sub(output / outputs * inputs) {
            Some(input) if input < inputs => {
                f64::from(data[(output * inputs + input) * taps + tap]) * scale(output)
            }
            _ => 0.0,
        }
    });
}
