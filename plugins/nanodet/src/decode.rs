//! From the network's numbers to candidates.

use crate::network::{BINS, CLASSES, INPUT, STRIDES};
use modelzoo_candle::{
    classifier::sigmoid,
    detection::{Candidate, Corners, expected_bin, grid_centers},
};

/// All pairs of cell and class whose score reaches the threshold, with boxes relative to the picture.
///
/// `outputs` are the tokens `[cells, 80 + 4 * 11]` of each stride.
pub(crate) fn candidates(outputs: [&[f32]; 3], threshold: f32) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for (tokens, stride) in outputs.into_iter().zip(STRIDES) {
        let side = INPUT / stride;
        for (token, center) in tokens
            .chunks_exact(CLASSES + 4 * BINS)
            .zip(grid_centers([side, side], stride))
        {
            let (logits, distributions) = token.split_at(CLASSES);
            let mut corners = None;
            for (class, &logit) in logits.iter().enumerate() {
                let score = sigmoid(logit);
                if score >= threshold {
                    let corners = *corners.get_or_insert_with(|| decode_box(center, distributions, stride));
                    candidates.push(Candidate {
                        class,
                        score,
                        corners,
                    });
                }
            }
        }
    }
    candidates
}

fn decode_box(center: [f32; 2], distributions: &[f32], stride: usize) -> Corners {
    let distance = |edge: usize| expected_bin(&distributions[edge * BINS..][..BINS]) * stride as f32;
    let input = INPUT as f32;
    Corners::from_distances(center, [0, 1, 2, 3].map(distance)).relative_to(input, input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_becomes_a_box_around_its_centre() {
        let tokens = STRIDES.map(|stride| vec![-20.0; (INPUT / stride).pow(2) * (CLASSES + 4 * BINS)]);
        let mut tokens: [Vec<f32>; 3] = tokens;
        // Column 2, row 1 of the coarsest map: its centre is (80, 48). Class 7, and distances of 0, 1, 2 and 1 cells.
        let cell = &mut tokens[2][(13 + 2) * (CLASSES + 4 * BINS)..][..CLASSES + 4 * BINS];
        cell[7] = 0.0;
        for (edge, bin) in [0, 1, 2, 1].into_iter().enumerate() {
            cell[CLASSES + edge * BINS + bin] = 200.0;
        }
        let found = candidates([&tokens[0], &tokens[1], &tokens[2]], 0.5);
        let corners = Corners::new(80.0, 16.0, 144.0, 80.0).relative_to(416.0, 416.0);
        assert_eq!(
            found,
            [Candidate {
                class: 7,
                score: 0.5,
                corners
            }]
        );
        assert!(candidates([&tokens[0], &tokens[1], &tokens[2]], 0.51).is_empty());
    }
}
