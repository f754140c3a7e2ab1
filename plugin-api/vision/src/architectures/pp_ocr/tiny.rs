//! The smallest network that reads a line of text: convolutions along it.
//!
//! Source: PaddleOCR's PP-OCRv6 (no paper); names and defaults: those of transformers' `PPOCRV6TinyRecConfig`.

use super::{
    super::{Architecture, Outputs},
    Backbone,
    recognition::places,
    same,
};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Parameters, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

/// Places that are seen at once.
const REACH: usize = 5;

struct TinyReader {
    backbone: Backbone,
    middle: usize,
    characters: usize,
}

pub(in crate::architectures) fn tiny_recognition(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    Ok(Box::new(TinyReader {
        backbone: Backbone::read(config)?,
        middle: config.count("hidden_size", 120)?,
        characters: config.count("head_out_channels", 6625)?,
    }))
}

impl Architecture for TinyReader {
    fn image_size(&self) -> [usize; 2] {
        [48, 320]
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let mut x = places(&self.backbone, network, checkpoint, image)?;
        let channels = network.channels(x)?;
        for (number, kernel, groups) in [(1, REACH, channels), (2, 1, 1)] {
            let name = flat(checkpoint, number, [channels, channels / groups, kernel])?;
            let layer = if kernel > 1 {
                same(channels, [1, kernel]).groups(groups)
            } else {
                Conv2d::new(channels, 1)
            };
            x = network.conv2d(&name, x, layer.without_bias())?;
            x = network.batch_norm(&format!("head.norm{number}"), x)?;
            x = network.hardswish(x)?;
        }
        let x = network.to_tokens(x)?;
        let x = network.linear("head.fc1", x, self.middle)?;
        let logits = network.linear("head.fc2", x, self.characters)?;
        Ok(Outputs::Text {
            probabilities: network.softmax(logits)?,
        })
    }
}

/// The name of a convolution along a line as one of a map with one row.
fn flat(checkpoint: &Checkpoint, number: usize, dims: [usize; 3]) -> Result<String> {
    let name = format!("head.conv{number}");
    let stored = checkpoint.parameter(&format!("{name}.weight"), &dims)?;
    let made = format!("{name}.flat");
    let [outputs, inputs, kernel] = dims;
    let weight = Weight::new([outputs, inputs, 1, kernel], stored.data());
    checkpoint.make(format!("{made}.weight"), weight);
    Ok(made)
}
