//! Convolutions and linear layers.

use super::NetworkBuilder;
use modelzoo_kernels::graph::{Convolution, Op, Padding, TransposedConvolution, Value, Weight};
use modelzoo_plugin_api::{Error, Result};

/// The settings of `torch.nn.Conv2d`; the number of input channels is that of the operand.
#[derive(Clone, Copy, Debug)]
pub struct Conv2d {
    channels: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    is_same: bool,
    dilation: [usize; 2],
    groups: usize,
    bias: bool,
    wide_sums: bool,
}

impl Conv2d {
    /// `channels` output channels, a square kernel, stride 1, no padding, no dilation, one group, a bias, sums of
    /// `f32`.
    pub const fn new(channels: usize, kernel: usize) -> Self {
        Self {
            channels,
            kernel: [kernel; 2],
            stride: [1; 2],
            padding: Padding::all(0),
            is_same: false,
            dilation: [1; 2],
            groups: 1,
            bias: true,
            wide_sums: false,
        }
    }

    /// A kernel of `[height, width]`.
    pub const fn kernel(self, kernel: [usize; 2]) -> Self {
        Self { kernel, ..self }
    }

    /// This stride in both directions.
    pub const fn stride(self, stride: usize) -> Self {
        Self {
            stride: [stride; 2],
            ..self
        }
    }

    /// A stride of `[vertical, horizontal]`.
    pub const fn strides(self, stride: [usize; 2]) -> Self {
        Self { stride, ..self }
    }

    /// This many zeros on every side.
    pub const fn padding(self, padding: usize) -> Self {
        self.uneven_padding(Padding::all(padding))
    }

    /// Zeros that differ between the sides.
    pub const fn uneven_padding(self, padding: Padding) -> Self {
        Self {
            padding,
            is_same: false,
            ..self
        }
    }

    /// TensorFlow's padding `SAME`, for pictures of any size: as many zeros as make the result as large as the operand
    /// divided by the stride, rounded up; of an odd number the last one is at the bottom and at the right.
    pub const fn same(self) -> Self {
        Self {
            is_same: true,
            ..self
        }
    }

    /// This dilation in both directions.
    pub const fn dilation(self, dilation: usize) -> Self {
        Self {
            dilation: [dilation; 2],
            ..self
        }
    }

    /// Groups of channels that do not see each other.
    pub const fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// `bias=False`.
    pub const fn without_bias(self) -> Self {
        Self { bias: false, ..self }
    }

    /// Sums of `f64`; the result is `f32` as ever. It is several times slower: for the rare layer whose large terms
    /// cancel, so that their rounding is larger than what is left. Metal has no `f64` and computes it as any other.
    pub const fn wide_sums(self) -> Self {
        Self {
            wide_sums: true,
            ..self
        }
    }
}

/// The settings of `torch.nn.ConvTranspose2d`; the number of input channels is that of the operand.
#[derive(Clone, Copy, Debug)]
pub struct ConvTranspose2d {
    channels: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    output_padding: usize,
    bias: bool,
}

impl ConvTranspose2d {
    /// `channels` output channels, a square kernel, a stride, no padding, a bias.
    pub const fn new(channels: usize, kernel: usize, stride: usize) -> Self {
        Self {
            channels,
            kernel,
            stride,
            padding: 0,
            output_padding: 0,
            bias: true,
        }
    }

    /// Rows and columns cut from each side of the result.
    pub const fn padding(self, padding: usize) -> Self {
        Self { padding, ..self }
    }

    /// Rows and columns added at the bottom and the right of the result.
    pub const fn output_padding(self, output_padding: usize) -> Self {
        Self {
            output_padding,
            ..self
        }
    }

    /// `bias=False`.
    pub const fn without_bias(self) -> Self {
        Self { bias: false, ..self }
    }
}

impl NetworkBuilder<'_> {
    /// `torch.nn.Conv2d`: parameters `weight` and `bias`.
    pub fn conv2d(&mut self, name: &str, x: Value, settings: Conv2d) -> Result<Value> {
        let channels = self.operand_channels(name, x)?;
        let convolution = self.convolution(name, channels, settings)?;
        self.layer(name, Op::Convolution(convolution), &[x])
    }

    /// The same [`conv2d`](NetworkBuilder::conv2d) of several maps of as many channels, as detectors look at maps of
    /// several sizes. The result of the first one has the layer's name, the others `NAME@1`, `NAME@2` and so on.
    pub fn conv2d_of_each(&mut self, name: &str, maps: &[Value], settings: Conv2d) -> Result<Vec<Value>> {
        let Some(&first) = maps.first() else {
            return Ok(Vec::new());
        };
        let channels = self.operand_channels(name, first)?;
        let convolution = self.convolution(name, channels, settings)?;
        maps.iter()
            .enumerate()
            .map(|(index, &map)| {
                let layer = match index {
                    0 => name.to_owned(),
                    index => format!("{name}@{index}"),
                };
                self.layer(&layer, Op::Convolution(convolution.clone()), &[map])
            })
            .collect()
    }

    fn convolution(&self, name: &str, channels: usize, settings: Conv2d) -> Result<Convolution> {
        let Conv2d {
            channels: out,
            kernel: [height, width],
            groups,
            ..
        } = settings;
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(Error::new(format!(
                "layer `{}`: {channels} channels cannot be divided into {groups} groups",
                self.full(name)
            )));
        }
        Ok(Convolution {
            weight: self.parameter_of(name, "weight", &[out, channels / groups, height, width])?,
            bias: self.bias_of(name, out, settings.bias)?,
            stride: settings.stride,
            padding: settings.padding,
            is_same: settings.is_same,
            dilation: settings.dilation,
            groups,
            wide_sums: settings.wide_sums,
        })
    }

    /// `torch.nn.ConvTranspose2d`: parameters `weight` and `bias`.
    pub fn conv_transpose2d(&mut self, name: &str, x: Value, settings: ConvTranspose2d) -> Result<Value> {
        let ConvTranspose2d {
            channels: out,
            kernel,
            ..
        } = settings;
        let weight = self.parameter_of(
            name,
            "weight",
            &[self.operand_channels(name, x)?, out, kernel, kernel],
        )?;
        let convolution = TransposedConvolution {
            weight,
            bias: self.bias_of(name, out, settings.bias)?,
            stride: [settings.stride; 2],
            padding: settings.padding,
            output_padding: settings.output_padding,
        };
        self.layer(name, Op::TransposedConvolution(convolution), &[x])
    }

    /// `torch.nn.Linear` of a vector or of each token: parameters `weight` and `bias`.
    pub fn linear(&mut self, name: &str, x: Value, features: usize) -> Result<Value> {
        self.linear_layer(name, x, features, true)
    }

    /// `torch.nn.Linear` with `bias=False`.
    pub fn linear_without_bias(&mut self, name: &str, x: Value, features: usize) -> Result<Value> {
        self.linear_layer(name, x, features, false)
    }

    /// As [`NetworkBuilder::linear`], with the parameters of another layer: for one that is used several times.
    pub fn linear_of(&mut self, name: &str, x: Value, parameters: &str, features: usize) -> Result<Value> {
        let weight = self.parameter_of(parameters, "weight", &[features, self.operand_channels(name, x)?])?;
        let bias = self.bias_of(parameters, features, true)?;
        self.layer(name, Op::Linear { weight, bias }, &[x])
    }

    /// `torch.nn.ZeroPad2d`: zeros around a map.
    pub fn zero_pad2d(&mut self, x: Value, padding: Padding) -> Result<Value> {
        let channels = self.channels(x)?;
        let ones = Weight::new([channels, 1, 1, 1], vec![1.0; channels]);
        let convolution = Convolution {
            padding,
            groups: channels,
            ..Convolution::new(ones, None)
        };
        self.numbered("zero_pad2d", Op::Convolution(convolution), &[x])
    }

    /// `scale[c] * x + shift[c]` for each channel or feature, with numbers that were computed, not trained as they are.
    pub fn affine(&mut self, x: Value, scale: Weight, shift: Weight) -> Result<Value> {
        self.numbered("affine", Op::Affine { scale, shift }, &[x])
    }

    /// `torch.nn.functional.linear` with a weight `[out, in]` that was computed, not trained.
    pub fn project(&mut self, x: Value, weight: Weight) -> Result<Value> {
        self.numbered("project", Op::Linear { weight, bias: None }, &[x])
    }

    /// `x @ parameter`, a parameter `[in, out]` that has a name of its own.
    pub fn matmul(&mut self, name: &str, x: Value, features: usize) -> Result<Value> {
        let inputs = self.operand_channels(name, x)?;
        let stored = self.stored(name, &[inputs, features])?;
        let transposed: Vec<f32> = (0..features)
            .flat_map(|out| stored.data().iter().skip(out).step_by(features).copied())
            .collect();
        let weight = Weight::new([features, inputs], transposed);
        self.layer(name, Op::Linear { weight, bias: None }, &[x])
    }

    fn linear_layer(&mut self, name: &str, x: Value, features: usize, bias: bool) -> Result<Value> {
        let weight = self.parameter_of(name, "weight", &[features, self.operand_channels(name, x)?])?;
        let bias = self.bias_of(name, features, bias)?;
        self.layer(name, Op::Linear { weight, bias }, &[x])
    }

    fn bias_of(&self, name: &str, channels: usize, has_bias: bool) -> Result<Option<Weight>> {
        has_bias
            .then(|| self.parameter_of(name, "bias", &[channels]))
            .transpose()
    }
}
