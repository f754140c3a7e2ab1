//! Inverted residuals: wider, filtered channel by channel, excited, narrower.
//!
//! Sources: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), table 1; Howard et al.,
//! "Searching for MobileNetV3" (2019), figure 4; Tan and Le, "EfficientNet" (2019), section 4.

use super::{BlockNames, SqueezeExcitation};
use crate::network::{Activation, Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// An inverted residual. Its operand is added to its result where both are alike and the stride is 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvertedResidual {
    channels: usize,
    width: Width,
    kernel: usize,
    stride: usize,
    is_same: bool,
    activation: Activation,
    excitation: Option<SqueezeExcitation>,
    names: BlockNames,
}

/// How many channels there are within a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    /// So many times those of its operand.
    Times(usize),
    /// So many.
    Channels(usize),
}

impl InvertedResidual {
    /// A block that gives so many channels and has `expansion` times those of its operand within: 3 x 3, stride 1, torch's
    /// padding, ReLU6, no squeeze and excitation, and the names of torchvision's MobileNetV2.
    ///
    /// With an expansion of 1 there is no layer that widens.
    pub const fn new(channels: usize, expansion: usize) -> Self {
        Self {
            channels,
            width: Width::Times(expansion),
            kernel: 3,
            stride: 1,
            is_same: false,
            activation: Activation::Relu6,
            excitation: None,
            names: BlockNames::MobileNetV2,
        }
    }

    /// With so many channels within, as MobileNetV3 counts them. There is no layer that widens where its operand has as
    /// many.
    pub const fn width(self, channels: usize) -> Self {
        Self {
            width: Width::Channels(channels),
            ..self
        }
    }

    /// With a filter of another height and width.
    pub const fn kernel(self, kernel: usize) -> Self {
        Self { kernel, ..self }
    }

    /// With a filter of another stride.
    pub const fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// With TensorFlow's padding: see [`Conv2d::same`].
    pub const fn same(self) -> Self {
        Self {
            is_same: true,
            ..self
        }
    }

    /// With another activation.
    pub const fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// With squeeze and excitation behind the filter.
    pub const fn excitation(self, excitation: SqueezeExcitation) -> Self {
        Self {
            excitation: Some(excitation),
            ..self
        }
    }

    /// With other names of its layers.
    pub const fn names(self, names: BlockNames) -> Self {
        Self { names, ..self }
    }

    /// The block's result.
    ///
    /// # Errors
    /// As for [`NetworkBuilder::conv2d`].
    pub fn describe(self, network: &mut NetworkBuilder<'_>, input: Value) -> Result<Value> {
        let inputs = network.channels(input)?;
        let width = match self.width {
            Width::Times(times) => inputs.saturating_mul(times),
            Width::Channels(channels) => channels,
        };
        let names = self.names.layers(width != inputs, self.excitation.is_some());
        let [widen, filter, excite, narrow] = [&names.widen, &names.filter, &names.excite, &names.narrow]
            .map(|[first, second]| [first.as_str(), second.as_str()]);
        let mut x = input;
        if width != inputs {
            x = network.conv_norm_activation(widen, x, Conv2d::new(width, 1), self.activation)?;
        }
        x = network.conv_norm_activation(filter, x, self.filter(width), self.activation)?;
        if let Some(excitation) = self.excitation {
            x = excitation.describe(network, excite, x)?;
        }
        x = network.conv_norm(narrow, x, Conv2d::new(self.channels, 1))?;
        if self.stride == 1 && self.channels == inputs {
            x = network.add(input, x)?;
        }
        Ok(x)
    }

    fn filter(self, width: usize) -> Conv2d {
        let filter = Conv2d::new(width, self.kernel).stride(self.stride).groups(width);
        if self.is_same {
            filter.same()
        } else {
            filter.padding(self.kernel / 2)
        }
    }
}
