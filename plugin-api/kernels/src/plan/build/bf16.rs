//! Steps of convolutions and linear layers on bf16.

use super::{
    super::{
        algorithm::Geometry,
        fuse::Layer,
        steps::{BlockStep, ConvolutionStep, RowWork},
        storage::Place,
        weights::{Packing, scale_of, terms_length, turned_to_bf16},
    },
    Builder,
    words::{WordLayer, WordTerms, bounds_of},
};
use crate::{
    graph::Weight,
    kernels::{
        requantise::{Finish, Narrow, Staged},
        tile::{WORD_BIAS, WordEnd, WordResult, Words},
        word_depthwise::WordDepthwise,
    },
    memory::{AlignedBuffer, Element},
    simd::{LANES, bf16_of},
};

impl Builder<'_> {
    pub(super) fn bf16_convolution(
        &self,
        index: usize,
        geometry: &Geometry,
        weight: &Weight,
        bias: &AlignedBuffer,
    ) -> ConvolutionStep {
        let layer = &self.layers[index];
        let terms = WordTerms::<2>::of(geometry);
        let inputs = weight.data().len() / geometry.outputs;
        let places = (inputs != geometry.inputs).then(|| terms.places(inputs));
        let fill = turned_to_bf16(self.isa, inputs, scale_of(self.graph, layer), places);
        let words = terms.words.len();
        let size = (terms_length(geometry.outputs, words), words * LANES);
        let weights = self.packer.later(layer, Packing::Bf16, size, weight, fill);
        let residual = self.bf16_residual(layer);
        let made = WordLayer {
            x: self.narrow_operand(layer).0,
            weights,
            bias: with_factors(bias),
            finish: finish(layer, residual.as_ref(), self.result_form(layer).is_some()),
            residual: residual.map(|(place, _)| place),
        };
        self.word_convolution(index, geometry, &terms, Words::Bf16, made)
    }

    /// A depthwise convolution whose operand is kept as bf16.
    pub(super) fn bf16_depthwise(
        &self,
        layer: &Layer,
        geometry: &Geometry,
        weight: &Weight,
        bias: &AlignedBuffer,
    ) -> BlockStep {
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let (scale, data) = (scale_of(self.graph, layer), weight.data());
        let weights = self.row_pairs(layer, geometry, Packing::Bf16Depthwise, |channel, tap| {
            bf16_of((f64::from(data[channel * taps + tap]) * scale(channel)) as f32)
        });
        let residual = self.bf16_residual(layer);
        let finish = finish(layer, residual.as_ref(), self.result_form(layer).is_some());
        let (x, residual) = (
            Place::Arena(self.part(layer.inputs[0])),
            residual.map(|(place, _)| place),
        );
        self.rows(layer, geometry, x, residual, |windows| {
            let bias = with_factors(bias);
            RowWork::WordDepthwise(WordDepthwise::new(Words::Bf16, windows, weights, bias, finish))
        })
    }

    /// The residual of a layer on bf16, as it was computed, and whether that is as bf16.
    fn bf16_residual(&self, layer: &Layer) -> Option<(Place, bool)> {
        let residual = layer.residual?;
        if self.kinds.elements[residual] == Element::Float {
            return Some((self.place(residual), false));
        }
        Some((Place::Arena(self.part(residual)), true))
    }
}

/// How results follow from sums and the bias.
fn finish(layer: &Layer, residual: Option<&(Place, bool)>, is_narrow: bool) -> Finish {
    let epilogue = layer.epilogue;
    let reads_narrow = residual.is_some_and(|(_, is_narrow)| *is_narrow);
    let ended = match (epilogue.adds_residual, reads_narrow, is_narrow) {
        (false, _, false) => Some((WordResult::Floats, epilogue.activation)),
        (false, _, true) => Some((WordResult::Bf16, epilogue.activation)),
        _ if epilogue.activation.is_some() => None,
        (true, false, false) => Some((WordResult::FloatsAndResidual, epilogue.after)),
        (true, true, true) => Some((WordResult::Bf16AndResidual, epilogue.after)),
        (true, ..) => None,
    };
    match ended.map(|(stored, activation)| (stored, bounds_of(activation))) {
        Some((stored, Some(bounds))) => Finish::Bounded(WordEnd {
            words: Words::Bf16,
            result: stored,
            bounds,
            r_step: 0,
        }),
        _ => Finish::Staged(Staged {
            stages: epilogue.stages(),
            residual: reads_narrow.then_some(Narrow::Bf16),
            result: is_narrow.then_some(Narrow::Bf16),
        }),
    }
}

/// A bias as sums of words have it, with factors of 1.
fn with_factors(bias: &AlignedBuffer) -> AlignedBuffer {
    let mut factors = AlignedBuffer::zeroed(bias.len() / LANES * WORD_BIAS);
    for (to, from) in factors.chunks_exact_mut(WORD_BIAS).zip(bias.chunks_exact(LANES)) {
        to[..LANES].fill(1.0);
        to[LANES..2 * LANES].copy_from_slice(from);
    }
    factors
}
