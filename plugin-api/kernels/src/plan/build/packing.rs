//! The weights of direct convolutions in the order in which tiles read them.

use super::{
    super::{
        algorithm::Geometry,
        fuse::Layer,
        weights::{Packing, scale_of, terms_length, terms_of, turned},
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
        let reads = if geometry.groups > 1 {
            blocks_of_groups(geometry)
        } else {
            let blocks = geometry.inputs.div_ceil(LANES);
            ReadBlocks {
                count: blocks,
                firsts: vec![0; geometry.outputs.div_ceil(LANES)],
                last_channels: geometry.inputs - (blocks - 1) * LANES,
            }
        };
        let terms = reads.channels() * geometry.kernel[0] * geometry.kernel[1];
        let weights = if geometry.groups > 1 {
            self.grouped(layer, geometry, weight, (&reads, terms))
        } else {
            let places = places_of(geometry, &reads);
            self.turned(layer, Packing::Direct, weight, terms, places)
        };
        PackedBlocks {
            weights,
            reads,
            terms,
        }
    }

    /// Weights whose terms are turned, see [`turned`].
    pub(super) fn turned(
        &self,
        layer: &Layer,
        packing: Packing,
        weight: &Weight,
        terms: usize,
        places: Option<Vec<usize>>,
    ) -> Packed {
        let fill = turned(self.isa, terms, scale_of(self.graph, layer), places);
        let outputs = weight.data().len() / terms;
        let size = (terms_length(outputs, terms), terms * LANES);
        self.packer.later(layer, packing, size, weight, fill)
    }

    /// The weights of several groups, with zeros between channels of different ones.
    fn grouped(
        &self,
        layer: &Layer,
        geometry: &Geometry,
        weight: &Weight,
        (reads, terms): (&ReadBlocks, usize),
    ) -> Packed {
        let taps = geometry.kernel[0] * geometry.kernel[1];
        // The input channel, counted from the first one that is read, and the tap of each term.
        let mut places = Vec::new();
        for block in 0..reads.count {
            let channels = reads.channels_of(block);
            for tap in 0..taps {
                places.extend((0..channels).map(|channel| (block * LANES + channel, tap)));
            }
        }
        let inputs = geometry.inputs / geometry.groups;
        let outputs = geometry.outputs / geometry.groups;
        let (scale, firsts) = (scale_of(self.graph, layer), reads.firsts.clone());
        let fill = terms_of(geometry.outputs, move |source, output, term| {
            let (channel, tap) = places[term];
            let input = firsts[output / LANES] * LANES + channel;
            match input.checked_sub(output / outputs * inputs) {
                Some(input) if input < inputs => {
                    f64::from(source[(output * inputs + input) * taps + tap]) * scale(output)
                }
                _ => 0.0,
            }
        });
        let size = (terms_length(geometry.outputs, terms), terms * LANES);
        self.packer.later(layer, Packing::Grouped, size, weight, fill)
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

/// Where the terms of an output channel of one group come to, as blocks of input channels, taps and channels; `None` where
/// they stay as they are.
fn places_of(geometry: &Geometry, reads: &ReadBlocks) -> Option<Vec<usize>> {
    let taps = geometry.kernel[0] * geometry.kernel[1];
    let place = |channel: usize, tap: usize| {
        let block = channel / LANES;
        block * LANES * taps + tap * reads.channels_of(block) + channel % LANES
    };
    let channels = 0..geometry.inputs;
    (taps > 1).then(|| {
        channels
            .flat_map(|channel| (0..taps).map(move |tap| place(channel, tap)))
            .collect()
    })
}
