//! Convolutions that were trained as a sum of several, each with its normalisation: as one.
//!
//! Source: Ding et al., "RepVGG: Making VGG-style ConvNets Great Again" (2021), section 3.3.

use crate::checkpoint::Checkpoint;
use modelzoo_candle::network::Parameters;
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

/// One summand; the names of its tensors begin with its own.
pub(super) struct Branch {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A convolution of the whole kernel.
    Whole,
    /// A convolution of single pixels.
    Small,
    /// The operand itself.
    Identity,
}

impl Branch {
    /// A convolution of the whole kernel, `NAME.convolution`, and `NAME.normalization`.
    pub(super) fn convolution(name: &str) -> Self {
        Self::of(name, Kind::Whole)
    }

    /// The same of single pixels.
    pub(super) fn small(name: &str) -> Self {
        Self::of(name, Kind::Small)
    }

    /// The operand, normalised by `NAME`.
    pub(super) fn identity(name: &str) -> Self {
        Self::of(name, Kind::Identity)
    }

    fn of(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
        }
    }
}

/// What a sum of branches is.
pub(super) struct Sum {
    /// Channels of the operand and of the result.
    pub(super) channels: [usize; 2],
    /// Rows and columns of the kernel, an odd number.
    pub(super) kernel: usize,
    pub(super) groups: usize,
    /// Added to the variances.
    pub(super) epsilon: f64,
    /// What the sum is multiplied by, and what is added then.
    pub(super) scale: f32,
    pub(super) shift: f32,
}

impl Sum {
    /// Puts one convolution for the sum into the checkpoint, and gives its name.
    pub(super) fn store(&self, checkpoint: &Checkpoint, name: &str, branches: &[Branch]) -> Result<String> {
        let fused = format!("{name}.sum");
        let [weight_name, bias_name] = ["weight", "bias"].map(|part| format!("{fused}.{part}"));
        if checkpoint.has_made(&weight_name) && checkpoint.has_made(&bias_name) {
            return Ok(fused);
        }
        let [inputs, outputs] = self.channels;
        let (kernel, group) = (self.kernel, inputs / self.groups);
        let area = kernel * kernel;
        let mut weight = vec![f64::default(); outputs * group * area];
        let mut bias = vec![f64::from(self.shift); outputs];
        for branch in branches {
            let norm = Norm::read(checkpoint, &branch.norm(), outputs, self.epsilon)?;
            let convolution = format!("{}.convolution.weight", branch.name);
            let side = if branch.kind == Kind::Whole { kernel } else { 1 };
            let stored = match branch.kind {
                Kind::Identity => None,
                Kind::Whole | Kind::Small => {
                    Some(checkpoint.parameter(&convolution, &[outputs, group, side, side])?)
                }
            };
            for (output, values) in weight.chunks_exact_mut(group * area).enumerate() {
                let factor = norm.factors[output] * f64::from(self.scale);
                bias[output] += norm.shifts[output] * f64::from(self.scale);
                match &stored {
                    Some(stored) if side == kernel => {
                        let own = &stored.data()[output * group * area..][..group * area];
                        for (value, &own) in values.iter_mut().zip(own) {
                            *value += factor * f64::from(own);
                        }
                    }
                    Some(stored) => {
                        let own = &stored.data()[output * group..][..group];
                        for (value, &own) in values.chunks_exact_mut(area).zip(own) {
                            value[area / 2] += factor * f64::from(own);
                        }
                    }
                    // The operand's channel of the same number, which is in the same group.
                    None => values[output % group * area + area / 2] += factor,
                }
            }
        }
        let single =
            |values: Vec<f64>| -> Vec<f32> { values.into_iter().map(|value| value as f32).collect() };
        checkpoint.make(
            weight_name,
            Weight::new([outputs, group, kernel, kernel], single(weight)),
        );
        checkpoint.make(bias_name, Weight::vector(single(bias)));
        Ok(fused)
    }
}

impl Branch {
    fn norm(&self) -> String {
        match self.kind {
            Kind::Identity => self.name.clone(),
            Kind::Whole | Kind::Small => format!("{}.normalization", self.name),
        }
    }
}

/// A normalisation as a factor and a summand for each channel.
pub(super) struct Norm {
    pub(super) factors: Vec<f64>,
    pub(super) shifts: Vec<f64>,
}

impl Norm {
    /// Of a batch normalisation whose tensors' names begin with `name`; `epsilon` is added to the variances.
    pub(super) fn read(checkpoint: &Checkpoint, name: &str, channels: usize, epsilon: f64) -> Result<Self> {
        let part = |part: &str| checkpoint.parameter(&format!("{name}.{part}"), &[channels]);
        let (weight, bias) = (part("weight")?, part("bias")?);
        let (mean, variance) = (part("running_mean")?, part("running_var")?);
        let factors: Vec<f64> = weight
            .data()
            .iter()
            .zip(variance.data())
            .map(|(&weight, &variance)| f64::from(weight) / (f64::from(variance) + epsilon).sqrt())
            .collect();
        let shifts = bias
            .data()
            .iter()
            .zip(mean.data())
            .zip(&factors)
            .map(|((&bias, &mean), factor)| f64::from(bias) - f64::from(mean) * factor)
            .collect();
        Ok(Self { factors, shifts })
    }
}
