//! The decoder of a dense prediction transformer: tokens of four layers become maps of four sizes, and these one map.
//!
//! Source: Ranftl et al., "Vision Transformers for Dense Prediction" (2021), section 3 and figure 1; names: those of
//! transformers' `DPTNeck`.

use super::{activation::Activation, dinov2::Dinov2};
use crate::{checkpoint::Checkpoint, repository::Config};
use modelzoo_candle::network::{Conv2d, ConvTranspose2d, Interpolation, NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, Result};

/// Layers whose tokens are used.
pub(super) const LEVELS: usize = 4;

/// Enlargement to exactly twice the size, or to that of another map, with the corners at the corners.
pub(super) const ALIGNED: Interpolation = Interpolation::Bilinear { align_corners: true };

/// The decoder up to its last map.
pub(super) struct Neck {
    pub(super) factors: [Resize; LEVELS],
    pub(super) channels: [usize; LEVELS],
    /// Channels of the map that it makes.
    pub(super) features: usize,
    pub(super) readout: Readout,
    /// Whether a map that is fused becomes as large as the next one that is, instead of twice as large.
    pub(super) fits_next: bool,
    /// Whether convolutions that are added to their operand are followed by normalisations.
    pub(super) has_norms: bool,
    pub(super) has_bias: bool,
}

/// What becomes of the token before those of the patches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Readout {
    Ignore,
    /// It is added to each of them.
    Add,
    /// It is put beside each of them, and a linear layer with this activation makes one of both.
    Project(Activation),
}

/// What a backbone gives for a level.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level {
    /// One token, and then those of a grid.
    Tokens(Value),
    /// A map with the channels and the size of the level.
    Map(Value),
}

/// What is done to the size of a level's map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resize {
    Enlarge(usize),
    Keep,
    Reduce(usize),
}

impl Neck {
    /// Reads the sizes, of which these are the defaults; nothing becomes of the first token.
    pub(super) fn read(config: &Config, channels: [usize; LEVELS], features: usize) -> Result<Self> {
        Ok(Self {
            factors: factors(config)?,
            channels: config.counts_of("neck_hidden_sizes", channels)?,
            features: config.count("fusion_hidden_size", features)?,
            readout: Readout::Ignore,
            fits_next: false,
            has_norms: false,
            has_bias: true,
        })
    }

    /// The same of a backbone whose maps have the sizes of the levels already.
    pub(super) fn of_maps(config: &Config, channels: [usize; LEVELS], features: usize) -> Result<Self> {
        Ok(Self {
            factors: [Resize::Keep; LEVELS],
            channels: config.counts_of("neck_hidden_sizes", channels)?,
            features: config.count("fusion_hidden_size", features)?,
            readout: Readout::Ignore,
            fits_next: false,
            has_norms: false,
            has_bias: true,
        })
    }

    /// One map of four levels; `grid` is that of the tokens.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        given: [Level; LEVELS],
        grid: [usize; 2],
    ) -> Result<Value> {
        // The first fusion has nothing to add, but its layers for that are published.
        checkpoint.leave_out("neck.fusion_stage.layers.0.residual_layer1.");
        let mut levels = Vec::new();
        for (level, given) in given.into_iter().enumerate() {
            let map = match given {
                Level::Tokens(tokens) => self.reassemble(network, level, tokens, grid)?,
                Level::Map(map) => map,
            };
            let same = Conv2d::new(self.features, 3).padding(1).without_bias();
            levels.push(network.conv2d(&format!("neck.convs.{level}"), map, same)?);
        }
        self.fuse(network, &levels)
    }

    /// The tokens of the patches, which know of the token before them.
    fn read_out(
        &self,
        network: &mut NetworkBuilder<'_>,
        level: usize,
        x: Value,
        count: usize,
    ) -> Result<Value> {
        let patches = network.take_tokens(x, (1..=count).collect::<Vec<_>>())?;
        if self.readout == Readout::Ignore {
            return Ok(patches);
        }
        let first = network.take_tokens(x, vec![0; count])?;
        let Readout::Project(activation) = self.readout else {
            return network.add(patches, first);
        };
        let features = network.channels(x)?;
        let both = network.cat(&[patches, first])?;
        let name = format!("neck.reassemble_stage.readout_projects.{level}.0");
        let x = network.linear(&name, both, features)?;
        activation.apply(network, x)
    }

    /// A layer's tokens as a map with the channels and the size of a level.
    fn reassemble(
        &self,
        network: &mut NetworkBuilder<'_>,
        level: usize,
        x: Value,
        grid: [usize; 2],
    ) -> Result<Value> {
        let x = self.read_out(network, level, x, grid[0] * grid[1])?;
        let x = network.to_map(x, grid)?;
        let name = format!("neck.reassemble_stage.layers.{level}");
        let channels = self.channels[level];
        let x = network.conv2d(&format!("{name}.projection"), x, Conv2d::new(channels, 1))?;
        match self.factors[level] {
            Resize::Keep => Ok(x),
            Resize::Enlarge(factor) => network.conv_transpose2d(
                &format!("{name}.resize"),
                x,
                ConvTranspose2d::new(channels, factor, factor),
            ),
            Resize::Reduce(factor) => network.conv2d(
                &format!("{name}.resize"),
                x,
                Conv2d::new(channels, 3).stride(factor).padding(1),
            ),
        }
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
                .filter(|_| self.fits_next)
                .map(|next| network.dims(levels[next]))
                .transpose()?;
            let size = next.map_or([2 * dims[1], 2 * dims[2]], |next| [next[1], next[2]]);
            let x = network.interpolate(x, size, ALIGNED)?;
            fused = Some(network.conv2d(&format!("{name}.projection"), x, Conv2d::new(self.features, 1))?);
        }
        fused.ok_or_else(|| Error::new("there are no layers to fuse"))
    }

    fn residual(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let convolution = Conv2d::new(self.features, 3).padding(1);
        let convolution = if self.has_bias {
            convolution
        } else {
            convolution.without_bias()
        };
        let mut x = input;
        for part in 1..=2 {
            x = network.relu(x)?;
            x = network.conv2d(&format!("{name}.convolution{part}"), x, convolution)?;
            if self.has_norms {
                x = network.batch_norm(&format!("{name}.batch_norm{part}"), x)?;
            }
        }
        network.add(x, input)
    }
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

/// The numbers of four layers or stages of a backbone, counted from 1, as `out_indices` or `out_features` names them; 0 is what
/// is before the first one.
pub(super) fn out_indices(backbone: &Config, default: [usize; LEVELS]) -> Result<[usize; LEVELS]> {
    if backbone.has("out_indices") || !backbone.has("out_features") {
        return backbone.counts_of("out_indices", default);
    }
    let wrong = || backbone.wrong("out_features", "a list of four stages, such as \"stage1\",");
    let value = backbone.value("out_features").ok_or_else(wrong)?;
    let names: [String; LEVELS] = serde_json::from_value(value.clone()).map_err(|_| wrong())?;
    let mut numbers = [0; LEVELS];
    for (number, name) in numbers.iter_mut().zip(&names) {
        let digits = name.strip_prefix("stage").ok_or_else(wrong)?;
        *number = digits.parse().map_err(|_| wrong())?;
    }
    Ok(numbers)
}

/// The layers of DINOv2, counted from 1, whose tokens a decoder takes.
pub(super) struct Taken {
    layers: [usize; LEVELS],
    normalises: bool,
}

impl Taken {
    pub(super) fn read(backbone: &Config) -> Result<Self> {
        Ok(Self {
            layers: out_indices(backbone, [9, 10, 11, 12])?,
            normalises: backbone.flag("apply_layernorm", true)?,
        })
    }

    /// Their tokens, a level each.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        backbone: &Dinov2,
        image: Value,
    ) -> Result<[Level; LEVELS]> {
        let root = "backbone.";
        let layers = backbone.layers(network, checkpoint, root, image)?;
        let mut taken = [Level::Tokens(image); LEVELS];
        for (level, (taken, &layer)) in taken.iter_mut().zip(&self.layers).enumerate() {
            let x = *layers.get(layer).ok_or_else(|| {
                Error::new(format!(
                    "`backbone_config.out_indices` names layer {layer}, but there are {}",
                    layers.len() - 1
                ))
            })?;
            *taken = Level::Tokens(if self.normalises {
                // All have the same normalisation, which goes by its name once.
                let name = match level {
                    0 => format!("{root}layernorm"),
                    level => format!("{root}layernorm#{level}"),
                };
                let parameters = ["weight", "bias"].map(|part| format!("{root}layernorm.{part}"));
                let parameters = [parameters[0].as_str(), parameters[1].as_str()];
                network.layer_norm_of(&name, x, parameters, backbone.epsilon())?
            } else {
                x
            });
        }
        Ok(taken)
    }
}
