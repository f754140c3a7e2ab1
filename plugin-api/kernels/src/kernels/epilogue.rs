//! What happens to a convolution's sums before they are stored: bias, activation, residual.

use super::activation::activate;
use crate::{graph::Activation, simd::Simd};

/// `after(activation(sum + bias) + residual)`; each part may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Epilogue {
    pub(crate) activation: Option<Activation>,
    pub(crate) adds_residual: bool,
    pub(crate) after: Option<Activation>,
}

/// An epilogue in two stages: one that costs three instructions, and one for what is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stages {
    /// Whether the residual is added before the first stage's activation.
    pub(crate) residual_first: bool,
    /// The first activation is `min(max(slope * x, x), maximum)`.
    pub(crate) slope: f32,
    /// See `slope`.
    pub(crate) maximum: f32,
    /// What the first stage leaves.
    pub(crate) rest: Option<Epilogue>,
}

/// Slope and maximum of an activation that has this form.
fn bounds(activation: Option<Activation>) -> Option<(f32, f32)> {
    match activation {
        None => Some((1.0, f32::INFINITY)),
        Some(Activation::Relu) => Some((0.0, f32::INFINITY)),
        Some(Activation::Relu6) => Some((0.0, 6.0)),
        Some(Activation::LeakyRelu(slope)) => Some((slope, f32::INFINITY)),
        Some(_) => None,
    }
}

impl Epilogue {
    pub(crate) fn stages(self) -> Stages {
        let identity = (1.0, f32::INFINITY);
        let residual_first = self.adds_residual && self.activation.is_none();
        let first = if residual_first {
            self.after
        } else {
            self.activation
        };
        let (slope, maximum) = bounds(first).unwrap_or(identity);
        let pending = if bounds(first).is_some() { None } else { first };
        let rest = if residual_first {
            Self {
                activation: pending,
                adds_residual: false,
                after: None,
            }
        } else {
            Self {
                activation: pending,
                ..self
            }
        };
        Stages {
            residual_first,
            slope,
            maximum,
            rest: (rest != Self::default()).then_some(rest),
        }
    }
}

impl Stages {
    /// Whether there has to be a residual.
    pub(crate) fn adds_residual(&self) -> bool {
        self.residual_first || self.rest.is_some_and(|rest| rest.adds_residual)
    }

    /// Finishes 16 sums that include the bias. `residual` is read where one is added.
    #[inline(always)]
    pub(crate) fn finish<S: Simd>(
        &self,
        simd: S,
        sum: S::Vector,
        residual: impl Fn() -> S::Vector,
    ) -> S::Vector {
        let sum = if self.residual_first {
            simd.add(sum, residual())
        } else {
            sum
        };
        let bounded = simd.max(simd.mul(sum, simd.splat(self.slope)), sum);
        let bounded = simd.min(simd.splat(self.maximum), bounded);
        match self.rest {
            None => bounded,
            Some(rest) => finish_rest(simd, rest, bounded, residual),
        }
    }
}

/// The second stage.
#[inline(always)]
pub(crate) fn finish_rest<S: Simd>(
    simd: S,
    rest: Epilogue,
    value: S::Vector,
    residual: impl Fn() -> S::Vector,
) -> S::Vector {
    let mut value = value;
    if let Some(activation) = rest.activation {
        value = activate(simd, activation, value);
    }
    if rest.adds_residual {
        value = simd.add(value, residual());
    }
    if let Some(activation) = rest.after {
        value = activate(simd, activation, value);
    }
    value
}
