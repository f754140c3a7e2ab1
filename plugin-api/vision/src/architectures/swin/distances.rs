//! The bias of the distance of two tokens, which a small network makes of its logarithm.
//!
//! Source: Liu et al., "Swin Transformer V2" (2022), section 3.3.

use crate::checkpoint::Checkpoint;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// The largest bias.
const LARGEST: f32 = 16.0;
/// Distances in a window are -8 to 8 before their logarithm is taken.
const RANGE: f32 = 8.0;

/// The bias of each distance of two tokens in a window of `side` rows, `[distances, heads]`: those of the layers `NAME.0`
/// and `NAME.2`. `trained` is the side of the windows that it was trained on.
pub(in crate::architectures) fn biases(
    checkpoint: &Checkpoint,
    name: &str,
    heads: usize,
    [side, trained]: [usize; 2],
) -> Result<Vec<f32>> {
    let [first, shift, second] = [".0.weight", ".0.bias", ".2.weight"].map(|part| format!("{name}{part}"));
    let [weight, shift, heads_weight] = [&first, &shift, &second].map(|name| checkpoint.tensor(name));
    let (weight, shift, heads_weight) = (weight?, shift?, heads_weight?);
    let hidden = shift.data().len();
    if weight.dims() != [hidden, 2] || heads_weight.dims() != [heads, hidden] {
        return Err(Error::new(format!(
            "tensors `{first}` and `{second}` have dimensions {:?} and {:?}, but [{hidden}, 2] and [{heads}, {hidden}] are needed",
            weight.dims(),
            heads_weight.dims()
        ))
        .with_kind(ErrorKind::Weights));
    }
    let coordinates: Vec<f32> = (0..2 * side - 1)
        .map(|index| coordinate(index as f32 - (side as f32 - 1.0), trained))
        .collect();
    let mut biases = Vec::with_capacity(coordinates.len().pow(2) * heads);
    let mut responses = vec![0.0; hidden];
    for &row in &coordinates {
        for &column in &coordinates {
            for ((response, weight), shift) in responses
                .iter_mut()
                .zip(weight.data().chunks_exact(2))
                .zip(shift.data())
            {
                *response = (weight[0] * row + weight[1] * column + shift).max(0.0);
            }
            for weight in heads_weight.data().chunks_exact(hidden) {
                let sum: f32 = weight
                    .iter()
                    .zip(&responses)
                    .map(|(weight, response)| weight * response)
                    .sum();
                biases.push(LARGEST / (1.0 + (-sum).exp()));
            }
        }
    }
    Ok(biases)
}

/// The logarithm of a distance with its sign.
fn coordinate(distance: f32, trained: usize) -> f32 {
    // Windows of one token have the distance 0 only.
    let relative = distance / (trained.max(2) - 1) as f32 * RANGE;
    relative.signum() * (relative.abs() + 1.0).log2() / RANGE.log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_logarithms() {
        assert_eq!(coordinate(0.0, 8), 0.0);
        // log2(9) / log2(8)
        assert!((coordinate(-7.0, 8) + 1.056_641_7).abs() < 1e-6);
        // log2(1 + 8 / 7) / 3
        assert!((coordinate(1.0, 8) - 0.366_512).abs() < 1e-5);
        assert_eq!(coordinate(0.0, 1), 0.0);
    }
}
