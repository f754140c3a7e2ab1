//! Steps of layers without convolutions.

use super::{
    super::{
        fuse::Layer,
        steps::{AttentionStep, BlockStep, BlockWork, DeformableStep, Dense, FlattenStep, RowWork, Step},
        storage::{Part, Place},
        weights::per_channel,
    },
    Builder,
};
use crate::{
    graph::{Attention, Op, WindowAttention},
    kernels::{
        attention::{AttentionBias, HeadAttention, HeadSizes},
        deformable::PointAttention,
        elementwise::Elementwise,
        heads::HeadWork,
        normalise::Normalisation,
        pooling::{Reduction, Windows},
        upsampling::Upsampling,
    },
    memory::Layout,
    simd::LANES,
};

impl Builder<'_> {
    /// The steps of a layer; none where its value is a part of its operand already.
    pub(super) fn add_other(&self, layer: &Layer, op: &Op, steps: &mut Vec<Box<dyn Step>>) {
        let Some(&input) = layer.inputs.first() else {
            return;
        };
        let x = self.place(input);
        let y = self.part(layer.output);
        match op {
            Op::Concat => self.concat(layer, &y, steps),
            Op::ConcatTokens => self.concat_tokens(layer, &y, steps),
            Op::Attention(parameters) => self.attention(layer, parameters, y, steps),
            Op::WindowAttention(parameters) => self.window_attention(layer, parameters, y, steps),
            Op::DeformableAttention(parameters) => {
                let inputs = [0, 1, 2, 3].map(|index| self.place(layer.inputs[index]));
                let attention = PointAttention::new(parameters, inputs[0].layout().channels);
                steps.push(Box::new(DeformableStep { attention, inputs, y }));
            }
            Op::Slice { start, .. } if start % LANES == 0 && is_at(&x, &y, start / LANES) => {}
            Op::Flatten | Op::ToTokens | Op::ToMap { .. } if is_at(&x, &y, 0) => {}
            Op::Flatten => {
                let dense = Dense::of(self.shape(input));
                steps.push(Box::new(FlattenStep { dense, x, y }));
            }
            _ => {
                let rows = self.row_work(layer, op, x.layout(), &y.layout);
                if let Some(work) = rows.map(BlockWork::Rows).or_else(|| block_work(op, &y.layout)) {
                    // The second operand of an upsampling only says how large the result is.
                    let second = layer.inputs.get(1).filter(|_| !matches!(op, Op::Upsample { .. }));
                    let z = second.map(|&second| self.place(second));
                    steps.push(Box::new(BlockStep { work, x, z, y }));
                }
            }
        }
    }

    /// What is computed of each row on its own, if it is.
    fn row_work(&self, layer: &Layer, op: &Op, x: &Layout, y: &Layout) -> Option<RowWork> {
        let elementwise = match op {
            Op::Activation(activation) => Elementwise::Activation(*activation),
            Op::Affine { scale, shift } => Elementwise::Affine {
                scale: per_channel(scale),
                shift: per_channel(shift),
            },
            Op::Add => Elementwise::Add {
                after: layer.epilogue.after,
            },
            Op::Multiply if self.shape(layer.inputs[1]) == self.shape(layer.inputs[0]) => {
                Elementwise::Multiply
            }
            Op::Multiply => Elementwise::Scale,
            Op::Upsample { interpolation, .. } => {
                let size = |layout: &Layout| [layout.height, layout.width];
                let upsampling = Upsampling::new(*interpolation, size(x), size(y));
                return Some(RowWork::Upsample(upsampling));
            }
            op => return pooling(op).map(|(reduction, windows)| RowWork::Pool(reduction, windows)),
        };
        Some(RowWork::Elementwise(elementwise))
    }

    fn concat(&self, layer: &Layer, y: &Part, steps: &mut Vec<Box<dyn Step>>) {
        let mut start = 0;
        let mut moved = Vec::new();
        for &operand in &layer.inputs {
            let x = self.place(operand);
            let channels = x.layout().channels;
            if start % LANES != 0 || !is_part(&x, y, start / LANES) {
                moved.push((x, start, channels));
            }
            start += channels;
        }
        for (x, start, channels) in moved {
            // The blocks with the operand's channels; other channels of the first one are there already.
            let others = start % LANES;
            let layout = Layout {
                channels: others + channels,
                ..y.layout
            };
            let y = Part {
                block: y.block + start / LANES,
                layout,
                ..*y
            };
            let work = if others == 0 {
                BlockWork::Rows(RowWork::Elementwise(Elementwise::Copy))
            } else {
                BlockWork::ChannelsInto { start: others }
            };
            steps.push(Box::new(BlockStep { work, x, z: None, y }));
        }
    }

    fn concat_tokens(&self, layer: &Layer, y: &Part, steps: &mut Vec<Box<dyn Step>>) {
        let mut to = 0;
        for &operand in &layer.inputs {
            let x = self.place(operand);
            let count = x.layout().width;
            let work = BlockWork::Positions { from: 0, to, count };
            steps.push(Box::new(BlockStep {
                work,
                x,
                z: None,
                y: *y,
            }));
            to += count;
        }
    }

    fn attention(&self, layer: &Layer, parameters: &Attention, y: Part, steps: &mut Vec<Box<dyn Step>>) {
        let inputs = [0, 1, 2].map(|index| self.place(layer.inputs[index]));
        let sizes = HeadSizes {
            features: inputs[0].layout().channels / parameters.heads,
            value_features: inputs[2].layout().channels / parameters.heads,
            queries: inputs[0].layout().width,
            keys: inputs[1].layout().width,
        };
        let scale = parameters.scale.unwrap_or(1.0 / (sizes.features as f32).sqrt());
        let head = HeadAttention::new(sizes, scale, parameters.causal);
        steps.push(Box::new(AttentionStep {
            head: self.attention_head(layer, head),
            heads: parameters.heads,
            windows: 1,
            bias: None,
            inputs,
            y,
        }));
    }

    /// The head with the products that the layer has.
    fn attention_head(&self, layer: &Layer, head: HeadAttention) -> HeadAttention {
        if self.kinds.attention_on_bf16[layer.output] {
            head.on_bf16()
        } else {
            head
        }
    }

    fn window_attention(
        &self,
        layer: &Layer,
        parameters: &WindowAttention,
        y: Part,
        steps: &mut Vec<Box<dyn Step>>,
    ) {
        let inputs = [0, 1, 2].map(|index| self.place(layer.inputs[index]));
        let sizes = HeadSizes {
            features: inputs[0].layout().channels / parameters.heads,
            value_features: inputs[2].layout().channels / parameters.heads,
            queries: inputs[0].layout().width / parameters.windows,
            keys: inputs[1].layout().width / parameters.windows,
        };
        let scale = parameters.scale.unwrap_or(1.0 / (sizes.features as f32).sqrt());
        steps.push(Box::new(AttentionStep {
            head: self.attention_head(layer, HeadAttention::new(sizes, scale, false)),
            heads: parameters.heads,
            windows: parameters.windows,
            bias: Some(AttentionBias::new(&parameters.bias)),
            inputs,
            y,
        }));
    }
}

/// Whether a value's memory is that of another one, from its block `block` on.
fn is_at(x: &Place, y: &Part, block: usize) -> bool {
    matches!(x, Place::Arena(part) if part.buffer == y.buffer && part.block + block == y.block)
}

/// Whether a value's memory is a part of another one's, from that one's block `block` on.
fn is_part(x: &Place, y: &Part, block: usize) -> bool {
    matches!(x, Place::Arena(part) if part.buffer == y.buffer && part.block == y.block + block)
}

/// How windows are reduced, where a layer does that.
fn pooling(op: &Op) -> Option<(Reduction, [Windows; 2])> {
    let mean = |count_include_pad| Reduction::Mean { count_include_pad };
    Some(match op {
        Op::MaxPool(pool) => (Reduction::Maximum, Windows::of(pool)),
        Op::AveragePool {
            pool,
            count_include_pad,
        } => (mean(*count_include_pad), Windows::of(pool)),
        Op::AdaptiveAveragePool { size } => (mean(false), size.map(Windows::Parts)),
        Op::MeanTokens => (mean(false), [Windows::Parts(1), Windows::Parts(1)]),
        _ => return None,
    })
}

/// What is computed of whole blocks or positions, given the layout of the result.
fn block_work(op: &Op, y: &Layout) -> Option<BlockWork> {
    let positions = |from, count| BlockWork::Positions { from, to: 0, count };
    Some(match op {
        Op::Slice { start, count } => BlockWork::Channels((*start..start + count).collect()),
        Op::ChannelShuffle { groups } => {
            let size = y.channels / groups;
            let source = |channel: usize| (channel % groups) * size + channel / groups;
            BlockWork::Channels((0..y.channels).map(source).collect())
        }
        Op::ToTokens | Op::ToMap { .. } => positions(0, y.height * y.width),
        Op::SelectToken { index } => positions(*index, 1),
        Op::TakeTokens { indices } => BlockWork::Tokens(indices.clone()),
        Op::TopTokens { .. } => BlockWork::TopTokens,
        Op::TopFeatures { .. } => BlockWork::TopChannels,
        Op::LayerNorm(parameters) => BlockWork::Normalise(Normalisation::Layer {
            weight: per_channel(&parameters.weight),
            bias: per_channel(&parameters.bias),
            epsilon: parameters.epsilon,
        }),
        Op::Softmax => BlockWork::Normalise(Normalisation::Softmax),
        Op::UnitLength { parts } => BlockWork::Heads(HeadWork::unit_length(*parts, y.channels)),
        Op::GroupNorm { groups, epsilon } => BlockWork::GroupNorm {
            groups: *groups,
            epsilon: *epsilon,
        },
        Op::ResponseNorms { epsilon } => BlockWork::ResponseNorms { epsilon: *epsilon },
        Op::Function(function) => BlockWork::Function(*function),
        Op::Rotate(parameters) => BlockWork::Heads(HeadWork::rotation(parameters, y.channels)),
        _ => return None,
    })
}
