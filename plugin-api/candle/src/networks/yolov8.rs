//! YOLOv8, with the module names of its project.
//!
//! Source: the YOLOv8 project's `yolov8.yaml` with the scale `n`: a third of the depth, a quarter of the width.

use crate::{
    device::Placement,
    network::{Activation, Conv2d, Interpolation, Network, NetworkBuilder, Parameters, Pool, Value},
};
use modelzoo_plugin_api::Result;

/// Bins of the distribution that each of a box's four distances is given as.
const BINS: usize = 16;
/// Of the project's batch normalisations.
const EPSILON: f64 = 1e-3;

/// YOLOv8n: `[3, 640, 640]` to the tokens of the strides 8, 16 and 32, one sequence of all cells, row by row: logits of
/// the distributions of the distances to the left, top, right and bottom edge (16 each), then of the classes.
///
/// # Errors
/// When a parameter is missing or has other dimensions.
pub fn yolov8n(parameters: &dyn Parameters, classes: usize, placement: &Placement) -> Result<Network> {
    let mut layers = Layers {
        network: NetworkBuilder::new(parameters).with_batch_norm_epsilon(EPSILON),
    };
    let x = layers.network.input("image", [3, 640, 640])?;
    let x = layers.conv("model.0", x, 16, 3, 2)?;
    let x = layers.conv("model.1", x, 32, 3, 2)?;
    let x = layers.cross_stage("model.2", x, 32, 1, true)?;
    let x = layers.conv("model.3", x, 64, 3, 2)?;
    let fine = layers.cross_stage("model.4", x, 64, 2, true)?;
    let x = layers.conv("model.5", fine, 128, 3, 2)?;
    let middle = layers.cross_stage("model.6", x, 128, 2, true)?;
    let x = layers.conv("model.7", middle, 256, 3, 2)?;
    let x = layers.cross_stage("model.8", x, 256, 1, true)?;
    let coarse = layers.pyramid_pooling("model.9", x, 256)?;

    let x = layers.upsampled_with(coarse, middle)?;
    let up16 = layers.cross_stage("model.12", x, 128, 1, false)?;
    let x = layers.upsampled_with(up16, fine)?;
    let out8 = layers.cross_stage("model.15", x, 64, 1, false)?;
    let x = layers.conv("model.16", out8, 64, 3, 2)?;
    let x = layers.network.cat(&[x, up16])?;
    let out16 = layers.cross_stage("model.18", x, 128, 1, false)?;
    let x = layers.conv("model.19", out16, 128, 3, 2)?;
    let x = layers.network.cat(&[x, coarse])?;
    let out32 = layers.cross_stage("model.21", x, 256, 1, false)?;

    let mut cells = Vec::new();
    for (scale, x) in [out8, out16, out32].into_iter().enumerate() {
        cells.push(layers.head(scale, x, classes)?);
    }
    let all = layers.network.cat_tokens(&cells)?;
    layers.network.build(&[all], placement)
}

struct Layers<'p> {
    network: NetworkBuilder<'p>,
}

impl Layers<'_> {
    /// The project's `Conv`: convolution, normalisation, SiLU.
    fn conv(&mut self, name: &str, x: Value, channels: usize, kernel: usize, stride: usize) -> Result<Value> {
        let settings = Conv2d::new(channels, kernel).stride(stride).padding(kernel / 2);
        self.network
            .scope(name)
            .conv_norm_activation(["conv", "bn"], x, settings, Activation::Silu)
    }

    /// The project's `C2f`: half of the channels go through bottlenecks, and every step's result is kept.
    fn cross_stage(
        &mut self,
        name: &str,
        x: Value,
        channels: usize,
        bottlenecks: usize,
        is_residual: bool,
    ) -> Result<Value> {
        let half = channels / 2;
        let x = self.conv(&format!("{name}.cv1"), x, channels, 1, 1)?;
        let mut parts = self.network.halves(x)?.to_vec();
        let mut last = parts[1];
        for index in 0..bottlenecks {
            let x = self.conv(&format!("{name}.m.{index}.cv1"), last, half, 3, 1)?;
            let x = self.conv(&format!("{name}.m.{index}.cv2"), x, half, 3, 1)?;
            last = if is_residual {
                self.network.add(last, x)?
            } else {
                x
            };
            parts.push(last);
        }
        let x = self.network.cat(&parts)?;
        self.conv(&format!("{name}.cv2"), x, channels, 1, 1)
    }

    /// The project's `SPPF`: three poolings in a row see ever more of the picture.
    fn pyramid_pooling(&mut self, name: &str, x: Value, channels: usize) -> Result<Value> {
        let half = self.network.channels(x)? / 2;
        let mut parts = vec![self.conv(&format!("{name}.cv1"), x, half, 1, 1)?];
        for step in 0..3 {
            parts.push(self.network.max_pool2d(parts[step], Pool::new(5, 1, 2))?);
        }
        let x = self.network.cat(&parts)?;
        self.conv(&format!("{name}.cv2"), x, channels, 1, 1)
    }

    fn upsampled_with(&mut self, x: Value, skip: Value) -> Result<Value> {
        let x = self.network.upsample(x, 2, Interpolation::Nearest)?;
        self.network.cat(&[x, skip])
    }

    /// One scale of the project's `Detect`.
    fn head(&mut self, scale: usize, x: Value, classes: usize) -> Result<Value> {
        let finest = 64;
        let boxes = [(finest / 4).max(4 * BINS), 4 * BINS];
        let scores = [finest.max(classes.min(100)), classes];
        let mut branch = |name: &str, [hidden, outputs]: [usize; 2]| {
            let name = format!("model.22.{name}.{scale}");
            let x = self.conv(&format!("{name}.0"), x, hidden, 3, 1)?;
            let x = self.conv(&format!("{name}.1"), x, hidden, 3, 1)?;
            self.network
                .conv2d(&format!("{name}.2"), x, Conv2d::new(outputs, 1))
        };
        let parts = [branch("cv2", boxes)?, branch("cv3", scores)?];
        let x = self.network.cat(&parts)?;
        self.network.to_tokens(x)
    }
}
