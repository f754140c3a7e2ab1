//! Steps of convolutions and linear layers on bytes.

use super::{
    super::{
        algorithm::Geometry,
        byte_weights::{ByteWeights, Kept, Term, pack},
        fuse::Layer,
        ranges::ByteRange,
        steps::{BlockStep, BlockWork, ConvolutionStep, RowWork, Source},
        storage::{Part, Place},
        weights::{Packing, scale_of},
    },
    Builder,
    convolution::{output_tile, whole_output},
    tasks::cut_pixels,
};
use crate::{
    graph::{Activation, Weight},
    kernels::{
        byte_depthwise::ByteDepthwise,
        conversion::{Conversion, Kind},
        convolution::{DirectConvolution, Lines},
        epilogue::Epilogue,
        reads::ReadBlocks,
        requantise::{Finish, Staged},
        tile::{BYTE_BIAS, ByteEnd, ByteResult, RESIDUAL_FACTORS, RESULT_FACTORS, Tile, tile_pixels},
    },
    memory::{AlignedBuffer, Element, Halo, Layout},
    simd::LANES,
};
use std::sync::Arc;

/// Bytes in a word.
const WORD: usize = 4;

impl Builder<'_> {
    /// Gives the values that are read as another kind than they are computed as a second place.
    pub(super) fn add_converted(&mut self, halos: &[Halo]) {
        for (node, &halo) in halos.iter().enumerate() {
            let Some(range) = self.kinds.ranges[node]
                .as_ref()
                .filter(|_| self.kinds.converted[node])
            else {
                continue;
            };
            let element = match self.kinds.elements[node] {
                Element::Float => Element::Byte { zero: range.zero },
                Element::Byte { .. } => Element::Float,
            };
            let layout = Layout::new(self.shape(node), halo).of(element);
            let part = Part {
                buffer: self.buffers.len(),
                block: 0,
                layout,
            };
            self.buffers.push(layout);
            self.converted.insert(node, part);
        }
    }

    /// The step that fills a value's second place, where it has one.
    pub(super) fn conversion(&self, index: usize) -> Option<BlockStep> {
        let value = self.layers[index].output;
        let y = *self.converted.get(&value)?;
        let range = self.kinds.ranges[value].as_ref()?;
        let to = match y.layout.element {
            Element::Float => Kind::Numbers,
            Element::Byte { .. } => Kind::Bytes,
        };
        let mut factors = AlignedBuffer::zeroed(range.steps.len().next_multiple_of(LANES));
        for (factor, &step) in factors.iter_mut().zip(&range.steps) {
            *factor = if to == Kind::Bytes { 1.0 / step } else { step };
        }
        let conversion = Conversion {
            to,
            zero: range.zero,
            factors,
        };
        Some(BlockStep {
            work: BlockWork::Rows(RowWork::Convert(conversion)),
            x: self.places[value].clone()?,
            z: None,
            y,
        })
    }

    /// Where a value's bytes are, and what they stand for.
    fn bytes(&self, value: usize) -> Option<(Part, &ByteRange)> {
        let range = self.kinds.bytes(value)?;
        let part = if self.kinds.elements[value] == Element::Float {
            self.converted[&value]
        } else {
            self.part(value)
        };
        Some((part, range))
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

    pub(super) fn byte_convolution(
        &self,
        index: usize,
        geometry: &Geometry,
        weight: &Weight,
        bias: &AlignedBuffer,
    ) -> ConvolutionStep {
        let layer = &self.layers[index];
        let ((x_part, range), y) = (self.byte_operand(layer), self.part(layer.output));
        let x = x_part.layout;
        let residual = self.byte_residual(layer);
        let (words, reads) = words_of(geometry);
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let (scale, data) = (scale_of(self.graph, layer), weight.data());
        let length = ByteWeights::length(geometry.outputs, words.len());
        let packed = self
            .packed
            .get(layer, Packing::Bytes(layer.inputs[0]), length, |packed| {
                let terms = geometry.inputs * taps;
                pack(packed, geometry.outputs, &words, Kept::Words, |output, term| {
                    let weight = f64::from(data[output * terms + term]) * scale(output);
                    term_of(range, term / taps, weight)
                });
            });
        let weights = ByteWeights::new(packed, geometry.outputs, words.len());
        let ends = Ends {
            zero: range.zero,
            residual: residual.as_ref().and_then(|(_, range)| *range),
            result: self.result_range(layer),
        };
        let (finish, bias) = ends.finish(layer, &weights, bias, geometry.outputs);
        let r_step = residual.as_ref().map_or(0, |(place, _)| place.layout().pixel());
        let (end, staged) = match finish {
            Finish::Bounded(end) => (ByteEnd { r_step, ..end }, None),
            Finish::Staged(staged) => (unbounded(&staged, r_step), Some(staged)),
        };
        let residual = residual.map(|(place, _)| place);
        let tile = Tile {
            blocks: reads.count,
            rows: geometry.kernel[0],
            columns: geometry.kernel[1],
            channels: LANES / WORD,
            last_channels: reads.last_channels.div_ceil(WORD),
            x_block: x.block(),
            x_row: x.row() * geometry.dilation[0],
            x_column: x.pixel() * geometry.dilation[1],
            x_step: x.pixel() * geometry.stride[1],
            slope: 1.0,
            maximum: f32::INFINITY,
            bytes: Some(end),
            ..output_tile(&y.layout, residual.as_ref(), words.len(), layer)
        };
        let bias = Arc::new(bias);
        let mut convolution = whole_output(layer, tile, &y, residual.as_ref(), weights.packed, bias);
        convolution.stages = Epilogue::default().stages();
        convolution.staged = staged;
        convolution.x = Lines {
            origin: (x.halo.top - geometry.padding.top) * x.row()
                + (x.halo.left - geometry.padding.left) * x.pixel(),
            line: x.row() * geometry.stride[0],
            length: x.image(),
        };
        let pointwise = geometry.kernel == [1, 1] && geometry.stride == [1, 1];
        let contiguous = [Some(&x), Some(&y.layout), residual.as_ref().map(Place::layout)];
        if pointwise && contiguous.into_iter().flatten().all(Layout::is_contiguous) {
            cut_pixels(&mut convolution, tile_pixels(self.isa.bytes().vectors()));
        }
        self.set_groups(&mut convolution, &reads, &x, self.images[index]);
        ConvolutionStep {
            convolutions: vec![DirectConvolution::new(convolution)],
            x: Source::Blocked(Place::Arena(x_part)),
            residual,
            y,
        }
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
            .packed
            .get(layer, Packing::ByteDepthwise(layer.inputs[0]), length, |packed| {
                let kept = Kept::Numbers(ByteDepthwise::largest_weight(taps) as f64);
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
        let (residual, weights) = (residual.map(|(place, _)| place), weights.packed);
        self.rows(layer, geometry, Place::Arena(x), residual, |windows| {
            RowWork::ByteDepthwise(ByteDepthwise::new(windows, weights, bias, finish))
        })
    }

    /// What a layer's own bytes stand for, where it writes bytes.
    fn result_range(&self, layer: &Layer) -> Option<&ByteRange> {
        let writes_bytes = self.kinds.elements[layer.output] != Element::Float;
        self.kinds.ranges[layer.output]
            .as_deref()
            .filter(|_| writes_bytes)
    }
}

/// The terms in each word of an output channel's sum, as places in its weights, and the blocks that are read.
fn words_of(geometry: &Geometry) -> (Vec<[Option<usize>; WORD]>, ReadBlocks) {
    let taps = geometry.kernel[0] * geometry.kernel[1];
    let blocks = geometry.inputs.div_ceil(LANES);
    let reads = ReadBlocks {
        count: blocks,
        firsts: vec![0; geometry.outputs.div_ceil(LANES)],
        last_channels: geometry.inputs - (blocks - 1) * LANES,
    };
    let mut words = Vec::new();
    for block in 0..blocks {
        for tap in 0..taps {
            for first in (0..reads.channels_of(block)).step_by(WORD) {
                words.push([0, 1, 2, 3].map(|offset| {
                    let channel = block * LANES + first + offset;
                    (channel < geometry.inputs).then_some(channel * taps + tap)
                }));
            }
        }
    }
    (words, reads)
}

/// The end of a tile whose sums go through stages: as numbers, whatever is made of them then.
fn unbounded(staged: &Staged, r_step: usize) -> ByteEnd {
    ByteEnd {
        result: if staged.result.is_some() {
            ByteResult::Bytes
        } else {
            ByteResult::Floats
        },
        bounds: [f32::NEG_INFINITY, f32::INFINITY],
        r_step,
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

/// The range of an activation that does nothing within it.
fn bounds_of(activation: Option<Activation>) -> Option<[f32; 2]> {
    match activation {
        None => Some([f32::NEG_INFINITY, f32::INFINITY]),
        Some(Activation::Relu) => Some([0.0, f32::INFINITY]),
        Some(Activation::Relu6) => Some([0.0, 6.0]),
        Some(Activation::Clamp(limit)) => Some([-limit, limit]),
        Some(_) => None,
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
        let mut scaled = AlignedBuffer::zeroed(bias.len() / LANES * BYTE_BIAS);
        for channel in 0..outputs {
            let unit = result.map_or(1.0, |range| f64::from(range.steps[channel]));
            let offset = f64::from(self.zero) * weights.sum(channel) * weights.step(channel);
            let number = f64::from(bias[channel]) + weights.lacking(channel) - offset;
            let mut summand = number / unit + zero;
            let at = channel / LANES * BYTE_BIAS + channel % LANES;
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
                residual: self.residual.map(|range| range.zero),
                result: self.result.map(|range| range.zero),
            };
            return (Finish::Staged(staged), scaled);
        };
        let end = match result {
            Some(range) => ByteEnd {
                result: match added {
                    Some(_) => ByteResult::BytesAndResidual,
                    None => ByteResult::Bytes,
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
            None => ByteEnd {
                result: ByteResult::Floats,
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
