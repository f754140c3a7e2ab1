//! Where a network's parameters come from.

use crate::weights::Weights;
use modelzoo_kernels::graph::{Shape, Weight};
use modelzoo_plugin_api::{Error, Result};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A source of named parameters.
pub trait Parameters {
    /// The parameter of this name and these dimensions.
    ///
    /// # Errors
    /// When there is none of this name or it has other dimensions; the message names the parameter.
    fn parameter(&self, name: &str, dims: &[usize]) -> Result<Weight>;
}

impl Parameters for Weights {
    fn parameter(&self, name: &str, dims: &[usize]) -> Result<Weight> {
        self.tensor_of(name, dims)
    }
}

/// Random parameters, the same ones for the same seed and name: for measuring speed without trained weights.
///
/// Weights have the variance 2 / fan-in (He initialisation) and normalisations leave values nearly as they are, so
/// that activations neither grow nor vanish.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomParameters {
    seed: u64,
}

impl RandomParameters {
    /// Parameters for this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }
}

impl Parameters for RandomParameters {
    fn parameter(&self, name: &str, dims: &[usize]) -> Result<Weight> {
        let count = dims.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim));
        let Some(count) = count.filter(|&count| count <= Shape::MAX_ELEMENTS) else {
            return Err(Error::new(format!(
                "parameter `{name}` of {dims:?} values is larger than any network's"
            )));
        };
        let mut hasher = DefaultHasher::new();
        (self.seed, name).hash(&mut hasher);
        let mut state = hasher.finish();
        let fan_in = count / dims.first().map_or(1, |&first| first.max(1));
        let (center, spread) = match dims {
            [_] if name.ends_with("running_var") || name.ends_with("weight") => (1.0, 0.1),
            [_] => (0.0, 0.05),
            // Uniform numbers of -a..a have the variance a^2 / 3.
            _ => (0.0, (6.0 / fan_in.max(1) as f32).sqrt()),
        };
        let values: Vec<f32> = (0..count)
            .map(|_| center + spread * (2.0 * unit(&mut state) - 1.0))
            .collect();
        Ok(Weight::new(dims, values))
    }
}

/// The next number of 0..1; the generator is SplitMix64 (Steele et al., 2014).
fn unit(state: &mut u64) -> f32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u64 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_parameters_repeat_and_have_the_right_spread() {
        let parameters = RandomParameters::new(1);
        let weight = parameters.parameter("conv.weight", &[64, 32, 3, 3]).unwrap();
        assert_eq!(
            weight.data(),
            parameters
                .parameter("conv.weight", &[64, 32, 3, 3])
                .unwrap()
                .data()
        );
        assert_ne!(
            weight.data(),
            parameters
                .parameter("other.weight", &[64, 32, 3, 3])
                .unwrap()
                .data()
        );
        let count = weight.data().len() as f64;
        let variance = weight
            .data()
            .iter()
            .map(|&value| f64::from(value).powi(2))
            .sum::<f64>()
            / count;
        assert!((variance * 288.0 / 2.0 - 1.0).abs() < 0.05, "{variance}");
        let positive = parameters.parameter("bn.running_var", &[100]).unwrap();
        assert!(positive.data().iter().all(|value| (0.9..=1.1).contains(value)));
    }
}
