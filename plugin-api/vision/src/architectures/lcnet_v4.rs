//! PP-LCNetV4, the backbone of PP-OCRv6: a depthwise convolution of each channel, and a perceptron of each pixel.
//!
//! Source: PaddleOCR's PP-OCRv6 (no paper); names and defaults: those of transformers' `PPLCNetV4Config`.

use super::{
    activation::Activation,
    excitation::{Excitation, excite},
    hgnet_v2::Stem,
    layers::Layers,
    lcnet::{Entry, Stride, entries},
};
use crate::{checkpoint::Checkpoint, repository::Config};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// The blocks of each stage, where the configuration has none.
const DEFAULT: [&[Entry]; 4] = [
    &[(3, 96, 96, Stride::Both(1), true)],
    &[
        (3, 96, 96, Stride::Both(1), false),
        (3, 96, 96, Stride::Both(1), false),
    ],
    &[
        (3, 96, 192, Stride::Each([2, 1]), false),
        (3, 192, 192, Stride::Both(1), true),
        (3, 192, 192, Stride::Both(1), false),
        (3, 192, 192, Stride::Both(1), true),
        (3, 192, 192, Stride::Both(1), false),
        (3, 192, 192, Stride::Both(1), true),
        (3, 192, 192, Stride::Both(1), false),
    ],
    &[
        (3, 192, 384, Stride::Each([2, 1]), false),
        (3, 384, 384, Stride::Both(1), true),
        (3, 384, 384, Stride::Both(1), false),
    ],
];

/// The settings of a PP-LCNetV4.
#[derive(Debug)]
pub(super) struct PpLcNetV4 {
    stem: Beginning,
    stages: Vec<Vec<Entry>>,
}

#[derive(Debug)]
enum Beginning {
    /// That of HGNetV2.
    Large(Stem),
    /// Two convolutions: channels between them, and behind them.
    Small([usize; 2]),
}

impl PpLcNetV4 {
    pub(super) fn read(config: &Config) -> Result<Self> {
        let stem = match config.text("stem_type")? {
            None | Some("large") => Beginning::Large(Stem::read(config, [3, 48, 96])?),
            Some("small") => {
                let [inputs, middle, outputs] = config.counts_of("stem_channels", [3, 48, 96])?;
                if inputs != 3 {
                    return Err(config.unsupported("stem_channels", "3 channels of a picture first"));
                }
                Beginning::Small([middle, outputs])
            }
            Some(_) => return Err(config.unsupported("stem_type", "large or small")),
        };
        let stages = match config.value("block_configs") {
            None => DEFAULT.map(<[Entry]>::to_vec).to_vec(),
            Some(value) => {
                entries(value).ok_or_else(|| config.wrong("block_configs", super::lcnet::ENTRIES))?
            }
        };
        Ok(Self { stem, stages })
    }

    /// The map of the stem and of each stage; `root` is before the names of all tensors.
    pub(super) fn stages(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        root: &str,
        image: Value,
    ) -> Result<Vec<Value>> {
        let name = format!("{root}encoder.convolution");
        let mut x = match &self.stem {
            Beginning::Large(stem) => stem.describe(network, checkpoint, &name, image)?,
            Beginning::Small([middle, outputs]) => {
                let smaller = |channels| Conv2d::new(channels, 3).stride(2).padding(1);
                let x = normed(network, &format!("{name}.conv1"), image, smaller(*middle))?;
                let x = network.gelu(x)?;
                normed(network, &format!("{name}.conv2"), x, smaller(*outputs))?
            }
        };
        let mut maps = vec![x];
        for (index, stage) in self.stages.iter().enumerate() {
            let name = format!("{root}encoder.blocks.{index}");
            for (place, &entry) in stage.iter().enumerate() {
                x = block(network, checkpoint, &format!("{name}.blocks.{place}"), entry, x)?;
            }
            network.alias(&name, x)?;
            maps.push(x);
        }
        Ok(maps)
    }
}

fn block(
    network: &mut NetworkBuilder<'_>,
    checkpoint: &Checkpoint,
    name: &str,
    (kernel, _, outputs, stride, is_excited): Entry,
    x: Value,
) -> Result<Value> {
    let channels = network.channels(x)?;
    let keeps = channels == outputs && stride == Stride::Both(1);
    let around = Conv2d::new(channels, kernel)
        .strides(stride.sides())
        .padding(kernel / 2)
        .groups(channels);
    let token = format!("{name}.token_conv");
    // Those that keep everything were trained with further ones, and are stored as one.
    let mut x = if keeps {
        network.conv2d(&token, x, around)?
    } else {
        normed(network, &token, x, around)?
    };
    if is_excited {
        let part = |index: usize| format!("{name}.token_squeeze_excitation.convolutions.{index}");
        let names = [part(0), part(2)];
        let layers = Layers::new(checkpoint);
        x = excite(network, layers, [&names[0], &names[1]], x, Excitation::Hard)?;
    }
    let y = normed(
        network,
        &format!("{name}.channel_conv1"),
        x,
        Conv2d::new(2 * channels, 1),
    )?;
    let y = Activation::Gelu.apply(network, y)?;
    let y = normed(
        network,
        &format!("{name}.channel_conv2"),
        y,
        Conv2d::new(outputs, 1),
    )?;
    if keeps { network.add(x, y) } else { Ok(y) }
}

/// A convolution and its normalisation.
fn normed(network: &mut NetworkBuilder<'_>, name: &str, x: Value, settings: Conv2d) -> Result<Value> {
    let x = network.conv2d(&format!("{name}.convolution"), x, settings.without_bias())?;
    network.batch_norm(&format!("{name}.normalization"), x)
}
