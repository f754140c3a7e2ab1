//! PP-LCNetV3, the backbone of the small models of PP-OCR: depthwise and pointwise convolutions, each of which was trained
//! as the sum of several.
//!
//! Source: Cui et al., "PP-LCNet: A Lightweight CPU Convolutional Neural Network" (2021), and its third version in
//! PaddleOCR (no paper); names and defaults: those of transformers' `PPLCNetV3Config`.

use super::{
    activation::Activation,
    branches::{Branch, Sum},
    excitation::{Excitation, excite},
    layers::Layers,
};
use crate::{checkpoint::Checkpoint, repository::Config};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, Result};

/// Added to the variances of batch normalisations: torch's default.
const EPSILON: f64 = 1e-5;

/// More channels than any network of this family has.
const MOST_CHANNELS: f64 = 65536.0;

/// A block as `block_configs` has it: kernel, channels before and after it, stride, and whether channels are excited.
pub(super) type Entry = (usize, usize, usize, Stride, bool);

/// What `block_configs` is.
pub(super) const ENTRIES: &str =
    "a list for each stage of lists of a kernel, two numbers of channels, a stride, and true or false,";

/// The blocks of each stage, where the configuration has none.
const DEFAULT: [&[Entry]; 5] = [
    &[(3, 16, 32, Stride::Both(1), false)],
    &[
        (3, 32, 64, Stride::Both(2), false),
        (3, 64, 64, Stride::Both(1), false),
    ],
    &[
        (3, 64, 128, Stride::Both(2), false),
        (3, 128, 128, Stride::Both(1), false),
    ],
    &[
        (3, 128, 256, Stride::Both(2), false),
        (5, 256, 256, Stride::Both(1), false),
        (5, 256, 256, Stride::Both(1), false),
        (5, 256, 256, Stride::Both(1), false),
        (5, 256, 256, Stride::Both(1), false),
    ],
    &[
        (5, 256, 512, Stride::Both(2), true),
        (5, 512, 512, Stride::Both(1), true),
        (5, 512, 512, Stride::Both(1), false),
        (5, 512, 512, Stride::Both(1), false),
    ],
];

/// The settings of a PP-LCNetV3.
#[derive(Debug)]
pub(super) struct PpLcNetV3 {
    stem: usize,
    stem_stride: usize,
    stages: Vec<Vec<Block>>,
    activation: Activation,
    /// How many convolutions of the full kernel are added up.
    branches: usize,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    kernel: usize,
    outputs: usize,
    stride: Stride,
    is_excited: bool,
}

/// A stride as it is written: the network distinguishes a number from a list of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stride {
    Both(usize),
    Each([usize; 2]),
}

impl Stride {
    fn read(value: &serde_json::Value) -> Option<Self> {
        let number = |value: &serde_json::Value| -> Option<usize> {
            let number = usize::try_from(value.as_u64()?).ok()?;
            (1..=8).contains(&number).then_some(number)
        };
        match value.as_array().map(Vec::as_slice) {
            None => number(value).map(Self::Both),
            Some([vertical, horizontal]) => Some(Self::Each([number(vertical)?, number(horizontal)?])),
            Some(_) => None,
        }
    }

    pub(super) fn sides(self) -> [usize; 2] {
        match self {
            Self::Both(stride) => [stride; 2],
            Self::Each(strides) => strides,
        }
    }
}

impl PpLcNetV3 {
    pub(super) fn read(config: &Config) -> Result<Self> {
        let scale = config.number("scale")?.unwrap_or(1.0);
        let divisor = config.count("divisor", 8)?;
        let scaled = |key: &str, channels: usize| -> Result<usize> {
            let channels = channels as f64 * scale;
            if (1.0..=MOST_CHANNELS).contains(&channels) {
                Ok(divisible(channels, divisor))
            } else {
                Err(config.wrong(
                    key,
                    "a number that leaves at least one channel, and not millions,",
                ))
            }
        };
        let entries = match config.value("block_configs") {
            None => DEFAULT.map(<[Entry]>::to_vec).to_vec(),
            Some(value) => entries(value).ok_or_else(|| config.wrong("block_configs", ENTRIES))?,
        };
        let block = |&(kernel, _, outputs, stride, is_excited): &Entry| -> Result<Block> {
            Ok(Block {
                kernel,
                outputs: scaled("scale", outputs)?,
                stride,
                is_excited,
            })
        };
        let stages: Vec<Vec<Block>> = entries
            .iter()
            .map(|stage| stage.iter().map(block).collect::<Result<Vec<Block>>>())
            .collect::<Result<_>>()?;
        Ok(Self {
            stem: scaled("stem_channels", config.count("stem_channels", 16)?)?,
            stem_stride: config.count("stem_stride", 2)?,
            stages,
            activation: Activation::of(config, "hidden_act", Activation::HardSwish)?,
            branches: config.count("conv_symmetric_num", 4)?,
        })
    }

    /// The map of the stem and of each stage; `root` is before the names of all tensors.
    pub(super) fn stages(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        root: &str,
        image: Value,
    ) -> Result<Vec<Value>> {
        let stem = Conv2d::new(self.stem, 3)
            .stride(self.stem_stride)
            .padding(1)
            .without_bias();
        let name = format!("{root}encoder.convolution");
        let x = network.conv2d(&format!("{name}.convolution"), image, stem)?;
        let mut x = network.batch_norm(&format!("{name}.normalization"), x)?;
        let mut maps = vec![x];
        for (index, stage) in self.stages.iter().enumerate() {
            let name = format!("{root}encoder.blocks.{index}");
            for (layer, &block) in stage.iter().enumerate() {
                x = self.block(network, checkpoint, &format!("{name}.layers.{layer}"), block, x)?;
            }
            network.alias(&name, x)?;
            maps.push(x);
        }
        Ok(maps)
    }

    fn block(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        name: &str,
        block: Block,
        x: Value,
    ) -> Result<Value> {
        let channels = network.channels(x)?;
        let depthwise = Layer {
            name: format!("{name}.depthwise_convolution"),
            outputs: channels,
            kernel: block.kernel,
            stride: block.stride,
            groups: channels,
        };
        let mut x = self.layer(network, checkpoint, &depthwise, x)?;
        if block.is_excited {
            let part = |index: usize| format!("{name}.squeeze_excitation_module.convolutions.{index}");
            let names = [part(0), part(2)];
            let layers = Layers::new(checkpoint);
            x = excite(network, layers, [&names[0], &names[1]], x, Excitation::Hard)?;
        }
        let pointwise = Layer {
            name: format!("{name}.pointwise_convolution"),
            outputs: block.outputs,
            kernel: 1,
            stride: Stride::Both(1),
            groups: 1,
        };
        self.layer(network, checkpoint, &pointwise, x)
    }

    /// A sum of convolutions as one, with an activation where it does not halve the map.
    fn layer(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        layer: &Layer,
        x: Value,
    ) -> Result<Value> {
        let name = &layer.name;
        let inputs = network.channels(x)?;
        let mut branches: Vec<Branch> = (0..self.branches)
            .map(|index| Branch::convolution(&format!("{name}.conv_symmetric.{index}")))
            .collect();
        if layer.kernel > 1 {
            branches.push(Branch::small(&format!("{name}.conv_small_symmetric")));
        }
        if inputs == layer.outputs && layer.stride == Stride::Both(1) {
            branches.push(Branch::identity(&format!("{name}.identity")));
        }
        let scalar = |part: &str| -> Result<f32> { one_number(checkpoint, &format!("{name}.{part}")) };
        let sum = Sum {
            channels: [inputs, layer.outputs],
            kernel: layer.kernel,
            groups: layer.groups,
            epsilon: EPSILON,
            scale: scalar("lab.scale")?,
            shift: scalar("lab.bias")?,
        };
        let fused = sum.store(checkpoint, name, &branches)?;
        let settings = Conv2d::new(layer.outputs, layer.kernel)
            .strides(layer.stride.sides())
            .padding((layer.kernel - 1) / 2)
            .groups(layer.groups);
        let x = network.conv2d(&fused, x, settings)?;
        if layer.stride == Stride::Both(2) {
            checkpoint.leave_out(&format!("{name}.act.lab."));
            return Ok(x);
        }
        let x = self.activation.apply(network, x)?;
        let same = |value: f32| Weight::vector(vec![value; layer.outputs]);
        network.affine(x, same(scalar("act.lab.scale")?), same(scalar("act.lab.bias")?))
    }
}

struct Layer {
    name: String,
    outputs: usize,
    kernel: usize,
    stride: Stride,
    groups: usize,
}

/// The only number of a tensor.
fn one_number(checkpoint: &Checkpoint, name: &str) -> Result<f32> {
    let tensor = checkpoint.tensor(name)?;
    match tensor.data() {
        &[number] => Ok(number),
        _ => Err(Error::new(format!("tensor `{name}` has not one number"))
            .with_kind(modelzoo_plugin_api::ErrorKind::Weights)),
    }
}

/// The number of channels nearest to `channels` that is a multiple of `divisor`, at most a tenth smaller.
fn divisible(channels: f64, divisor: usize) -> usize {
    let near = (channels + divisor as f64 / 2.0) as usize / divisor * divisor;
    let near = near.max(divisor);
    if (near as f64) < 0.9 * channels {
        near + divisor
    } else {
        near
    }
}

/// `block_configs`.
pub(super) fn entries(value: &serde_json::Value) -> Option<Vec<Vec<Entry>>> {
    let count = |value: &serde_json::Value, most: usize| -> Option<usize> {
        let number = usize::try_from(value.as_u64()?).ok()?;
        (1..=most).contains(&number).then_some(number)
    };
    let entry = |value: &serde_json::Value| -> Option<Entry> {
        let [kernel, inputs, outputs, stride, is_excited] = value.as_array()?.as_slice() else {
            return None;
        };
        Some((
            count(kernel, 31).filter(|kernel| kernel % 2 == 1)?,
            count(inputs, MOST_CHANNELS as usize)?,
            count(outputs, MOST_CHANNELS as usize)?,
            Stride::read(stride)?,
            is_excited.as_bool()?,
        ))
    };
    let stage = |value: &serde_json::Value| -> Option<Vec<Entry>> {
        let blocks = value.as_array()?;
        (!blocks.is_empty()).then_some(())?;
        blocks.iter().map(entry).collect()
    };
    let stages = value
        .as_array()
        .filter(|stages| (1..=16).contains(&stages.len()))?;
    stages.iter().map(stage).collect()
}
