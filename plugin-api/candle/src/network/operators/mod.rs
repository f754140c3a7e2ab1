//! Networks on Candle's own operators: what runs on CUDA and Metal.
//!
//! Weights and values are of one type, `f32` or one of half its size. What sums up many of them or takes their exponents does it
//! in `f32`, whatever the type.

mod convolution;
mod deformable;
mod elementwise;
mod fold;
mod resample;
mod selection;
mod tokens;
mod window;

use candle_core::{DType, Device, Result as CandleResult, Tensor};
use modelzoo_kernels::graph::{Graph, Op, Shape, Weight};
use modelzoo_plugin_api::{Context, Error, Result};

/// A network's layers with their parameters on a device.
#[derive(Debug)]
pub(super) struct Operators {
    layers: Vec<Layer>,
    folded: fold::Folded,
    target: Target,
}

/// Where the parameters are, and of which type.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) device: Device,
    pub(super) dtype: DType,
}

impl Target {
    /// A weight as it is used there.
    fn tensor(&self, weight: &Weight) -> CandleResult<Tensor> {
        tensor(weight, &self.device)?.to_dtype(self.dtype)
    }
}

/// A layer's parameters; what has none needs no preparation.
#[derive(Debug)]
enum Layer {
    Convolution(convolution::Convolution),
    TransposedConvolution(convolution::TransposedConvolution),
    /// Folded into the convolution that made its operand.
    Folded,
    Affine(Tensor, Tensor),
    Linear(Tensor, Option<Tensor>),
    LayerNorm(tokens::LayerNorm),
    Constant(Tensor),
    Indices(Tensor),
    Rotation(tokens::Rotation),
    WindowAttention(tokens::WindowAttention),
    DeformableAttention(deformable::PointAttention),
    Plain,
}

impl Operators {
    /// Copies the parameters to where they are used; normalisations are folded into the convolutions before them.
    pub(super) fn new(graph: &Graph, target: &Target) -> Result<Self> {
        let device = &target.device;
        let folded = fold::affine_after_convolution(graph);
        let layers = graph
            .nodes()
            .iter()
            .enumerate()
            .map(|(index, node)| {
                let layer = match &node.op {
                    Op::Convolution(parameters) => {
                        let affine = folded.scale_and_shift_for(graph, index);
                        convolution::Convolution::new(parameters, affine, target).map(Layer::Convolution)
                    }
                    Op::TransposedConvolution(parameters) => {
                        convolution::TransposedConvolution::new(parameters, target)
                            .map(Layer::TransposedConvolution)
                    }
                    Op::Affine { .. } if folded.is_folded(index) => Ok(Layer::Folded),
                    Op::Affine { scale, shift } => target
                        .tensor(scale)
                        .and_then(|scale| Ok(Layer::Affine(scale, target.tensor(shift)?))),
                    Op::Linear { weight, bias } => target.tensor(weight).and_then(|weight| {
                        let bias = bias.as_ref().map(|bias| target.tensor(bias)).transpose()?;
                        Ok(Layer::Linear(weight.t()?.contiguous()?, bias))
                    }),
                    Op::LayerNorm(parameters) => {
                        tokens::LayerNorm::new(parameters, device).map(Layer::LayerNorm)
                    }
                    Op::Constant(weight) => target
                        .tensor(weight)
                        .and_then(|weight| Ok(Layer::Constant(weight.unsqueeze(0)?))),
                    Op::TakeTokens { indices } => {
                        let indices: Vec<u32> = indices.iter().map(|&index| index as u32).collect();
                        Tensor::new(indices, device).map(Layer::Indices)
                    }
                    Op::Rotate(parameters) => tokens::Rotation::new(parameters, target).map(Layer::Rotation),
                    Op::WindowAttention(parameters) => {
                        tokens::WindowAttention::new(parameters, target).map(Layer::WindowAttention)
                    }
                    Op::DeformableAttention(parameters) => {
                        deformable::PointAttention::new(parameters, device).map(Layer::DeformableAttention)
                    }
                    _ => Ok(Layer::Plain),
                };
                layer.with_context(|| format!("layer `{}` cannot be prepared", node.name))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            layers,
            folded,
            target: target.clone(),
        })
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Whether it can compute all outputs of `graph`, the one that was prepared with other outputs: not where one is
    /// a convolution's result before the normalisation that was folded into it.
    pub(super) fn can_compute(&self, graph: &Graph) -> bool {
        graph.outputs().iter().all(|&output| !self.folded.hides(output))
    }

    /// Runs a batch of `f32`, and gives such; `graph` is the one that was prepared, perhaps with other shapes or outputs.
    pub(super) fn run(&self, graph: &Graph, batch: &Tensor) -> Result<Vec<Tensor>> {
        let batch = batch.to_dtype(self.target.dtype)?;
        let last_uses = last_uses(graph);
        let mut values: Vec<Option<Tensor>> = vec![None; graph.nodes().len()];
        for (index, node) in graph.nodes().iter().enumerate() {
            if last_uses[index].is_none() {
                continue;
            }
            let operands: Vec<(&Tensor, Shape)> = node
                .inputs
                .iter()
                .filter_map(|&input| Some((values[input].as_ref()?, graph.shapes()[input])))
                .collect();
            let result = match &node.op {
                Op::Input => Ok(batch.clone()),
                op => self.layer(index, op, &operands, graph.shapes()[index]),
            };
            values[index] = Some(result.with_context(|| format!("layer `{}` failed", node.name))?);
            for &input in &node.inputs {
                if last_uses[input] == Some(index) {
                    values[input] = None;
                }
            }
        }
        let missing = || Error::new("an output of the network was not computed");
        graph
            .outputs()
            .iter()
            .map(|&output| {
                let value = values[output].as_ref().ok_or_else(missing)?;
                Ok(value.to_dtype(DType::F32)?)
            })
            .collect()
    }

    fn layer(
        &self,
        index: usize,
        op: &Op,
        operands: &[(&Tensor, Shape)],
        result: Shape,
    ) -> CandleResult<Tensor> {
        let tensors: Vec<&Tensor> = operands.iter().map(|(tensor, _)| *tensor).collect();
        // A constant has no operand; all others have at least one, as the graph has checked.
        let Some(&(x, shape)) = operands.first() else {
            return match &self.layers[index] {
                Layer::Constant(value) => Ok(value.clone()),
                _ => candle_core::bail!("the layer has no operand"),
            };
        };
        match (op, &self.layers[index]) {
            (Op::Convolution(parameters), Layer::Convolution(layer)) => {
                layer.run(x, parameters.padding_of(shape))
            }
            (_, Layer::TransposedConvolution(layer)) => layer.run(x),
            (_, Layer::Folded) => Ok(x.clone()),
            (_, Layer::Affine(scale, shift)) => elementwise::affine(x, scale, shift),
            (_, Layer::Linear(weight, bias)) => tokens::linear(x, weight, bias.as_ref()),
            (_, Layer::LayerNorm(layer)) => layer.run(x),
            (_, Layer::Indices(indices)) => x.index_select(indices, 1),
            (_, Layer::Rotation(layer)) => layer.run(x),
            (_, Layer::WindowAttention(layer)) => layer.run(&tensors),
            (_, Layer::DeformableAttention(layer)) => layer.run(&tensors),
            (Op::Activation(activation), _) => elementwise::activation(x, *activation),
            (Op::Add, _) => x.broadcast_add(tensors[1]),
            (Op::Multiply, _) => elementwise::multiply(x, tensors[1]),
            (Op::Concat, _) => elementwise::concat(&tensors),
            (Op::ConcatTokens, _) => tokens::concat(&tensors),
            (Op::Slice { start, count }, _) => x
                .narrow(elementwise::channel_dim(x), *start, *count)?
                .contiguous(),
            (Op::ChannelShuffle { groups }, _) => elementwise::channel_shuffle(x, *groups),
            (Op::Softmax, _) => in_single(x, |x| candle_nn::ops::softmax(x, elementwise::channel_dim(x))),
            (Op::GroupNorm { groups, epsilon }, _) => {
                in_single(x, |x| elementwise::group_norm(x, *groups, *epsilon))
            }
            (Op::UnitLength { parts }, _) => in_single(x, |x| tokens::unit_length(x, *parts)),
            (Op::ResponseNorms { epsilon }, _) => in_single(x, |x| tokens::response_norms(x, *epsilon)),
            (Op::Function(function), _) => in_single(x, |x| elementwise::function(x, *function)),
            (Op::Flatten, _) => x.flatten_from(1),
            (Op::MaxPool(pool), _) => window::max_pool(x, pool, result),
            (
                Op::AveragePool {
                    pool,
                    count_include_pad,
                },
                _,
            ) => in_single(x, |x| window::average_pool(x, pool, *count_include_pad, result)),
            (Op::AdaptiveAveragePool { size }, _) => in_single(x, |x| resample::adaptive_average(x, *size)),
            (Op::Upsample { interpolation, .. }, _) => {
                in_single(x, |x| resample::interpolate(x, *interpolation, shape, result))
            }
            (Op::ToTokens, _) => x.flatten_from(2)?.transpose(1, 2)?.contiguous(),
            (
                Op::ToMap {
                    size: [height, width],
                },
                _,
            ) => {
                let (batch, _, features) = x.dims3()?;
                x.transpose(1, 2)?
                    .contiguous()?
                    .reshape((batch, features, *height, *width))
            }
            (Op::SelectToken { index }, _) => x.narrow(1, *index, 1)?.squeeze(1)?.contiguous(),
            (Op::TopTokens { count }, _) => selection::top_tokens(&tensors, *count),
            (Op::TopFeatures { count }, _) => selection::top_features(x, *count),
            (Op::MeanTokens, _) => in_single(x, |x| x.mean(1)),
            (Op::Attention(parameters), _) => tokens::attention(&tensors, parameters, &self.target.device),
            (op, _) => candle_core::bail!("there is no operator for {op:?}"),
        }
    }
}

/// For each node the last one that uses it; the number of nodes for outputs, `None` where no output depends on it.
fn last_uses(graph: &Graph) -> Vec<Option<usize>> {
    let end = graph.nodes().len();
    let mut last_uses = vec![None; end];
    for &output in graph.outputs() {
        last_uses[output] = Some(end);
    }
    for (index, node) in graph.nodes().iter().enumerate().rev() {
        if last_uses[index].is_some() {
            for &input in &node.inputs {
                last_uses[input] = last_uses[input].or(Some(index));
            }
        }
    }
    last_uses
}

fn tensor(weight: &Weight, device: &Device) -> CandleResult<Tensor> {
    Tensor::from_slice(weight.data(), weight.dims(), device)
}

/// What is computed in `f32` of values of any type, as values of that type.
fn in_single(x: &Tensor, compute: impl FnOnce(&Tensor) -> CandleResult<Tensor>) -> CandleResult<Tensor> {
    compute(&x.to_dtype(DType::F32)?)?.to_dtype(x.dtype())
}
