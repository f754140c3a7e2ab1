//! Operators of sequences and vectors.

use super::Operand;
use crate::graph::{Attention, LayerNorm, Rotation, Weight, WindowAttention};

pub(super) fn mean(x: Operand) -> Vec<f64> {
    let (count, features) = (x.shape.positions(), x.shape.channels());
    let sum = |feature: usize| {
        (0..count)
            .map(|token| x.data[token * features + feature])
            .sum::<f64>()
    };
    (0..features).map(|feature| sum(feature) / count as f64).collect()
}

pub(super) fn linear(x: Operand, weight: &Weight, bias: Option<&Weight>) -> Vec<f64> {
    let features = x.shape.channels();
    let mut result = Vec::new();
    for token in x.data.chunks(features) {
        for (output, row) in weight.data().chunks(features).enumerate() {
            let product: f64 = row
                .iter()
                .zip(token)
                .map(|(&weight, &x)| f64::from(weight) * x)
                .sum();
            result.push(product + bias.map_or(0.0, |bias| f64::from(bias.data()[output])));
        }
    }
    result
}

/// Applies a function to the channels of each position.
fn each_position(x: Operand, function: impl Fn(&mut [f64])) -> Vec<f64> {
    let mut result = x.data.to_vec();
    let mut channels = vec![0.0; x.shape.channels()];
    for position in 0..x.shape.positions() {
        for (channel, value) in channels.iter_mut().enumerate() {
            *value = x.data[x.offset(channel, position)];
        }
        function(&mut channels);
        for (channel, &value) in channels.iter().enumerate() {
            result[x.offset(channel, position)] = value;
        }
    }
    result
}

pub(super) fn layer_norm(parameters: &LayerNorm, x: Operand) -> Vec<f64> {
    each_position(x, |channels| {
        let count = channels.len() as f64;
        let mean = channels.iter().sum::<f64>() / count;
        let variance = channels.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let scale = 1.0 / (variance + f64::from(parameters.epsilon)).sqrt();
        for (index, value) in channels.iter_mut().enumerate() {
            let (weight, bias) = (parameters.weight.data()[index], parameters.bias.data()[index]);
            *value = (*value - mean) * scale * f64::from(weight) + f64::from(bias);
        }
    })
}

pub(super) fn softmax(x: Operand) -> Vec<f64> {
    each_position(x, softmax_of)
}

pub(super) fn softmax_of(values: &mut [f64]) {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values
        .iter_mut()
        .for_each(|value| *value = (*value - largest).exp());
    let sum: f64 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
}

pub(super) fn unit_length(parts: usize, x: Operand) -> Vec<f64> {
    let mut result = x.data.to_vec();
    for part in result.chunks_mut(x.shape.channels() / parts) {
        let length = part.iter().map(|value| value * value).sum::<f64>().sqrt();
        part.iter_mut().for_each(|value| *value /= length.max(1e-12));
    }
    result
}

pub(super) fn response_norms(epsilon: f32, x: Operand) -> Vec<f64> {
    let features = x.shape.channels();
    let norm = |feature: usize| {
        let values = x.data.iter().skip(feature).step_by(features);
        values.map(|value| value * value).sum::<f64>().sqrt()
    };
    let norms: Vec<f64> = (0..features).map(norm).collect();
    let mean = norms.iter().sum::<f64>() / features as f64;
    norms
        .into_iter()
        .map(|norm| norm / (mean + f64::from(epsilon)))
        .collect()
}

pub(super) fn rotate(parameters: &Rotation, x: Operand) -> Vec<f64> {
    let features = x.shape.channels() / parameters.heads;
    let turned = x.data.chunks(features).enumerate().flat_map(|(index, head)| {
        let token = index / parameters.heads;
        (0..features).map(move |feature| {
            let exchanged = if feature < features / 2 {
                -head[feature + features / 2]
            } else {
                head[feature - features / 2]
            };
            let [cosine, sine] = [&parameters.cosines, &parameters.sines]
                .map(|weight| f64::from(weight.data()[token * features + feature]));
            head[feature] * cosine + exchanged * sine
        })
    });
    turned.collect()
}

pub(super) fn attention(parameters: &Attention, operands: &[Operand]) -> Vec<f64> {
    let (queries, keys, values) = (operands[0], operands[1], operands[2]);
    let (features, value_features) = (queries.shape.channels(), values.shape.channels());
    let (head, value_head) = (features / parameters.heads, value_features / parameters.heads);
    let scale = parameters.scale.map_or(1.0 / (head as f64).sqrt(), f64::from);
    let mut result = vec![0.0; queries.shape.positions() * value_features];
    for index in 0..parameters.heads {
        let columns = index * head..(index + 1) * head;
        for (token, query) in queries.data.chunks(features).enumerate() {
            let seen = if parameters.causal {
                token + 1
            } else {
                keys.shape.positions()
            };
            let mut scores: Vec<f64> = keys
                .data
                .chunks(features)
                .take(seen)
                .map(|key| {
                    let products = query[columns.clone()].iter().zip(&key[columns.clone()]);
                    products.map(|(query, key)| query * key).sum::<f64>() * scale
                })
                .collect();
            softmax_of(&mut scores);
            for (score, value) in scores.iter().zip(values.data.chunks(value_features)) {
                let target = &mut result[token * value_features + index * value_head..][..value_head];
                for (sum, value) in target.iter_mut().zip(&value[index * value_head..]) {
                    *sum += score * value;
                }
            }
        }
    }
    result
}

pub(super) fn window_attention(parameters: &WindowAttention, operands: &[Operand]) -> Vec<f64> {
    let (queries, keys, values) = (operands[0], operands[1], operands[2]);
    let (features, value_features) = (queries.shape.channels(), values.shape.channels());
    let (head, value_head) = (features / parameters.heads, value_features / parameters.heads);
    let scale = parameters.scale.map_or(1.0 / (head as f64).sqrt(), f64::from);
    let rows = queries.shape.positions() / parameters.windows;
    let columns = keys.shape.positions() / parameters.windows;
    let biases = parameters.bias.data();
    let mut result = vec![0.0; queries.shape.positions() * value_features];
    for token in 0..queries.shape.positions() {
        let (window, row) = (token / rows, token % rows);
        for index in 0..parameters.heads {
            let bias = ((window * parameters.heads + index) * rows + row) * columns % biases.len();
            let query = &queries.data[token * features + index * head..][..head];
            let mut scores: Vec<f64> = (0..columns)
                .map(|column| {
                    let key = &keys.data[(window * columns + column) * features + index * head..][..head];
                    let product: f64 = query.iter().zip(key).map(|(query, key)| query * key).sum();
                    product * scale + f64::from(biases[bias + column])
                })
                .collect();
            softmax_of(&mut scores);
            for (column, score) in scores.into_iter().enumerate() {
                let value = &values.data[(window * columns + column) * value_features + index * value_head..];
                let target = &mut result[token * value_features + index * value_head..][..value_head];
                for (sum, value) in target.iter_mut().zip(value) {
                    *sum += score * value;
                }
            }
        }
    }
    result
}
