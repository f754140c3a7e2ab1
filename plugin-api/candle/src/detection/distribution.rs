//! Distances that a network gives as a distribution over bins.

/// The mean of the distribution over bins 0, 1, 2, ... that the softmax of `logits` is: a distance in units of the
/// feature map's stride. 0 for no logits.
///
/// Source: Li et al., "Generalized Focal Loss" (2020), section 3; YOLOv8 calls it DFL.
pub fn expected_bin(logits: &[f32]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (bin, logit) in logits.iter().enumerate() {
        let weight = (logit - largest).exp();
        sum += weight;
        weighted += weight * bin as f32;
    }
    if sum > 0.0 { weighted / sum } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_weighted_by_the_softmax() {
        assert_eq!(expected_bin(&[0.0; 5]), 2.0);
        assert_eq!(expected_bin(&[-500.0, 500.0, -500.0]), 1.0);
        assert!((expected_bin(&[0.0, 3f32.ln()]) - 0.75).abs() < 1e-6);
        assert_eq!(expected_bin(&[]), 0.0);
    }
}
