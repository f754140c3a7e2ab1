//! Depth Anything, V1 and V2: DINOv2 with the decoder of a dense prediction transformer.
//!
//! Sources: Yang et al., "Depth Anything V2" (2024); Ranftl et al., "Vision Transformers for Dense Prediction" (2021),
//! section 3 and figure 1; names and defaults: those of transformers' `DepthAnythingConfig`.

use super::{Architecture, Outputs, dinov2::Dinov2, transformer};
use crate::{
    checkpoint::Checkpoint,
    repository::{Config, Repository},
};
use modelzoo_candle::network::{Conv2d, ConvTranspose2d, Interpolation, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Layers of the backbone whose tokens are used.
const LEVELS: usize = 4;

struct DepthAnything {
    backbone: Dinov2,
    /// The layers, counted from 1, whose tokens are used.
    taken: [usize; LEVELS],
    normalises: bool,
    factors: [Resize; LEVELS],
    neck: [usize; LEVELS],
    fusion: usize,
    head: usize,
    /// The greatest depth of a metric model; others give depths without a unit.
    most: Option<f32>,
}

/// What is done to the size of a level's map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resize {
    Enlarge(usize),
    Keep,
    Reduce(usize),
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let section = config.section_or_empty("backbone_config")?;
    if section.text("model_type")?.is_some_and(|kind| kind != "dinov2") {
        return Err(section.unsupported("model_type", "\"dinov2\""));
    }
    let metric = match config.text("depth_estimation_type")?.unwrap_or("relative") {
        "relative" => false,
        "metric" => true,
        _ => return Err(config.unsupported("depth_estimation_type", "\"relative\" or \"metric\"")),
    };
    let most = config.number("max_depth")?.unwrap_or(1.0) as f32;
    Ok(Box::new(DepthAnything {
        backbone: Dinov2::read(&section)?,
        taken: section.counts_of("out_indices", [9, 10, 11, 12])?,
        normalises: section.flag("apply_layernorm", true)?,
        factors: factors(config)?,
        neck: config.counts_of("neck_hidden_sizes", [48, 96, 192, 384])?,
        fusion: config.count("fusion_hidden_size", 64)?,
        head: config.count("head_hidden_size", 32)?,
        most: metric.then_some(most),
    }))
}

fn factors(config: &Config) -> Result<[Resize; LEVELS]> {
    let numbers = config
        .numbers("reassemble_factors")?
        .unwrap_or_else(|| vec![4.0, 2.0, 1.0, 0.5]);
    let resizes: Option<Vec<Resize>> = numbers
        .iter()
        .map(|&factor| match factor {
            1.0 => Some(Resize::Keep),
            factor if factor > 1.0 && factor.fract() == 0.0 && factor <= 16.0 => {
                Some(Resize::Enlarge(factor as usize))
            }
            factor if (1.0 / 16.0..1.0).contains(&factor) => Some(Resize::Reduce((1.0 / factor) as usize)),
            _ => None,
        })
        .collect();
    resizes
        .and_then(|resizes| resizes.try_into().ok())
        .ok_or_else(|| config.wrong("reassemble_factors", "a list of four factors from 1/16 to 16"))
}

impl Architecture for DepthAnything {
    fn image_size(&self) -> [usize; 2] {
        self.backbone.image_size()
    }

    fn depends_on_size(&self) -> bool {
        true
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], self.backbone.patch())?;
        let layers = self.backbone.layers(network, checkpoint, "backbone.", image)?;
        let mut levels = Vec::new();
        for (level, &layer) in self.taken.iter().enumerate() {
            let x = *layers.get(layer).ok_or_else(|| {
                modelzoo_plugin_api::Error::new(format!(
                    "`backbone_config.out_indices` names layer {layer}, but there are {}",
                    layers.len() - 1
                ))
            })?;
            levels.push(self.reassemble(network, level, x, grid)?);
        }
        // The first fusion has nothing to add, but its layers for that are published.
        checkpoint.leave_out("neck.fusion_stage.layers.0.residual_layer1.");
        let x = self.fuse(network, &levels)?;
        let depth = self.predict(network, x, grid)?;
        Ok(Outputs::Depth { depth })
    }
}

impl DepthAnything {
    /// A layer's tokens as a map with the channels and the size of a level.
    fn reassemble(
        &self,
        network: &mut NetworkBuilder<'_>,
        level: usize,
        x: Value,
        grid: [usize; 2],
    ) -> Result<Value> {
        let x = if self.normalises {
            let name = if level == 0 {
                "backbone.layernorm".to_owned()
            } else {
                format!("backbone.layernorm#{level}")
            };
            let parameters = ["weight", "bias"].map(|part| format!("backbone.layernorm.{part}"));
            network.layer_norm_of(
                &name,
                x,
                [&parameters[0], &parameters[1]],
                self.backbone.epsilon(),
            )?
        } else {
            x
        };
        let patches: Vec<usize> = (1..1 + grid[0] * grid[1]).collect();
        let x = network.take_tokens(x, patches)?;
        let x = network.to_map(x, grid)?;
        let name = format!("neck.reassemble_stage.layers.{level}");
        let channels = self.neck[level];
        let x = network.conv2d(&format!("{name}.projection"), x, Conv2d::new(channels, 1))?;
        let x = match self.factors[level] {
            Resize::Keep => x,
            Resize::Enlarge(factor) => network.conv_transpose2d(
                &format!("{name}.resize"),
                x,
                ConvTranspose2d::new(channels, factor, factor),
            )?,
            Resize::Reduce(factor) => network.conv2d(
                &format!("{name}.resize"),
                x,
                Conv2d::new(channels, 3).stride(factor).padding(1),
            )?,
        };
        let same = Conv2d::new(self.fusion, 3).padding(1).without_bias();
        network.conv2d(&format!("neck.convs.{level}"), x, same)
    }

    /// The levels as one map, from the smallest to the largest.
    fn fuse(&self, network: &mut NetworkBuilder<'_>, levels: &[Value]) -> Result<Value> {
        let mut fused: Option<Value> = None;
        for (index, &level) in levels.iter().rev().enumerate() {
            let name = format!("neck.fusion_stage.layers.{index}");
            let mut x = level;
            if let Some(previous) = fused {
                let mut residual = level;
                if network.dims(previous)? != network.dims(level)? {
                    let like = network.dims(previous)?;
                    let bilinear = Interpolation::Bilinear { align_corners: false };
                    residual = network.interpolate(level, [like[1], like[2]], bilinear)?;
                }
                let residual = self.residual(network, &format!("{name}.residual_layer1"), residual)?;
                x = network.add(previous, residual)?;
            }
            let x = self.residual(network, &format!("{name}.residual_layer2"), x)?;
            let dims = network.dims(x)?;
            let next = levels
                .len()
                .checked_sub(index + 2)
                .map(|next| network.dims(levels[next]))
                .transpose()?;
            let size = next.map_or([2 * dims[1], 2 * dims[2]], |next| [next[1], next[2]]);
            let x = network.interpolate(x, size, Interpolation::Bilinear { align_corners: true })?;
            fused = Some(network.conv2d(&format!("{name}.projection"), x, Conv2d::new(self.fusion, 1))?);
        }
        fused.ok_or_else(|| modelzoo_plugin_api::Error::new("a depth model needs layers to fuse"))
    }

    fn residual(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let mut x = input;
        for part in ["convolution1", "convolution2"] {
            x = network.relu(x)?;
            x = network.conv2d(
                &format!("{name}.{part}"),
                x,
                Conv2d::new(self.fusion, 3).padding(1),
            )?;
        }
        network.add(x, input)
    }

    /// The depth of each pixel of the network's input.
    fn predict(&self, network: &mut NetworkBuilder<'_>, x: Value, grid: [usize; 2]) -> Result<Value> {
        let x = network.conv2d("head.conv1", x, Conv2d::new(self.fusion / 2, 3).padding(1))?;
        let patch = self.backbone.patch();
        let size = [grid[0] * patch[0], grid[1] * patch[1]];
        let x = network.interpolate(x, size, Interpolation::Bilinear { align_corners: true })?;
        let x = network.conv2d("head.conv2", x, Conv2d::new(self.head, 3).padding(1))?;
        let x = network.relu(x)?;
        let x = network.conv2d("head.conv3", x, Conv2d::new(1, 1))?;
        match self.most {
            None => network.relu(x),
            Some(most) => {
                let x = network.sigmoid(x)?;
                let most = network.constant(&[1], vec![most])?;
                network.mul(x, most)
            }
        }
    }
}
