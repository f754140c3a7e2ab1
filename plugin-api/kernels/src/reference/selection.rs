//! The largest tokens and features.

use super::Operand;

pub(super) fn top_tokens(count: usize, x: Operand, scores: Operand) -> Vec<f64> {
    let largest = |token: &[f64]| token.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scores: Vec<f64> = scores.data.chunks(scores.shape.channels()).map(largest).collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // A stable sort: of two that are equal the first one comes first.
    order.sort_by(|&left, &right| scores[right].total_cmp(&scores[left]));
    let features = x.shape.channels();
    let token = |&index: &usize| &x.data[index * features..][..features];
    order[..count].iter().flat_map(token).copied().collect()
}

pub(super) fn top_features(count: usize, x: Operand) -> Vec<f64> {
    let largest = |token: &[f64]| {
        let mut sorted = token.to_vec();
        sorted.sort_by(|left, right| right.total_cmp(left));
        sorted.truncate(count);
        sorted
    };
    x.data.chunks(x.shape.channels()).flat_map(largest).collect()
}
