//! How maps of four sizes become one, of a quarter of the picture's size.

use super::{super::hgnet_v2::pair, same};
use crate::repository::Config;
use modelzoo_candle::network::{Conv2d, Interpolation, NetworkBuilder, Padding, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

/// The layers of an intraclass block that are added up, by their kernels' sizes; the keys of their settings and their names.
const LENGTHS: [&str; 3] = ["longratio", "midratio", "shortratio"];
const SHAPES: [&str; 3] = [
    "symmetric_conv_long",
    "vertical_long_to_small_conv",
    "horizontal_small_to_long_conv",
];

/// How maps are fused.
#[derive(Debug)]
pub(super) enum Neck {
    /// Convolutions whose channels are excited.
    Excited {
        /// Channels of each map before, where they are changed first.
        inputs: Option<Vec<usize>>,
        reduction: usize,
        /// The kernel of depthwise convolutions, where the second ones are such.
        depthwise: Option<usize>,
    },
    /// Large kernels, from above and from below, and blocks of long ones.
    Large {
        blocks: Vec<IntraclassBlock>,
        factors: Vec<usize>,
        has_bias: bool,
    },
}

/// Convolutions with high and with wide kernels.
#[derive(Clone, Debug)]
pub(super) struct IntraclassBlock {
    reduction: usize,
    reduce: Steps,
    /// For each length the convolutions that are added up.
    steps: [[Steps; 3]; 3],
    last: Steps,
}

/// Kernel, stride and padding.
#[derive(Clone, Copy, Debug)]
struct Steps {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
}

impl Neck {
    /// Of the small models of the sixth version.
    pub(super) fn depthwise(config: &Config) -> Result<Self> {
        let kernel = config.count("dilated_kernel_size", 7)?;
        if kernel % 2 == 0 || kernel > 31 {
            return Err(config.unsupported("dilated_kernel_size", "an odd number of at most 31"));
        }
        Ok(Self::Excited {
            inputs: None,
            reduction: config.count("reduction", 4)?,
            depthwise: Some(kernel),
        })
    }

    /// Of the small models of the fifth version.
    pub(super) fn excited(config: &Config, maps: usize) -> Result<Self> {
        let inputs = config.counts("layer_list_out_channels", &[12, 18, 42, 360])?;
        if inputs.len() != maps {
            let expected = format!("a list of {maps} numbers, one for each map of the backbone,");
            return Err(config.wrong("layer_list_out_channels", &expected));
        }
        Ok(Self::Excited {
            inputs: Some(inputs),
            reduction: config.count("reduction", 4)?,
            depthwise: None,
        })
    }

    /// Of the large models.
    pub(super) fn large(config: &Config, maps: usize, has_bias: bool) -> Result<Self> {
        let count = config.count("intraclass_block_number", 4)?;
        let factors = config.counts("scale_factor_list", &[1, 2, 4, 8])?;
        if count != maps || factors.len() != maps {
            let expected = format!("a list of {maps} numbers, one for each map and each intraclass block,");
            return Err(config.wrong("scale_factor_list", &expected));
        }
        let block = IntraclassBlock::read(config)?;
        Ok(Self::Large {
            blocks: vec![block; count],
            factors,
            has_bias,
        })
    }

    /// The maps as one of `channels`.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        maps: &[Value],
        channels: usize,
        interpolation: Interpolation,
    ) -> Result<Value> {
        let maps = match self {
            Self::Excited {
                inputs,
                reduction,
                depthwise,
            } => {
                let mut adjusted = maps.to_vec();
                if let Some(inputs) = inputs {
                    for (index, (map, &channels)) in adjusted.iter_mut().zip(inputs).enumerate() {
                        let layer = Conv2d::new(channels, 1);
                        *map = network.conv2d(&format!("model.layer.{index}"), *map, layer)?;
                    }
                }
                let excitation = Excitation {
                    channels,
                    reduction: *reduction,
                    depthwise: *depthwise,
                };
                excitation.fuse(network, &adjusted, interpolation)?
            }
            Self::Large { blocks, has_bias, .. } => {
                fuse_large(network, maps, channels, (blocks, *has_bias), interpolation)?
            }
        };
        let mut enlarged = Vec::new();
        for (index, map) in maps.into_iter().enumerate() {
            let factor = match self {
                Self::Excited { .. } => 1 << index,
                Self::Large { factors, .. } => factors[index],
            };
            enlarged.push(match factor {
                1 => map,
                factor => network.upsample(map, factor, interpolation)?,
            });
        }
        enlarged.reverse();
        network.cat(&enlarged)
    }
}

/// Convolutions whose channels are excited.
#[derive(Clone, Copy, Debug)]
struct Excitation {
    channels: usize,
    reduction: usize,
    depthwise: Option<usize>,
}

impl Excitation {
    fn fuse(
        self,
        network: &mut NetworkBuilder<'_>,
        maps: &[Value],
        interpolation: Interpolation,
    ) -> Result<Vec<Value>> {
        let mut fused = Vec::new();
        for (index, &map) in maps.iter().enumerate() {
            let name = format!("model.neck.insert_conv.{index}");
            let layer = same(self.channels, [1; 2]).without_bias();
            let x = network.conv2d(&format!("{name}.in_conv"), map, layer)?;
            fused.push(self.excited(network, &format!("{name}.squeeze_excitation_block"), x)?);
        }
        add_from_above(network, &mut fused, interpolation)?;
        let mut results = Vec::new();
        for (index, map) in fused.into_iter().enumerate() {
            let name = format!("model.neck.input_conv.{index}");
            let quarter = self.channels / 4;
            results.push(match self.depthwise {
                None => {
                    let layer = same(quarter, [3; 2]).without_bias();
                    let x = network.conv2d(&format!("{name}.in_conv"), map, layer)?;
                    self.excited(network, &format!("{name}.squeeze_excitation_block"), x)?
                }
                Some(kernel) => {
                    let layer = same(self.channels, [kernel; 2]).groups(self.channels);
                    let x = network.conv2d(&format!("{name}.depthwise_convolution"), map, layer)?;
                    let layer = Conv2d::new(quarter, 1).without_bias();
                    let x = network.conv2d(&format!("{name}.pointwise_convolution"), x, layer)?;
                    self.excited(network, &format!("{name}.squeeze_excitation_module"), x)?
                }
            });
        }
        Ok(results)
    }

    /// A map, and once more what of it its channels' factors leave.
    fn excited(self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        // A hard sigmoid here has a slope of 0.2 instead of 1/6.
        const STEEPER: f32 = 0.2 * 6.0;
        let channels = network.channels(x)?;
        let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
        let reduced = Conv2d::new((channels / self.reduction).max(1), 1);
        let factors = network.conv2d(&format!("{name}.conv1"), mean, reduced)?;
        let factors = network.relu(factors)?;
        let factors = network.conv2d(&format!("{name}.conv2"), factors, Conv2d::new(channels, 1))?;
        let factors = network.affine(
            factors,
            Weight::vector(vec![STEEPER; channels]),
            Weight::vector(vec![0.0; channels]),
        )?;
        let factors = network.hardsigmoid(factors)?;
        let part = network.mul(x, factors)?;
        network.add(x, part)
    }
}

/// Adds to each map what is on the next smaller one, from the smallest to the largest.
fn add_from_above(
    network: &mut NetworkBuilder<'_>,
    maps: &mut [Value],
    interpolation: Interpolation,
) -> Result<()> {
    for index in (1..maps.len()).rev() {
        let larger = network.upsample(maps[index], 2, interpolation)?;
        maps[index - 1] = network.add(maps[index - 1], larger)?;
    }
    Ok(())
}

fn fuse_large(
    network: &mut NetworkBuilder<'_>,
    maps: &[Value],
    channels: usize,
    (blocks, has_bias): (&[IntraclassBlock], bool),
    interpolation: Interpolation,
) -> Result<Vec<Value>> {
    let quarter = channels / 4;
    let wide = same(quarter, [9; 2]);
    let wide = if has_bias { wide } else { wide.without_bias() };
    let mut adjusted = Vec::new();
    for (index, &map) in maps.iter().enumerate() {
        let name = format!("model.neck.input_channel_adjustment_convolution.{index}");
        adjusted.push(network.conv2d(&name, map, Conv2d::new(channels, 1).without_bias())?);
    }
    add_from_above(network, &mut adjusted, interpolation)?;
    let mut results = Vec::new();
    let mut below: Option<Value> = None;
    for (index, map) in adjusted.into_iter().enumerate() {
        let name = format!("model.neck.input_feature_projection_convolution.{index}");
        let mut x = network.conv2d(&name, map, wide)?;
        if let Some(below) = below {
            let name = format!("model.neck.path_aggregation_head_convolution.{}", index - 1);
            let smaller = same(quarter, [3; 2]).stride(2).without_bias();
            let smaller = network.conv2d(&name, below, smaller)?;
            x = network.add(x, smaller)?;
        }
        below = Some(x);
        let name = format!("model.neck.path_aggregation_lateral_convolution.{index}");
        let x = network.conv2d(&name, x, wide)?;
        let name = format!("model.neck.intraclass_blocks.{index}");
        results.push(blocks[index].describe(network, &name, x)?);
    }
    Ok(results)
}

impl IntraclassBlock {
    fn read(config: &Config) -> Result<Self> {
        let section = config.section_or_empty("intraclass_block_config")?;
        let mut steps = Vec::new();
        for length in LENGTHS {
            let mut shapes = Vec::new();
            for shape in SHAPES {
                shapes.push(Steps::read(&section, &format!("{shape}_{length}"))?);
            }
            steps.push([shapes[0], shapes[1], shapes[2]]);
        }
        Ok(Self {
            reduction: config.count("reduce_factor", 2)?,
            reduce: Steps::read(&section, "reduce_channel")?,
            steps: [steps[0], steps[1], steps[2]],
            last: Steps::read(&section, "return_channel")?,
        })
    }

    fn describe(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let channels = network.channels(input)?;
        let reduced = (channels / self.reduction).max(1);
        let mut x = network.conv2d(
            &format!("{name}.conv_reduce_channel"),
            input,
            self.reduce.convolution(reduced),
        )?;
        for (length, steps) in LENGTHS.iter().zip(&self.steps) {
            let mut sum: Option<Value> = None;
            for (shape, steps) in SHAPES.iter().zip(steps) {
                let layer = format!("{name}.{shape}_{length}");
                let y = network.conv2d(&layer, x, steps.convolution(reduced))?;
                sum = Some(match sum {
                    Some(sum) => network.add(sum, y)?,
                    None => y,
                });
            }
            x = sum.unwrap_or(x);
        }
        let name = format!("{name}.conv_final");
        let x = network.conv2d(&format!("{name}.convolution"), x, self.last.convolution(channels))?;
        let x = network.batch_norm(&format!("{name}.norm"), x)?;
        let x = network.relu(x)?;
        network.add(input, x)
    }
}

impl Steps {
    fn read(config: &Config, key: &str) -> Result<Self> {
        let wrong = || config.wrong(key, "a list of kernel, stride and padding, each a number or two,");
        let parts: Vec<[usize; 2]> = config
            .value(key)
            .and_then(|value| value.as_array()?.iter().map(pair).collect())
            .ok_or_else(wrong)?;
        let &[kernel, stride, padding] = parts.as_slice() else {
            return Err(wrong());
        };
        let fits = |sides: [usize; 2], least: usize| sides.iter().all(|side| (least..=31).contains(side));
        if fits(kernel, 1) && fits(stride, 1) && fits(padding, 0) {
            Ok(Self {
                kernel,
                stride,
                padding,
            })
        } else {
            Err(wrong())
        }
    }

    fn convolution(self, channels: usize) -> Conv2d {
        let [rows, columns] = self.padding;
        Conv2d::new(channels, self.kernel[0])
            .kernel(self.kernel)
            .strides(self.stride)
            .uneven_padding(Padding {
                top: rows,
                bottom: rows,
                left: columns,
                right: columns,
            })
    }
}
