//! D-FINE's way to fuse maps: GELAN with blocks of RepVGG.

use crate::{
    architectures::{
        activation::Activation,
        rt_detr::{CspRep, Fusion, convolve, expansion},
    },
    repository::Config,
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Four branches, each of which goes on from the one before.
#[derive(Debug)]
pub(super) struct Elan {
    /// Channels of the result.
    channels: usize,
    /// Within the last two branches.
    inner: CspRep,
    epsilon: f64,
}

impl Elan {
    /// Reads the settings of an encoder whose maps have so many channels.
    pub(super) fn read(config: &Config, channels: usize) -> Result<Self> {
        let branch = (expansion(config)? * channels as f64 / 2.0).floor().max(1.0) as usize;
        let depth = config.number("depth_mult")?.unwrap_or(1.0);
        if !(0.0..=100.0).contains(&depth) {
            return Err(config.wrong("depth_mult", "a number from 0 to 100"));
        }
        let epsilon = config.epsilon("batch_norm_eps", 1e-5)?;
        Ok(Self {
            channels,
            inner: CspRep {
                channels: branch,
                hidden: branch,
                blocks: (3.0 * depth).round_ties_even() as usize,
                activation: Activation::of(config, "activation_function", Activation::Silu)?,
                epsilon,
            },
            epsilon,
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
        network.silu(x)
    }
}

impl Fusion for Elan {
    fn lateral(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        convolve(network, name, x, Conv2d::new(self.channels, 1), self.epsilon)
    }

    fn downsample(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        let point = Conv2d::new(self.channels, 1);
        let x = convolve(network, &format!("{name}.conv1"), x, point, self.epsilon)?;
        let depthwise = Conv2d::new(self.channels, 3)
            .stride(2)
            .padding(1)
            .groups(self.channels);
        convolve(network, &format!("{name}.conv2"), x, depthwise, self.epsilon)
    }

    fn fuse(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        let both = self.convolve(
            network,
            &format!("{name}.conv1"),
            x,
            Conv2d::new(2 * self.channels, 1),
        )?;
        let [first, second] = network.halves(both)?;
        let mut branches = vec![first, second];
        let mut x = second;
        for (rep, conv) in [("csp_rep1", "conv2"), ("csp_rep2", "conv3")] {
            x = self.inner.fuse(network, &format!("{name}.{rep}"), x)?;
            let convolution = Conv2d::new(self.inner.channels, 3).padding(1);
            x = self.convolve(network, &format!("{name}.{conv}"), x, convolution)?;
            branches.push(x);
        }
        let all = network.cat(&branches)?;
        self.convolve(
            network,
            &format!("{name}.conv4"),
            all,
            Conv2d::new(self.channels, 1),
        )
    }
}
