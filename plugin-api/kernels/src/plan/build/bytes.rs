//! Steps of convolutions and linear layers on bytes.

use super::{
    super::{
        algorithm::Geometry,
        byte_weights::{ByteWeights, Kept, pack},
        fuse::Layer,
        steps::{BlockStep, ConvolutionStep, RowWork},
        storage::{Part, Place},
        weights::{Packing, scale_of},
    },
    Builder,
    words::{WordLayer, WordTerms, bounds_of},
};
use crate::{
    graph::Weight,
    kernels::{
        byte_depthwise::ByteDepthwise,
        requantise::{Finish, Narrow, Scale, Staged},
        tile::{WORD_BIAS, WordEnd, WordResult, Words},
    },
    memory::AlignedBuffer,
    simd::LANES,
};

impl Builder<'_> {
    pub(super) fn byte_convolution(
        &self,
        index: usize,
        geometry: &Geometry,
        weight: &Weight,
        bias: &AlignedBuffer,
    ) -> ConvolutionStep {
        let layer = &self.layers[index];
        let (x, x_scale) = self.byte_operand(layer);
        let residual = self.byte_residual(layer);
        let terms = WordTerms::<4>::of(geometry);
        let (scale, data) = (scale_of(self.graph, layer), weight.data());
        let length = ByteWeights::length(geometry.outputs, terms.words.len());
        let packed = self.packed.get(layer, Packing::Bytes, length, |packed| {
            let inputs = data.len() / geometry.outputs;
            pack(
                packed,
                geometry.outputs,
                &terms.words,
                Kept::Words,
                |output, term| f64::from(data[output * inputs + term]) * scale(output),
            );
        });
        let weights = ByteWeights::new(packed, geometry.outputs, terms.words.len());
        let ends = Ends {
            x: x_scale,
            residual: residual.as_ref().and_then(|(_, scale)| *scale),
            result: self.result_scale(layer),
        };
        let (finish, bias) = ends.finish(layer, &weights, bias, geometry.outputs);
        let made = WordLayer {
            x,
            residual: residual.map(|(place, _)| place),
            weights: weights.packed,
            bias,
            finish,
        };
        self.word_convolution(index, geometry, &terms, Words::Bytes, made)
    }

    /// Where a value's bytes are, and what they stand for.
    fn bytes(&self, value: usize) -> Option<(Part, Scale)> {
        match self.narrow(value)? {
            (part, Narrow::Bytes(scale)) => Some((part, scale)),
            _ => None,
        }
    }

    /// The operand of a layer on bytes.
    fn byte_operand(&self, layer: &Layer) -> (Part, Scale) {
        self.bytes(layer.inputs[0])
            .expect("a layer is computed on bytes where its operand has them")
    }

    /// The residual of a layer on bytes, as bytes where it has them.
    fn byte_residual(&self, layer: &Layer) -> Option<(Place, Option<Scale>)> {
        let residual = layer.residual?;
        Some(match self.bytes(residual) {
            Some((part, scale)) => (Place::Arena(part), Some(scale)),
            None => (self.place(residual), None),
        })
    }

    pub(super) fn byte_depthwise(
        &self,
        layer: &Layer,
        geometry: &Geometry,
        weight: &Weight,
        bias: &AlignedBuffer,
    ) -> BlockStep {
        let (x, x_scale) = self.byte_operand(layer);
        let residual = self.byte_residual(layer);
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let words: Vec<_> = (0..taps).map(|tap| [Some(tap), None, None, None]).collect();
        let (scale, data) = (scale_of(self.graph, layer), weight.data());
        let length = ByteWeights::length(geometry.outputs, taps);
        let packed = self.packed.get(layer, Packing::ByteDepthwise, length, |packed| {
            pack(packed, geometry.outputs, &words, Kept::Numbers, |channel, tap| {
                f64::from(data[channel * taps + tap]) * scale(channel)
            });
        });
        let weights = ByteWeights::new(packed, geometry.outputs, taps);
        let ends = Ends {
            x: x_scale,
            residual: residual.as_ref().and_then(|(_, scale)| *scale),
            result: self.result_scale(layer),
        };
        let (finish, bias) = ends.finish(layer, &weights, bias, geometry.outputs);
        let (residual, weights) = (residual.map(|(place, _)| place), weights.packed);
        self.rows(layer, geometry, Place::Arena(x), residual, |windows| {
            RowWork::ByteDepthwise(ByteDepthwise::new(windows, weights, bias, finish))
        })
    }

    /// What a layer's own bytes stand for, where it writes bytes.
    fn result_scale(&self, layer: &Layer) -> Option<Scale> {
        match self.result_form(layer)? {
            Narrow::Bytes(scale) => Some(scale),
            Narrow::Bf16 => None,
        }
    }
}

/// What the bytes of a layer's operands and of its result stand for.
struct Ends {
    x: Scale,
    residual: Option<Scale>,
    result: Option<Scale>,
}

impl Ends {
    /// How results follow from sums, and a factor and a summand for each channel of them.
    fn finish(
        &self,
        layer: &Layer,
        weights: &ByteWeights,
        bias: &AlignedBuffer,
        outputs: usize,
    ) -> (Finish, AlignedBuffer) {
        let epilogue = layer.epilogue;
        let bounded = match (epilogue.adds_residual, self.residual, self.result) {
            (false, _, _) => bounds_of(epilogue.activation),
            (true, Some(_), Some(_)) if epilogue.activation.is_none() => bounds_of(epilogue.after),
            _ => None,
        };
        let mut scaled = AlignedBuffer::zeroed(bias.len() / LANES * WORD_BIAS);
        // In numbers where stages follow, and else on the result's scale.
        let result = self.result.filter(|_| bounded.is_some());
        let (unit, zero) = result.map_or((1.0, 0.0), |scale| (f64::from(scale.step), f64::from(scale.zero)));
        let added = self
            .residual
            .filter(|_| epilogue.adds_residual && bounded.is_some());
        let (r_factor, r_zero) = added.map_or((0.0, 0.0), |scale| {
            (f64::from(scale.step) / unit, f64::from(scale.zero))
        });
        for channel in 0..outputs {
            let factor = weights.step(channel) * f64::from(self.x.step);
            let offset = f64::from(self.x.zero) * weights.sum(channel) * factor;
            let summand = (f64::from(bias[channel]) - offset) / unit + zero - r_zero * r_factor;
            let at = channel / LANES * WORD_BIAS + channel % LANES;
            scaled[at] = (factor / unit) as f32;
            scaled[at + LANES] = summand as f32;
        }
        let Some([lowest, highest]) = bounded else {
            let staged = Staged {
                stages: epilogue.stages(),
                residual: self.residual.map(Narrow::Bytes),
                result: self.result.map(Narrow::Bytes),
            };
            return (Finish::Staged(staged), scaled);
        };
        let on_scale = |bound: f32| (f64::from(bound) / unit + zero) as f32;
        let end = match result {
            Some(_) => WordEnd {
                words: Words::Bytes,
                result: match added {
                    Some(_) => WordResult::BytesAndResidual(r_factor as f32),
                    None => WordResult::Bytes,
                },
                bounds: [on_scale(lowest).max(0.0), on_scale(highest).min(255.0)],
                r_step: 0,
            },
            None => WordEnd {
                words: Words::Bytes,
                result: WordResult::Floats,
                bounds: [lowest, highest],
                r_step: 0,
            },
        };
        (Finish::Bounded(end), scaled)
    }
}
