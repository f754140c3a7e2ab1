//! Steps of convolutions and linear layers on bytes.

use super::{
    super::{
        algorithm::Geometry,
        byte_weights::{ByteWeights, Kept, Term, pack},
        fuse::Layer,
        quantise::Form,
        ranges::ByteRange,
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
        requantise::{Finish, Narrow, Staged},
        tile::{RESIDUAL_FACTORS, RESULT_FACTORS, WORD_BIAS, WordEnd, WordResult, Words},
        word_depthwise::WordDepthwise,
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
        let (x, range) = self.byte_operand(layer);
        let residual = self.byte_residual(layer);
        let terms = WordTerms::<4>::of(geometry);
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let (scale, data) = (scale_of(self.graph, layer), weight.data());
        let length = ByteWeights::length(geometry.outputs, terms.words.len());
        let packed = self
            .packer
            .now(layer, Packing::Bytes(layer.inputs[0]), length, |packed| {
                let inputs = data.len() / geometry.outputs;
                pack(
                    packed,
                    geometry.outputs,
                    &terms.words,
                    Kept::Words,
                    |output, term| {
                        let weight = f64::from(data[output * inputs + term]) * scale(output);
                        term_of(range, term / taps, weight)
                    },
                );
            });
        let weights = ByteWeights::new(packed, geometry.outputs, terms.words.len());
        let ends = Ends {
            zero: range.zero,
            residual: residual.as_ref().and_then(|(_, range)| *range),
            result: self.result_range(layer),
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
    fn bytes(&self, value: usize) -> Option<(Part, &ByteRange)> {
        match self.narrow(value)? {
            (part, Form::Bytes(range)) => Some((part, range)),
            _ => None,
        }
    }

    /// The operand of a layer on bytes.
    fn byte_operand(&self, layer: &Layer) -> (Part, &ByteRange) {
        self.bytes(layer.inputs[0])
            .expect("a layer is computed on bytes where its operand has them")
    }

    /// The residual of a layer on bytes, as bytes where it has them.
    fn byte_residual(&self, layer: &Layer) -> Option<(Place, Option<&ByteRange>)> {
        let residual = layer.residual?;
        Some(match self.bytes(residual) {
            Some((part, range)) => (Place::Arena(part), Some(range)),
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
        let (x, range) = self.byte_operand(layer);
        let residual = self.byte_residual(layer);
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let words: Vec<_> = (0..taps).map(|tap| [Some(tap), None, None, None]).collect();
        let (scale, data) = (scale_of(self.graph, layer), weight.data());
        let length = ByteWeights::length(geometry.outputs, taps);
        let packed = self
            .packer
            .now(layer, Packing::ByteDepthwise(layer.inputs[0]), length, |packed| {
                let kept = Kept::Numbers(WordDepthwise::largest_weight(taps) as f64);
                pack(packed, geometry.outputs, &words, kept, |channel, tap| {
                    let weight = f64::from(data[channel * taps + tap]) * scale(channel);
                    term_of(range, channel, weight)
                });
            });
        let weights = ByteWeights::new(packed, geometry.outputs, taps);
        let ends = Ends {
            zero: range.zero,
            residual: residual.as_ref().and_then(|(_, range)| *range),
            result: self.result_range(layer),
        };
        let (finish, bias) = ends.finish(layer, &weights, bias, geometry.outputs);
        let packing = Packing::ByteDepthwisePairs(layer.inputs[0]);
        let pairs = self.row_pairs(layer, geometry, packing, |channel, tap| {
            weights.number(channel, tap) as i16 as u16
        });
        let residual = residual.map(|(place, _)| place);
        self.rows(layer, geometry, Place::Arena(x), residual, |windows| {
            RowWork::WordDepthwise(WordDepthwise::new(Words::Bytes, windows, pairs, bias, finish))
        })
    }

    /// What a layer's own bytes stand for, where it writes bytes.
    fn result_range(&self, layer: &Layer) -> Option<&ByteRange> {
        match self.result_form(layer)? {
            Form::Bytes(range) => Some(range),
            Form::Bf16 => None,
        }
    }
}

/// A weight of a channel of bytes.
fn term_of(range: &ByteRange, channel: usize, weight: f64) -> Term {
    let step = f64::from(range.steps[channel]);
    Term {
        weight: weight * step,
        mean: f64::from(range.means[channel]) / step,
    }
}

/// What the bytes of a layer's operands and of its result stand for.
struct Ends<'a> {
    /// The byte that stands for 0 in the operand.
    zero: u8,
    residual: Option<&'a ByteRange>,
    result: Option<&'a ByteRange>,
}

impl Ends<'_> {
    /// How results follow from sums, and the factors and summands of each channel.
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
        let bounded = bounded.filter(|bounds| self.result.is_none_or(|result| are_of_bytes(*bounds, result)));
        // In numbers where stages follow, and else on the result's scale.
        let result = self.result.filter(|_| bounded.is_some());
        let added = self.residual.filter(|_| epilogue.adds_residual);
        let zero = result.map_or(0.0, |range| f64::from(range.zero));
        let mut scaled = AlignedBuffer::zeroed(bias.len() / LANES * WORD_BIAS);
        for channel in 0..outputs {
            let unit = result.map_or(1.0, |range| f64::from(range.steps[channel]));
            let offset = f64::from(self.zero) * weights.sum(channel) * weights.step(channel);
            let number = f64::from(bias[channel]) + weights.lacking(channel) - offset;
            let mut summand = number / unit + zero;
            let at = channel / LANES * WORD_BIAS + channel % LANES;
            if let Some(residual) = added {
                let factor = f64::from(residual.steps[channel]) / unit;
                scaled[at + RESIDUAL_FACTORS] = factor as f32;
                if bounded.is_some() {
                    summand -= f64::from(residual.zero) * factor;
                }
            }
            scaled[at] = (weights.step(channel) / unit) as f32;
            scaled[at + LANES] = summand as f32;
            if let Some(result) = self.result {
                scaled[at + RESULT_FACTORS] = 1.0 / result.steps[channel];
            }
        }
        let Some(bounds) = bounded else {
            let staged = Staged {
                stages: epilogue.stages(),
                residual: self.residual.map(|range| Narrow::Bytes(range.zero)),
                result: self.result.map(|range| Narrow::Bytes(range.zero)),
            };
            return (Finish::Staged(staged), scaled);
        };
        let end = match result {
            Some(range) => WordEnd {
                words: Words::Bytes,
                result: match added {
                    Some(_) => WordResult::BytesAndResidual,
                    None => WordResult::Bytes,
                },
                bounds: [
                    if bounds[0] == 0.0 {
                        f32::from(range.zero)
                    } else {
                        0.0
                    },
                    255.0,
                ],
                r_step: 0,
            },
            None => WordEnd {
                words: Words::Bytes,
                result: WordResult::Floats,
                bounds,
                r_step: 0,
            },
        };
        (Finish::Bounded(end), scaled)
    }
}

/// Whether an activation's bounds are 0, or those of what bytes can stand for.
fn are_of_bytes([lowest, highest]: [f32; 2], range: &ByteRange) -> bool {
    /// Of a highest byte, for the rounding of steps.
    const TOLERANCE: f64 = 1e-6;
    let reaches =
        |step: f32| f64::from(highest) / f64::from(step) + f64::from(range.zero) >= 255.0 * (1.0 - TOLERANCE);
    (lowest == 0.0 || lowest == f32::NEG_INFINITY) && range.steps.iter().all(|&step| reaches(step))
}
