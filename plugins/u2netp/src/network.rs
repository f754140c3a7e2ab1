//! U2-Net with few channels: a U of U-shaped blocks.
//!
//! Source: Qin et al., "U2-Net: Going Deeper with Nested U-Structure for Salient Object Detection" (2020), figures 2
//! and 5. Convolutions are numbered in the order of the exported weights, with their normalisations folded in.

use modelzoo_candle::{
    device::Placement,
    network::{Conv2d, Interpolation, Network, NetworkBuilder, Parameters, Pool, Value},
};
use modelzoo_plugin_api::Result;

/// Height and width of the input.
pub(crate) const INPUT: usize = 320;

/// Channels between blocks, and within them.
const OUTER: usize = 64;
const INNER: usize = 16;

/// Levels of the U in the blocks of the first four encoder and, in reverse order, of the last four decoder stages.
const LEVELS: [usize; 4] = [6, 5, 4, 3];

/// The convolution whose bias of 1361 takes away what one input channel, a constant of about 228, adds: sums of `f32`
/// would keep the rounding of such terms, 2e-5 of the network's output.
const CANCELLING: usize = 97;

const BILINEAR: Interpolation = Interpolation::Bilinear { align_corners: false };
const HALVE: Pool = Pool {
    ceil_mode: true,
    ..Pool::new(2, 2, 0)
};

/// U2-Netp: `[3, 320, 320]` to the saliency `[1, 320, 320]`, 0 to 1.
///
/// # Errors
/// When a parameter is missing or has other dimensions.
pub fn u2netp(parameters: &dyn Parameters, placement: &Placement) -> Result<Network> {
    let mut layers = Layers {
        network: NetworkBuilder::new(parameters),
        count: 0,
    };
    let image = layers.network.input("image", [3, INPUT, INPUT])?;
    let mut encoded = Vec::new();
    let mut x = image;
    for levels in LEVELS {
        let stage = layers.nested_u(x, levels)?;
        encoded.push(stage);
        x = layers.network.max_pool2d(stage, HALVE)?;
    }
    let fifth = layers.dilated_block(x)?;
    encoded.push(fifth);
    let x = layers.network.max_pool2d(fifth, HALVE)?;
    let mut x = layers.dilated_block(x)?;

    let mut decoded = vec![x];
    for (stage, skip) in encoded.into_iter().enumerate().rev() {
        let resized = layers.network.interpolate_like(x, skip, BILINEAR)?;
        let joined = layers.network.cat(&[resized, skip])?;
        x = match LEVELS.get(stage) {
            Some(&levels) => layers.nested_u(joined, levels)?,
            None => layers.dilated_block(joined)?,
        };
        decoded.push(x);
    }

    let mut sides = Vec::new();
    for &stage in decoded.iter().rev() {
        let side = layers.conv(stage, Conv2d::new(1, 3).padding(1))?;
        sides.push(layers.network.interpolate(side, [INPUT, INPUT], BILINEAR)?);
    }
    let joined = layers.network.cat(&sides)?;
    let fused = layers.conv(joined, Conv2d::new(1, 1))?;
    let saliency = layers.network.sigmoid(fused)?;
    layers.network.build(&[saliency], placement)
}

/// A network whose convolutions are numbered.
struct Layers<'p> {
    network: NetworkBuilder<'p>,
    count: usize,
}

impl Layers<'_> {
    /// The paper's RSU: a small U-Net with `levels` sizes, added to what comes in.
    fn nested_u(&mut self, x: Value, levels: usize) -> Result<Value> {
        let entry = self.conv_relu(x, OUTER, 1)?;
        let mut down = vec![self.conv_relu(entry, INNER, 1)?];
        for level in 1..levels {
            let pooled = self.network.max_pool2d(down[level - 1], HALVE)?;
            down.push(self.conv_relu(pooled, INNER, 1)?);
        }
        let mut x = self.conv_relu(down[levels - 1], INNER, 2)?;
        for level in (0..levels).rev() {
            let skip = down[level];
            if level + 1 < levels {
                x = self.network.interpolate_like(x, skip, BILINEAR)?;
            }
            let joined = self.network.cat(&[x, skip])?;
            x = self.conv_relu(joined, if level == 0 { OUTER } else { INNER }, 1)?;
        }
        self.network.add(x, entry)
    }

    /// The paper's RSU-4F: the same with dilation instead of smaller sizes.
    fn dilated_block(&mut self, x: Value) -> Result<Value> {
        let entry = self.conv_relu(x, OUTER, 1)?;
        let first = self.conv_relu(entry, INNER, 1)?;
        let second = self.conv_relu(first, INNER, 2)?;
        let third = self.conv_relu(second, INNER, 4)?;
        let x = self.conv_relu(third, INNER, 8)?;
        let joined = self.network.cat(&[x, third])?;
        let x = self.conv_relu(joined, INNER, 4)?;
        let joined = self.network.cat(&[x, second])?;
        let x = self.conv_relu(joined, INNER, 2)?;
        let joined = self.network.cat(&[x, first])?;
        let x = self.conv_relu(joined, OUTER, 1)?;
        self.network.add(x, entry)
    }

    fn conv_relu(&mut self, x: Value, channels: usize, dilation: usize) -> Result<Value> {
        let x = self.conv(x, Conv2d::new(channels, 3).padding(dilation).dilation(dilation))?;
        self.network.relu(x)
    }

    fn conv(&mut self, x: Value, settings: Conv2d) -> Result<Value> {
        let name = format!("conv{}", self.count);
        let settings = if self.count == CANCELLING {
            settings.wide_sums()
        } else {
            settings
        };
        self.count += 1;
        self.network.conv2d(&name, x, settings)
    }
}
