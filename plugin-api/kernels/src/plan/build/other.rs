//! Steps of layers without convolutions.

use super::super::fuse::Layer;
use super::super::steps::{AttentionStep, BlockStep, BlockWork, Dense, FlattenStep, RowWork, Step};
use super::super::storage::{Part, Place};
use super::super::weights::per_channel;
use super::Builder;
use crate::graph::{Attention, Op};
use crate::kernels::attention::HeadAttention;
use crate::kernels::elementwise::Elementwise;
use crate::kernels::normalise::Normalisation;
use crate::kernels::pooling::{Reduction, Windows};
use crate::kernels::upsampling::Upsampling;
use crate::memory::Layout;
use crate::simd::LANES;

impl Builder<'_> {
    /// The steps of a layer; none where its value is a part of its operand already.
    pub(super) fn add_other(&self, layer: &Layer, op: &Op, steps: &mut Vec<Box<dyn Step>>) {
        let Some(&input) = layer.inputs.first() else {
            return;
        };
        let x = self.place(input).clone();
        let y = self.part(layer.output);
        let size = |layout: &Layout| [layout.height, layout.width];
        let work = match op {
            Op::Input
            | Op::Constant(_)
            | Op::Convolution(_)
            | Op::TransposedConvolution(_)
            | Op::Linear { .. } => return,
            Op::Activation(activation) => {
                BlockWork::Rows(RowWork::Elementwise(Elementwise::Activation(*activation)))
            }
            Op::Affine { scale, shift } => {
                let (scale, shift) = (per_channel(scale), per_channel(shift));
                BlockWork::Rows(RowWork::Elementwise(Elementwise::Affine { scale, shift }))
            }
            Op::Add => BlockWork::Rows(RowWork::Elementwise(Elementwise::Add {
                after: layer.epilogue.after,
            })),
            Op::Multiply => {
                let same = self.shape(layer.inputs[1]) == self.shape(input);
                BlockWork::Rows(RowWork::Elementwise(if same {
                    Elementwise::Multiply
                } else {
                    Elementwise::Scale
                }))
            }
            Op::Concat => return self.concat(layer, &y, steps),
            Op::ConcatTokens => return self.concat_tokens(layer, &y, steps),
            Op::Slice { start, count } => {
                if is_at(&x, &y, start / LANES) && start % LANES == 0 {
                    return;
                }
                BlockWork::Channels((*start..start + count).collect())
            }
            Op::ChannelShuffle { groups } => {
                let size = y.layout.channels / groups;
                let source = |channel: usize| (channel % groups) * size + channel / groups;
                BlockWork::Channels((0..y.layout.channels).map(source).collect())
            }
            Op::MaxPool(pool) => BlockWork::Rows(RowWork::Pool(Reduction::Maximum, Windows::of(pool))),
            Op::AveragePool {
                pool,
                count_include_pad,
            } => {
                let reduction = Reduction::Mean {
                    count_include_pad: *count_include_pad,
                };
                BlockWork::Rows(RowWork::Pool(reduction, Windows::of(pool)))
            }
            Op::AdaptiveAveragePool { size } => BlockWork::Rows(RowWork::Pool(
                Reduction::Mean {
                    count_include_pad: false,
                },
                size.map(Windows::Parts),
            )),
            Op::MeanTokens => BlockWork::Rows(RowWork::Pool(
                Reduction::Mean {
                    count_include_pad: false,
                },
                [Windows::Parts(1), Windows::Parts(1)],
            )),
            Op::Upsample { interpolation, .. } => BlockWork::Rows(RowWork::Upsample(Upsampling::new(
                *interpolation,
                size(x.layout()),
                size(&y.layout),
            ))),
            Op::Flatten => {
                if !is_at(&x, &y, 0) {
                    let dense = Dense::of(self.shape(input));
                    steps.push(Box::new(FlattenStep { dense, x, y }));
                }
                return;
            }
            Op::ToTokens | Op::ToMap { .. } => {
                if is_at(&x, &y, 0) {
                    return;
                }
                BlockWork::Positions {
                    from: 0,
                    to: 0,
                    count: y.layout.height * y.layout.width,
                }
            }
            Op::SelectToken { index } => BlockWork::Positions {
                from: *index,
                to: 0,
                count: 1,
            },
            Op::LayerNorm(parameters) => {
                let (weight, bias) = (per_channel(&parameters.weight), per_channel(&parameters.bias));
                let epsilon = parameters.epsilon;
                BlockWork::Normalise(Normalisation::Layer {
                    weight,
                    bias,
                    epsilon,
                })
            }
            Op::Softmax => BlockWork::Normalise(Normalisation::Softmax),
            Op::Attention(parameters) => return self.attention(layer, parameters, y, steps),
        };
        // The second operand of an upsampling only says how large the result is.
        let second = layer.inputs.get(1).filter(|_| !matches!(op, Op::Upsample { .. }));
        let z = second.map(|&second| self.place(second).clone());
        steps.push(Box::new(BlockStep { work, x, z, y }));
    }

    fn concat(&self, layer: &Layer, y: &Part, steps: &mut Vec<Box<dyn Step>>) {
        let mut start = 0;
        let mut moved = Vec::new();
        for &operand in &layer.inputs {
            let x = self.place(operand).clone();
            let channels = x.layout().channels;
            if start % LANES != 0 || !is_part(&x, y, start / LANES) {
                moved.push((x, start, channels));
            }
            start += channels;
        }
        for (x, start, channels) in moved {
            if start % LANES == 0 {
                let layout = Layout { channels, ..y.layout };
                let part = Part {
                    block: y.block + start / LANES,
                    layout,
                    ..*y
                };
                let work = BlockWork::Rows(RowWork::Elementwise(Elementwise::Copy));
                steps.push(Box::new(BlockStep {
                    work,
                    x,
                    z: None,
                    y: part,
                }));
            } else {
                let work = BlockWork::ChannelsInto { start };
                steps.push(Box::new(BlockStep {
                    work,
                    x,
                    z: None,
                    y: *y,
                }));
            }
        }
    }

    fn concat_tokens(&self, layer: &Layer, y: &Part, steps: &mut Vec<Box<dyn Step>>) {
        let mut to = 0;
        for &operand in &layer.inputs {
            let x = self.place(operand).clone();
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
        let inputs = [0, 1, 2].map(|index| self.place(layer.inputs[index]).clone());
        let features = inputs[0].layout().channels / parameters.heads;
        let head = HeadAttention {
            features,
            value_features: inputs[2].layout().channels / parameters.heads,
            queries: inputs[0].layout().width,
            keys: inputs[1].layout().width,
            scale: parameters.scale.unwrap_or(1.0 / (features as f32).sqrt()),
            causal: parameters.causal,
        };
        steps.push(Box::new(AttentionStep {
            head,
            heads: parameters.heads,
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
