//! Shape inference: checks a layer against its operands and finds the shape of its result.

mod attention;
mod check;
mod window;

use self::{
    attention::{attention, deformable_attention, divides, rotate, window_attention},
    check::{
        check_vector, check_weight, dimensions, map_dims, need, no_map, pair, setting, single, tokens_dims,
    },
    window::{convolution, pool, transposed_convolution},
};
use super::{Activation, BatchNorm, Op, Problem, Shape, UpsampleSize, Weight};
use std::fmt::Display;

/// The shape of what `op` makes of `operands`.
///
/// Every relation that the kernels rely on (lengths of weights, equal shapes, windows that fit) is checked here.
pub(super) fn infer(op: &Op, operands: &[Shape]) -> Result<Shape, Problem> {
    match op {
        Op::Input => Err(setting("input", "a shape", "none")),
        Op::Constant(weight) => constant(weight),
        Op::Convolution(parameters) => convolution(parameters, single(operands)?),
        Op::TransposedConvolution(parameters) => transposed_convolution(parameters, single(operands)?),
        Op::Activation(activation) => activated(*activation, single(operands)?),
        Op::Affine { scale, shift } => with_vectors([("scale", scale), ("shift", shift)], single(operands)?),
        Op::Add => combined(operands, |_, _| false),
        Op::Multiply => combined(operands, |left, right| {
            right.positions() == 1 && right.channels() == left.channels()
        }),
        Op::Concat => concat(operands),
        Op::ConcatTokens => concat_tokens(operands),
        Op::Slice { start, count } => slice(*start, *count, single(operands)?),
        Op::ChannelShuffle { groups } => shuffle(*groups, single(operands)?),
        Op::MaxPool(parameters) => pool(parameters, single(operands)?),
        Op::AveragePool { pool: parameters, .. } => pool(parameters, single(operands)?),
        Op::AdaptiveAveragePool {
            size: [height, width],
        } => {
            let (channels, ..) = map_dims(single(operands)?)?;
            Ok(Shape::map(channels, *height, *width))
        }
        Op::Upsample { size, .. } => upsample(*size, operands),
        Op::Flatten => Ok(Shape::vector(single(operands)?.elements())),
        Op::ToTokens => {
            let (channels, height, width) = map_dims(single(operands)?)?;
            Ok(Shape::tokens(height * width, channels))
        }
        Op::ToMap { size } => to_map(*size, single(operands)?),
        Op::SelectToken { index } => {
            let (count, features) = tokens_dims(single(operands)?)?;
            need(*index < count, "index", format!("below {count}"), index)?;
            Ok(Shape::vector(features))
        }
        Op::TakeTokens { indices } => {
            let (count, features) = tokens_dims(single(operands)?)?;
            let first_wrong = indices.iter().find(|&&index| index >= count);
            if let Some(index) = first_wrong {
                return Err(setting("indices", format!("below {count}"), index));
            }
            need(!indices.is_empty(), "indices", "at least 1", "none")?;
            Ok(Shape::tokens(indices.len(), features))
        }
        Op::TopTokens { count } => top_tokens(*count, operands),
        Op::TopFeatures { count } => top_features(*count, single(operands)?),
        Op::MeanTokens => Ok(Shape::vector(tokens_dims(single(operands)?)?.1)),
        Op::Linear { weight, bias } => linear(weight, bias.as_ref(), single(operands)?),
        Op::LayerNorm(parameters) => {
            let vectors = [("weight", &parameters.weight), ("bias", &parameters.bias)];
            let input = with_vectors(vectors, single(operands)?)?;
            check_epsilon(parameters.epsilon)?;
            Ok(input)
        }
        Op::Softmax => single(operands),
        Op::GroupNorm { groups, epsilon } => {
            let input = single(operands)?;
            let (channels, ..) = map_dims(input)?;
            divides("groups", *groups, channels)?;
            check_epsilon(*epsilon)?;
            Ok(input)
        }
        Op::UnitLength { parts } => {
            let (count, features) = tokens_dims(single(operands)?)?;
            divides("parts", *parts, features)?;
            Ok(Shape::tokens(count, features))
        }
        Op::ResponseNorms { epsilon } => {
            let (_, features) = tokens_dims(single(operands)?)?;
            check_epsilon(*epsilon)?;
            Ok(Shape::vector(features))
        }
        Op::Function(_) => single(operands),
        Op::Rotate(parameters) => rotate(parameters, single(operands)?),
        Op::Attention(parameters) => attention(parameters, operands),
        Op::WindowAttention(parameters) => window_attention(parameters, operands),
        Op::DeformableAttention(parameters) => deformable_attention(parameters, operands),
    }
}

fn constant(weight: &Weight) -> Result<Shape, Problem> {
    check_weight("constant", weight)?;
    match *weight.dims() {
        [features] => Ok(Shape::vector(features)),
        [count, features] => Ok(Shape::tokens(count, features)),
        [channels, height, width] => Ok(Shape::map(channels, height, width)),
        _ => Err(dimensions("constant", "1 to 3 dimensions", weight)),
    }
}

fn activated(activation: Activation, input: Shape) -> Result<Shape, Problem> {
    if let Activation::LeakyRelu(slope) = activation {
        need((0.0..=1.0).contains(&slope), "slope", "0 to 1", slope)?;
    }
    if let Activation::Clamp(limit) = activation {
        need(limit >= 0.0, "limit", "0 or more", limit)?;
    }
    Ok(input)
}

/// A layer with these values for each channel.
fn with_vectors(vectors: [(&'static str, &Weight); 2], input: Shape) -> Result<Shape, Problem> {
    for (name, vector) in vectors {
        check_vector(name, vector, input.channels())?;
    }
    Ok(input)
}

/// Two values of one shape, or of shapes that fit together otherwise.
fn combined(operands: &[Shape], fit: impl FnOnce(Shape, Shape) -> bool) -> Result<Shape, Problem> {
    let (left, right) = pair(operands)?;
    if left == right || fit(left, right) {
        Ok(left)
    } else {
        Err(Problem::ShapesDiffer { left, right })
    }
}

fn slice(start: usize, count: usize, input: Shape) -> Result<Shape, Problem> {
    let end = start.saturating_add(count);
    let inside = count > 0 && end <= input.channels();
    need(
        inside,
        "slice",
        format!("a part of 0..{}", input.channels()),
        format!("{start}..{end}"),
    )?;
    Ok(input.with_channels(count))
}

fn shuffle(groups: usize, input: Shape) -> Result<Shape, Problem> {
    map_dims(input)?;
    let divides = groups > 0 && input.channels().is_multiple_of(groups);
    need(
        divides,
        "groups",
        format!("a divisor of {}", input.channels()),
        groups,
    )?;
    Ok(input)
}

fn to_map([height, width]: [usize; 2], input: Shape) -> Result<Shape, Problem> {
    let (count, features) = tokens_dims(input)?;
    let fits = height.checked_mul(width) == Some(count);
    need(
        fits,
        "size",
        format!("a height times a width of {count}"),
        format!("{height}x{width}"),
    )?;
    Ok(Shape::map(features, height, width))
}

fn top_tokens(count: usize, operands: &[Shape]) -> Result<Shape, Problem> {
    let (tokens, scores) = pair(operands)?;
    let (available, features) = tokens_dims(tokens)?;
    if tokens_dims(scores)?.0 != available {
        return Err(Problem::ShapesDiffer {
            left: tokens,
            right: scores,
        });
    }
    let inside = (1..=available).contains(&count);
    need(inside, "count", format!("1 to {available}"), count)?;
    Ok(Shape::tokens(count, features))
}

fn top_features(count: usize, input: Shape) -> Result<Shape, Problem> {
    no_map(input)?;
    let inside = (1..=input.channels()).contains(&count);
    need(inside, "count", format!("1 to {}", input.channels()), count)?;
    Ok(input.with_channels(count))
}

fn linear(weight: &Weight, bias: Option<&Weight>, input: Shape) -> Result<Shape, Problem> {
    no_map(input)?;
    check_weight("weight", weight)?;
    let [outputs, inputs] = *weight.dims() else {
        return Err(dimensions("weight", "[out, in]", weight));
    };
    if inputs != input.channels() {
        return Err(dimensions(
            "weight",
            format!("[out, {}]", input.channels()),
            weight,
        ));
    }
    bias.into_iter()
        .try_for_each(|bias| check_vector("bias", bias, outputs))?;
    Ok(input.with_channels(outputs))
}

/// Checks an epsilon of either precision, which the error shows as it was given.
fn check_epsilon(epsilon: impl Into<f64> + Copy + Display) -> Result<(), Problem> {
    let value = epsilon.into();
    let is_valid = value >= 0.0 && value.is_finite();
    need(is_valid, "epsilon", "0 or more", epsilon)
}

/// Checks the parameters of a batch normalisation of so many channels.
pub(super) fn check_batch_norm(norm: &BatchNorm, channels: usize) -> Result<(), Problem> {
    check_vector("weight", &norm.weight, channels)?;
    check_vector("bias", &norm.bias, channels)?;
    check_vector("running_mean", &norm.mean, channels)?;
    check_vector("running_var", &norm.variance, channels)?;
    let epsilon = norm.epsilon;
    check_epsilon(epsilon)?;
    let divisible = |&variance: &f32| f64::from(variance) + epsilon > 0.0;
    match norm
        .variance
        .data()
        .iter()
        .position(|variance| !divisible(variance))
    {
        None => Ok(()),
        Some(channel) => Err(setting(
            "running_var with epsilon",
            "more than 0",
            format!(
                "{} in channel {channel}",
                f64::from(norm.variance.data()[channel]) + epsilon
            ),
        )),
    }
}

fn concat(operands: &[Shape]) -> Result<Shape, Problem> {
    let Some(&first) = operands.first() else {
        return Err(setting("operands", "at least 1", "none"));
    };
    let mut channels = 0usize;
    for &shape in operands {
        if shape.with_channels(1) != first.with_channels(1) {
            return Err(Problem::ShapesDiffer {
                left: first,
                right: shape,
            });
        }
        channels = channels.saturating_add(shape.channels());
    }
    Ok(first.with_channels(channels))
}

fn concat_tokens(operands: &[Shape]) -> Result<Shape, Problem> {
    let Some(&first) = operands.first() else {
        return Err(setting("operands", "at least 1", "none"));
    };
    let (_, features) = tokens_dims(first)?;
    let mut tokens = 0usize;
    for &shape in operands {
        let (count, width) = tokens_dims(shape)?;
        if width != features {
            return Err(Problem::ShapesDiffer {
                left: first,
                right: shape,
            });
        }
        tokens = tokens.saturating_add(count);
    }
    Ok(Shape::tokens(tokens, features))
}

fn upsample(size: UpsampleSize, operands: &[Shape]) -> Result<Shape, Problem> {
    match size {
        UpsampleSize::Scale([vertical, horizontal]) => {
            let (channels, height, width) = map_dims(single(operands)?)?;
            Ok(Shape::map(
                channels,
                height.saturating_mul(vertical),
                width.saturating_mul(horizontal),
            ))
        }
        UpsampleSize::Exact([height, width]) => Ok(Shape::map(map_dims(single(operands)?)?.0, height, width)),
        UpsampleSize::Like => {
            let (input, like) = pair(operands)?;
            let (_, height, width) = map_dims(like)?;
            Ok(Shape::map(map_dims(input)?.0, height, width))
        }
    }
}
