//! How maps of two sizes become one.

use crate::{architectures::activation::Activation, repository::Config};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// How maps of two sizes become one; `name` is before the names of the layers.
pub(in crate::architectures) trait Fusion {
    /// A smaller map, before it is enlarged.
    fn lateral(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value>;

    /// A larger map, made half as large.
    fn downsample(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value>;

    /// Two maps of one size, one after the other.
    fn fuse(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value>;
}

/// A convolution without a bias, padded so that a stride of 1 keeps the size, and its normalisation.
pub(in crate::architectures) fn convolve(
    network: &mut NetworkBuilder<'_>,
    name: &str,
    x: Value,
    convolution: Conv2d,
    epsilon: f64,
) -> Result<Value> {
    let x = network.conv2d(&format!("{name}.conv"), x, convolution.without_bias())?;
    network.batch_norm_with_epsilon(&format!("{name}.norm"), x, epsilon)
}

/// RT-DETR's way: two branches, one of which goes through blocks of RepVGG.
#[derive(Clone, Copy, Debug)]
pub(in crate::architectures) struct CspRep {
    /// Channels of the result.
    pub(in crate::architectures) channels: usize,
    /// Channels of the branches.
    pub(in crate::architectures) hidden: usize,
    pub(in crate::architectures) blocks: usize,
    pub(in crate::architectures) activation: Activation,
    pub(in crate::architectures) epsilon: f64,
}

/// What `hidden_expansion` multiplies the channels of branches with.
pub(in crate::architectures) fn expansion(config: &Config) -> Result<f64> {
    let expansion = config.number("hidden_expansion")?.unwrap_or(1.0);
    if (0.01..=100.0).contains(&expansion) {
        Ok(expansion)
    } else {
        Err(config.wrong("hidden_expansion", "a number from 0.01 to 100"))
    }
}

impl CspRep {
    /// Reads the settings of an encoder whose maps have so many channels.
    pub(in crate::architectures) fn read(config: &Config, channels: usize) -> Result<Self> {
        Ok(Self {
            channels,
            hidden: ((channels as f64 * expansion(config)?) as usize).max(1),
            blocks: 3,
            activation: Activation::of(config, "activation_function", Activation::Silu)?,
            epsilon: config.epsilon("batch_norm_eps", 1e-5)?,
        })
    }

    fn convolve(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        convolution: Conv2d,
    ) -> Result<Value> {
        let x = convolve(network, name, x, convolution, self.epsilon)?;
        self.activation.apply(network, x)
    }
}

impl Fusion for CspRep {
    fn lateral(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        self.convolve(network, name, x, Conv2d::new(self.channels, 1))
    }

    fn downsample(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        let convolution = Conv2d::new(self.channels, 3).stride(2).padding(1);
        self.convolve(network, name, x, convolution)
    }

    fn fuse(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        let narrow = Conv2d::new(self.hidden, 1);
        let mut deep = self.convolve(network, &format!("{name}.conv1"), x, narrow)?;
        for block in 0..self.blocks {
            let name = format!("{name}.bottlenecks.{block}");
            let wide = Conv2d::new(self.hidden, 3).padding(1);
            let wide = convolve(network, &format!("{name}.conv1"), deep, wide, self.epsilon)?;
            let point = convolve(network, &format!("{name}.conv2"), deep, narrow, self.epsilon)?;
            let sum = network.add(wide, point)?;
            deep = self.activation.apply(network, sum)?;
        }
        let short = self.convolve(network, &format!("{name}.conv2"), x, narrow)?;
        let sum = network.add(deep, short)?;
        if self.hidden == self.channels {
            return Ok(sum);
        }
        self.convolve(
            network,
            &format!("{name}.conv3"),
            sum,
            Conv2d::new(self.channels, 1),
        )
    }
}
