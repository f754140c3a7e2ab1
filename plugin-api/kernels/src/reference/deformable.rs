//! Attention to points around boxes.

use super::{Operand, tokens::softmax_of};
use crate::graph::DeformableAttention;

pub(super) fn attention(parameters: &DeformableAttention, operands: &[Operand]) -> Vec<f64> {
    let [values, offsets, scores, boxes] = [0, 1, 2, 3].map(|index| operands[index]);
    let features = values.shape.channels();
    let (heads, points) = (parameters.heads, parameters.points());
    let head_features = features / heads;
    let mut result = vec![0.0; boxes.shape.positions() * features];
    for (query, target) in result.chunks_mut(features).enumerate() {
        let [x, y, width, height] = [0, 1, 2, 3].map(|index| boxes.data[query * 4 + index]);
        for (head, target) in target.chunks_mut(head_features).enumerate() {
            let first = (query * heads + head) * points;
            let mut weights = scores.data[first..][..points].to_vec();
            softmax_of(&mut weights);
            let (mut point, mut start) = (first, 0);
            for level in parameters.levels.iter() {
                for _ in 0..level.points {
                    let offset = &offsets.data[2 * point..][..2];
                    let factor = f64::from(parameters.scale) / level.points as f64;
                    let place = [y + offset[1] * factor * height, x + offset[0] * factor * width];
                    let weight = weights[point - first];
                    for (pixel, share) in around(place, level.size) {
                        let token = (start + pixel) * features + head * head_features;
                        for (sum, value) in target.iter_mut().zip(&values.data[token..]) {
                            *sum += weight * share * value;
                        }
                    }
                    point += 1;
                }
                start += level.size[0] * level.size[1];
            }
        }
    }
    result
}

/// The pixels around a place `[y, x]` in parts of a map, and the share of each.
fn around(place: [f64; 2], [height, width]: [usize; 2]) -> Vec<(usize, f64)> {
    let y = place[0] * height as f64 - 0.5;
    let x = place[1] * width as f64 - 0.5;
    let mut pixels = Vec::new();
    for row in [y.floor(), y.floor() + 1.0] {
        for column in [x.floor(), x.floor() + 1.0] {
            let inside = (0.0..height as f64).contains(&row) && (0.0..width as f64).contains(&column);
            if inside {
                let share = (1.0 - (y - row).abs()) * (1.0 - (x - column).abs());
                pixels.push((row as usize * width + column as usize, share));
            }
        }
    }
    pixels
}
