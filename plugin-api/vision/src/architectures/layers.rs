//! Layers whose settings are those of their tensors.

use crate::checkpoint::Checkpoint;
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Padding, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// The tensors of a network, by which its layers are described.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    pub(super) checkpoint: &'a Checkpoint,
    /// Added to the variances of batch normalisations.
    pub(super) epsilon: f64,
}

/// What a convolution's tensors do not say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    stride: usize,
    dilation: usize,
    around: Around,
}

/// The zeros around a convolution's operand.
#[derive(Clone, Copy, Debug)]
enum Around {
    /// As many on every side as keep the size at a stride of 1.
    Half,
    /// TensorFlow's `SAME`: as many as make the result as large as the operand divided by the stride, rounded up.
    Same,
    /// So many.
    Zeros(Padding),
}

impl Steps {
    /// Each pixel.
    pub(super) const ONE: Self = Self::of(1);

    /// A stride, no dilation, and zeros on every side that keep the size at a stride of 1.
    pub(super) const fn of(stride: usize) -> Self {
        Self {
            stride,
            dilation: 1,
            around: Around::Half,
        }
    }

    /// With this many zeros on every side.
    pub(super) const fn padding(self, padding: usize) -> Self {
        self.uneven_padding(Padding::all(padding))
    }

    /// With this many zeros on each side.
    pub(super) const fn uneven_padding(self, padding: Padding) -> Self {
        Self {
            around: Around::Zeros(padding),
            ..self
        }
    }

    /// With TensorFlow's padding where it is wanted, by which a result is as large as its operand divided by the stride,
    /// rounded up.
    pub(super) const fn same(self, is_wanted: bool) -> Self {
        Self {
            around: if is_wanted { Around::Same } else { self.around },
            ..self
        }
    }

    /// With a dilation.
    pub(super) const fn dilation(self, dilation: usize) -> Self {
        Self { dilation, ..self }
    }
}

impl<'a> Layers<'a> {
    /// Layers with torch's default epsilon.
    pub(super) const fn new(checkpoint: &'a Checkpoint) -> Self {
        Self {
            checkpoint,
            epsilon: 1e-5,
        }
    }

    /// Whether a layer of this name has a weight.
    pub(super) fn has(&self, name: &str) -> bool {
        self.checkpoint.has(&format!("{name}.weight"))
    }

    /// A convolution whose kernel, channels, groups and bias are those of its tensors.
    pub(super) fn convolve(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        steps: Steps,
    ) -> Result<Value> {
        let settings = self.settings(network, name, x, steps)?;
        network.conv2d(name, x, settings)
    }

    /// The same convolution of several maps of as many channels.
    pub(super) fn convolve_each(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        maps: &[Value],
        steps: Steps,
    ) -> Result<Vec<Value>> {
        let Some(&first) = maps.first() else {
            return Ok(Vec::new());
        };
        let settings = self.settings(network, name, first, steps)?;
        network.conv2d_of_each(name, maps, settings)
    }

    /// The settings of a convolution of a map.
    fn settings(&self, network: &NetworkBuilder<'_>, name: &str, x: Value, steps: Steps) -> Result<Conv2d> {
        let dims = self.dims::<4>(name)?;
        let channels = network.channels(x)?;
        let [outputs, inputs, height, width] = dims;
        if dims.contains(&0) || !channels.is_multiple_of(inputs) {
            return Err(unfit(name, &dims));
        }
        let settings = Conv2d::new(outputs, height)
            .kernel([height, width])
            .stride(steps.stride)
            .dilation(steps.dilation)
            .groups(channels / inputs);
        let settings = match steps.around {
            Around::Half => {
                let [rows, columns] = [height, width].map(|kernel| (kernel - 1) * steps.dilation / 2);
                settings.uneven_padding(Padding {
                    top: rows,
                    bottom: rows,
                    left: columns,
                    right: columns,
                })
            }
            Around::Same => settings.same(),
            Around::Zeros(padding) => settings.uneven_padding(padding),
        };
        let has_bias = self.checkpoint.has(&format!("{name}.bias"));
        Ok(if has_bias {
            settings
        } else {
            settings.without_bias()
        })
    }

    /// A convolution and its normalisation.
    pub(super) fn normed(
        &self,
        network: &mut NetworkBuilder<'_>,
        [convolution, norm]: [&str; 2],
        x: Value,
        steps: Steps,
    ) -> Result<Value> {
        let x = self.convolve(network, convolution, x, steps)?;
        network.batch_norm_with_epsilon(norm, x, self.epsilon)
    }

    /// The modules `first` and the next one of a sequence: a convolution and its normalisation.
    pub(super) fn sequence(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        first: usize,
        x: Value,
        steps: Steps,
    ) -> Result<Value> {
        let names = [first, first + 1].map(|index| format!("{name}{index}"));
        self.normed(network, [&names[0], &names[1]], x, steps)
    }

    /// A linear layer with as many features as its weight has.
    pub(super) fn linear(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        let [features, _] = self.dims(name)?;
        network.linear(name, x, features)
    }

    /// The dimensions of a layer's weight.
    pub(super) fn dims<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let weight = format!("{name}.weight");
        let Some(dims) = self.checkpoint.dims(&weight) else {
            // Says that it is missing.
            return self.checkpoint.tensor(&weight).map(|_| [0; N]);
        };
        dims.try_into().map_err(|dims: Vec<usize>| unfit(name, &dims))
    }
}

/// An error for a weight of other dimensions than the network can have.
pub(super) fn unfit(name: &str, dims: &[usize]) -> Error {
    Error::new(format!(
        "tensor `{name}.weight` has dimensions {dims:?}, which are not those of the network that is named"
    ))
    .with_kind(ErrorKind::Weights)
}
