//! PoseNet: MobileNetV1 of width 0.75 down to a stride of 16, and four heads.
//!
//! Source: Papandreou et al., "PersonLab" (2018), section 3; Howard et al., "MobileNets" (2017), table 1.
//! Convolutions are numbered in the order of the exported weights, with their normalisations folded in.

use modelzoo_candle::{
    device::Placement,
    network::{Conv2d, Network, NetworkBuilder, Parameters, Value},
};
use modelzoo_plugin_api::Result;

/// Height and width of the input.
pub(crate) const INPUT: usize = 385;
/// How many pixels of the input a cell of the outputs is.
pub(crate) const STRIDE: usize = 16;
/// Height and width of the outputs.
pub(crate) const CELLS: usize = (INPUT - 1) / STRIDE + 1;

/// Output channels and stride of each pair of a depthwise and a pointwise convolution.
const PAIRS: [(usize, usize); 13] = [
    (48, 1),
    (96, 2),
    (96, 1),
    (192, 2),
    (192, 1),
    (384, 2),
    (384, 1),
    (384, 1),
    (384, 1),
    (384, 1),
    (384, 1),
    (384, 1),
    (384, 1),
];

/// PoseNet: `[3, 385, 385]` to maps of 25 x 25 cells: logits of the 17 keypoints; offsets `[y..., x...]` from a cell to
/// each keypoint nearby; displacements `[y..., x...]` along the 16 edges of the tree, from parent to child and from
/// child to parent; all in pixels of the input.
///
/// # Errors
/// When a parameter is missing or has other dimensions.
pub fn posenet(parameters: &dyn Parameters, placement: &Placement) -> Result<Network> {
    let mut layers = Layers {
        network: NetworkBuilder::new(parameters),
        count: 0,
    };
    let image = layers.network.input("image", [3, INPUT, INPUT])?;
    let mut x = layers.conv_relu6(image, Conv2d::new(24, 3).stride(2).padding(1))?;
    for (channels, stride) in PAIRS {
        let inputs = layers.network.channels(x)?;
        x = layers.conv_relu6(x, Conv2d::new(inputs, 3).stride(stride).padding(1).groups(inputs))?;
        x = layers.conv_relu6(x, Conv2d::new(channels, 1))?;
    }
    let heatmap = layers.conv(x, Conv2d::new(17, 1))?;
    let forward = layers.conv(x, Conv2d::new(32, 1))?;
    let backward = layers.conv(x, Conv2d::new(32, 1))?;
    let offsets = layers.conv(x, Conv2d::new(34, 1))?;
    layers
        .network
        .build(&[heatmap, offsets, forward, backward], placement)
}

/// A network whose convolutions are numbered.
struct Layers<'p> {
    network: NetworkBuilder<'p>,
    count: usize,
}

impl Layers<'_> {
    fn conv_relu6(&mut self, x: Value, settings: Conv2d) -> Result<Value> {
        let x = self.conv(x, settings)?;
        self.network.relu6(x)
    }

    fn conv(&mut self, x: Value, settings: Conv2d) -> Result<Value> {
        let name = format!("conv{}", self.count);
        self.count += 1;
        self.network.conv2d(&name, x, settings)
    }
}
