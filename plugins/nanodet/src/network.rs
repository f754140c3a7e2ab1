//! NanoDet-g: a backbone of cross-stage-partial blocks, a path aggregation neck, and a head for each of three scales.
//!
//! Source: the NanoDet project's `nanodet_g` (backbone `CustomCspNet`, neck `PAN`, head `NanoDetHead`); convolutions
//! are numbered in the order of the exported weights.

use modelzoo_candle::{
    device::Placement,
    network::{Conv2d, Interpolation, Network, NetworkBuilder, Parameters, Pool, Value},
};
use modelzoo_plugin_api::Result;

/// Height and width of the input.
pub(crate) const INPUT: usize = 416;
/// Classes of COCO.
pub(crate) const CLASSES: usize = 80;
/// Bins of the distribution that each of a box's four distances is given as.
pub(crate) const BINS: usize = 11;
/// How many pixels of the input are a cell of each output.
pub(crate) const STRIDES: [usize; 3] = [8, 16, 32];

const SLOPE: f32 = 0.1;
const BILINEAR: Interpolation = Interpolation::Bilinear { align_corners: false };

/// NanoDet-g: `[3, 416, 416]` to the tokens `[cells, 80 + 4 * 11]` of the strides 8, 16 and 32, row by row: logits of
/// the classes, then of the distributions of the distances to the left, top, right and bottom edge.
///
/// # Errors
/// When a parameter is missing or has other dimensions.
pub fn nanodet_g(parameters: &dyn Parameters, placement: &Placement) -> Result<Network> {
    let mut layers = Layers {
        network: NetworkBuilder::new(parameters),
        count: 0,
    };
    let image = layers.network.input("image", [3, INPUT, INPUT])?;
    let x = layers.conv3x3(image, 32, 2)?;
    let x = layers.network.max_pool2d(x, Pool::new(3, 2, 1))?;
    let x = layers.stage(x, 32, 1, 1)?;
    let scale8 = layers.stage(x, 64, 2, 2)?;
    let scale16 = layers.stage(scale8, 128, 2, 2)?;
    let scale32 = layers.stage(scale16, 256, 2, 3)?;

    let lateral32 = layers.conv1x1(scale32, 128)?;
    let lateral16 = layers.conv1x1(scale16, 128)?;
    let lateral8 = layers.conv1x1(scale8, 128)?;
    let down16 = layers.add_resized(lateral16, lateral32)?;
    let out8 = layers.add_resized(lateral8, down16)?;
    let out16 = layers.add_resized(down16, out8)?;
    let out32 = layers.add_resized(lateral32, out16)?;

    // The weights are numbered from the coarsest head.
    let head32 = layers.head(out32)?;
    let head16 = layers.head(out16)?;
    let head8 = layers.head(out8)?;
    layers.network.build(&[head8, head16, head32], placement)
}

/// A network whose convolutions are numbered.
struct Layers<'p> {
    network: NetworkBuilder<'p>,
    count: usize,
}

impl Layers<'_> {
    /// A cross-stage-partial stage: twice `channels` come out. Each of its `pairs` of convolutions halves the channels
    /// and puts both results side by side.
    fn stage(&mut self, x: Value, channels: usize, stride: usize, pairs: usize) -> Result<Value> {
        let entry = self.conv3x3(x, channels, stride)?;
        let mut x = entry;
        for _ in 0..pairs {
            let first = self.conv3x3(x, channels / 2, 1)?;
            let second = self.conv3x3(first, channels / 2, 1)?;
            x = self.network.cat(&[second, first])?;
        }
        let x = self.conv3x3(x, channels, 1)?;
        self.network.cat(&[x, entry])
    }

    fn head(&mut self, x: Value) -> Result<Value> {
        let x = self.conv3x3(x, 128, 1)?;
        let x = self.conv1x1(x, CLASSES + 4 * BINS)?;
        self.network.to_tokens(x)
    }

    /// `x` plus `other`, resized to the same height and width.
    fn add_resized(&mut self, x: Value, other: Value) -> Result<Value> {
        let resized = self.network.interpolate_like(other, x, BILINEAR)?;
        self.network.add(x, resized)
    }

    fn conv3x3(&mut self, x: Value, channels: usize, stride: usize) -> Result<Value> {
        let x = self.conv(x, Conv2d::new(channels, 3).stride(stride).padding(1))?;
        self.network.leaky_relu(x, SLOPE)
    }

    fn conv1x1(&mut self, x: Value, channels: usize) -> Result<Value> {
        self.conv(x, Conv2d::new(channels, 1))
    }

    fn conv(&mut self, x: Value, settings: Conv2d) -> Result<Value> {
        let name = format!("conv{}", self.count);
        self.count += 1;
        self.network.conv2d(&name, x, settings)
    }
}
