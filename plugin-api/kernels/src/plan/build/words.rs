//! What steps on bytes and steps on bf16 have in common: the second places of values, and convolutions of words.

use super::{
    super::{
        algorithm::Geometry,
        fuse::Layer,
        quantise::Form,
        ranges::ByteRange,
        steps::{BlockStep, BlockWork, ConvolutionStep, RowWork, Source},
        storage::{Part, Place},
    },
    Builder,
    convolution::{output_tile, whole_output},
    tasks::cut_pixels,
};
use crate::{
    graph::Activation,
    kernels::{
        conversion::{ByteScale, Conversion},
        convolution::{DirectConvolution, Lines},
        epilogue::Epilogue,
        reads::ReadBlocks,
        requantise::{Finish, Narrow, Staged},
        tile::{Tile, WordEnd, WordResult, Words, tile_pixels},
    },
    memory::{AlignedBuffer, Element, Halo, Layout, Packed},
    simd::LANES,
};
use std::sync::Arc;

/// The terms of each output channel's sum in words of so many values, and the blocks that are read.
pub(super) struct WordTerms<const VALUES: usize> {
    /// As places in an output channel's weights; `None` where there is no term.
    pub(super) words: Vec<[Option<usize>; VALUES]>,
    reads: ReadBlocks,
}

/// A convolution of words without what its geometry says.
pub(super) struct WordLayer {
    /// The operand's narrow form.
    pub(super) x: Part,
    pub(super) residual: Option<Place>,
    pub(super) weights: Packed,
    pub(super) bias: AlignedBuffer,
    pub(super) finish: Finish,
}

impl<const VALUES: usize> WordTerms<VALUES> {
    /// Of a convolution of one group.
    pub(super) fn of(geometry: &Geometry) -> Self {
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
                for first in (0..reads.channels_of(block)).step_by(VALUES) {
                    words.push(std::array::from_fn(|offset| {
                        let channel = block * LANES + first + offset;
                        (channel < geometry.inputs).then_some(channel * taps + tap)
                    }));
                }
            }
        }
        Self { words, reads }
    }

    /// Where each of so many terms comes to, counted in values.
    pub(super) fn places(&self, terms: usize) -> Vec<usize> {
        let mut places = vec![0; terms];
        for (place, term) in self.words.iter().flatten().enumerate() {
            if let Some(term) = term {
                places[*term] = place;
            }
        }
        places
    }
}

impl Builder<'_> {
    /// Gives the values that are read in another form than they are computed in a second place.
    pub(super) fn add_converted(&mut self, halos: &[Halo]) {
        for (node, &halo) in halos.iter().enumerate() {
            let form = self.kinds.forms[node].as_ref();
            let Some(form) = form.filter(|_| self.kinds.converted[node]) else {
                continue;
            };
            let element = match self.kinds.elements[node] {
                Element::Float => form.element(),
                Element::Byte { .. } | Element::Bf16 => Element::Float,
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
        let is_narrowed = y.layout.element != Element::Float;
        let conversion = match (self.kinds.forms[value].as_ref()?, is_narrowed) {
            (Form::Bytes(range), true) => Conversion::ToBytes(scale_of_bytes(range, |step| 1.0 / step)),
            (Form::Bytes(range), false) => Conversion::FromBytes(scale_of_bytes(range, |step| step)),
            (Form::Bf16, true) => Conversion::ToBf16,
            (Form::Bf16, false) => Conversion::FromBf16,
        };
        Some(BlockStep {
            work: BlockWork::Rows(RowWork::Convert(conversion)),
            x: self.places[value].clone()?,
            z: None,
            y,
        })
    }

    /// Where a value's narrow form is, and which one it is.
    pub(super) fn narrow(&self, value: usize) -> Option<(Part, &Form)> {
        let form = self.kinds.narrow(value)?;
        let part = if self.kinds.elements[value] == Element::Float {
            self.converted[&value]
        } else {
            self.part(value)
        };
        Some((part, form))
    }

    /// The operand of a layer on words.
    pub(super) fn narrow_operand(&self, layer: &Layer) -> (Part, &Form) {
        self.narrow(layer.inputs[0])
            .expect("a layer is computed on words where its operand has them")
    }

    /// A layer's own narrow form, where it writes one.
    pub(super) fn result_form(&self, layer: &Layer) -> Option<&Form> {
        let is_narrow = self.kinds.elements[layer.output] != Element::Float;
        self.kinds.forms[layer.output].as_ref().filter(|_| is_narrow)
    }

    /// The convolution of a layer on words.
    pub(super) fn word_convolution<const VALUES: usize>(
        &self,
        index: usize,
        geometry: &Geometry,
        terms: &WordTerms<VALUES>,
        words: Words,
        made: WordLayer,
    ) -> ConvolutionStep {
        let layer = &self.layers[index];
        let (x, y) = (made.x.layout, self.part(layer.output));
        let residual = made.residual;
        let r_step = residual.as_ref().map_or(0, |place| place.layout().pixel());
        let (end, staged) = match made.finish {
            Finish::Bounded(end) => (WordEnd { r_step, ..end }, None),
            Finish::Staged(staged) => (unbounded(&staged, words, r_step), Some(staged)),
        };
        let tile = Tile {
            blocks: terms.reads.count,
            rows: geometry.kernel[0],
            columns: geometry.kernel[1],
            channels: LANES / VALUES,
            last_channels: terms.reads.last_channels.div_ceil(VALUES),
            x_block: x.block(),
            x_row: x.row() * geometry.dilation[0],
            x_column: x.pixel() * geometry.dilation[1],
            x_step: x.pixel() * geometry.stride[1],
            slope: 1.0,
            maximum: f32::INFINITY,
            end: Some(end),
            ..output_tile(&y.layout, residual.as_ref(), terms.words.len(), layer)
        };
        let bias = Arc::new(made.bias);
        let mut convolution = whole_output(layer, tile, &y, residual.as_ref(), made.weights, bias);
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
            cut_pixels(&mut convolution, tile_pixels(words.set(self.isa).vectors()));
        }
        self.set_groups(&mut convolution, &terms.reads, &x, self.images[index]);
        ConvolutionStep {
            convolutions: vec![DirectConvolution::new(convolution)],
            x: Source::Blocked(Place::Arena(made.x)),
            residual,
            y,
        }
    }
}

/// The end of a tile whose sums go through stages: as numbers, whatever is made of them then.
fn unbounded(staged: &Staged, words: Words, r_step: usize) -> WordEnd {
    let result = match staged.result {
        None => WordResult::Floats,
        Some(Narrow::Bytes(_)) => WordResult::Bytes,
        Some(Narrow::Bf16) => WordResult::Bf16,
    };
    WordEnd {
        words,
        result,
        bounds: [f32::NEG_INFINITY, f32::INFINITY],
        r_step,
    }
}

/// What a conversion needs of bytes, given the factor of each step.
fn scale_of_bytes(range: &ByteRange, factor: impl Fn(f32) -> f32) -> ByteScale {
    let mut factors = AlignedBuffer::zeroed(range.steps.len().next_multiple_of(LANES));
    for (to, &step) in factors.iter_mut().zip(&range.steps) {
        *to = factor(step);
    }
    ByteScale {
        zero: range.zero,
        factors,
    }
}

/// The range of an activation that does nothing within it.
pub(super) fn bounds_of(activation: Option<Activation>) -> Option<[f32; 2]> {
    match activation {
        None => Some([f32::NEG_INFINITY, f32::INFINITY]),
        Some(Activation::Relu) => Some([0.0, f32::INFINITY]),
        Some(Activation::Relu6) => Some([0.0, 6.0]),
        Some(Activation::Clamp(limit)) => Some([-limit, limit]),
        Some(_) => None,
    }
}
