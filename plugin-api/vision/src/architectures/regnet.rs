//! RegNet X and Y: residual bottlenecks of grouped convolutions, in stages whose widths follow a line.
//!
//! Source: Radosavovic et al., "Designing Network Design Spaces" (2020), section 3.4 and appendix A; names: those of
//! torchvision, of transformers' `RegNetConfig`, and of timm's `RegNet`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    excitation::{Excitation, excite},
    layers::{Layers, Steps},
    transformer,
};
use crate::{
    checkpoint::Checkpoint,
    repository::{self, Repository},
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// More stages, and more blocks of a stage, than any network has.
const MOST: usize = 1000;

struct RegNet {
    names: &'static Names,
    activation: Activation,
    /// Whether the first stage makes maps smaller, as all others do.
    halves_first: bool,
    image: [usize; 2],
    /// Without the tensors of a classifier it is not needed.
    classes: usize,
}

/// What the layers are called.
struct Names {
    /// Before the names of all tensors but the classifier's, where there is one.
    root: &'static str,
    stem: &'static str,
    /// The name of a block, by its stage and its place in it.
    block: fn(usize, usize) -> String,
    /// Of a convolution and its normalisation, behind the name of both.
    pair: [&'static str; 2],
    /// The three convolutions of a block; the last one's second name is for blocks with an excitation.
    bottleneck: [&'static str; 3],
    excited_end: &'static str,
    excitation: [&'static str; 2],
    shortcut: &'static str,
    classifier: &'static str,
}

const TORCHVISION: Names = Names {
    root: "",
    stem: "stem",
    block: |stage, block| format!("trunk_output.block{}.block{}-{block}", stage + 1, stage + 1),
    pair: ["0", "1"],
    bottleneck: ["f.a", "f.b", "f.c"],
    excited_end: "f.c",
    excitation: ["f.se.fc1", "f.se.fc2"],
    shortcut: "proj",
    classifier: "fc",
};

const TRANSFORMERS: Names = Names {
    root: "regnet.",
    stem: "embedder.embedder",
    block: |stage, block| format!("encoder.stages.{stage}.layers.{block}"),
    pair: ["convolution", "normalization"],
    bottleneck: ["layer.0", "layer.1", "layer.2"],
    excited_end: "layer.3",
    excitation: ["layer.2.attention.0", "layer.2.attention.2"],
    shortcut: "shortcut",
    classifier: "classifier.1",
};

const TIMM: Names = Names {
    root: "",
    stem: "stem",
    block: |stage, block| format!("s{}.b{}", stage + 1, block + 1),
    pair: ["conv", "bn"],
    bottleneck: ["conv1", "conv2", "conv3"],
    excited_end: "conv3",
    excitation: ["se.fc1", "se.fc2"],
    shortcut: "downsample",
    classifier: "head.fc",
};

pub(super) fn torchvision(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let names = repository::class_names(repository)?;
    Ok(Box::new(RegNet {
        names: &TORCHVISION,
        activation: Activation::Relu,
        halves_first: true,
        image: [224; 2],
        classes: names.map_or(1000, |names| names.len()),
    }))
}

pub(super) fn timm(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let [_, height, width] = repository.processor.counts_of("input_size", [3, 224, 224])?;
    let names = repository::class_names(repository)?;
    Ok(Box::new(RegNet {
        names: &TIMM,
        activation: Activation::Relu,
        halves_first: true,
        image: [height, width],
        classes: names.map_or(0, |names| names.len()),
    }))
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    transformer::three_channels(config, "num_channels")?;
    let names = repository::class_names(repository)?;
    Ok(Box::new(RegNet {
        names: &TRANSFORMERS,
        activation: Activation::of(config, "hidden_act", Activation::Relu)?,
        halves_first: config.flag("downsample_in_first_stage", true)?,
        image: [224; 2],
        classes: names.map_or(2, |names| names.len()),
    }))
}

impl Architecture for RegNet {
    fn image_size(&self) -> [usize; 2] {
        self.image
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let names = self.names;
        let root = if checkpoint.has_any(names.root) {
            names.root
        } else {
            ""
        };
        let layers = Layers::new(checkpoint);
        let x = self.normed(network, layers, &format!("{root}{}", names.stem), image, 2)?;
        let mut x = self.activation.apply(network, x)?;
        for stage in 0..MOST {
            let name = |block: usize| format!("{root}{}", (names.block)(stage, block));
            let blocks = (0..MOST).take_while(|&block| checkpoint.has_any(&format!("{}.", name(block))));
            let blocks = blocks.count();
            for block in 0..blocks {
                let halves = block == 0 && (stage > 0 || self.halves_first);
                x = self.residual(network, layers, &name(block), x, if halves { 2 } else { 1 })?;
            }
            if blocks == 0 {
                break;
            }
        }
        let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
        let embedding = network.flatten(mean)?;
        let logits = if layers.has(names.classifier) {
            Some(network.linear(names.classifier, embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

impl RegNet {
    fn normed(
        &self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        name: &str,
        x: Value,
        stride: usize,
    ) -> Result<Value> {
        let pair = self.names.pair.map(|part| format!("{name}.{part}"));
        layers.normed(network, [&pair[0], &pair[1]], x, Steps::of(stride))
    }

    fn residual(
        &self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        name: &str,
        input: Value,
        stride: usize,
    ) -> Result<Value> {
        let names = self.names;
        let [first, second, last] = names.bottleneck.map(|part| format!("{name}.{part}"));
        let x = self.normed(network, layers, &first, input, 1)?;
        let x = self.activation.apply(network, x)?;
        let x = self.normed(network, layers, &second, x, stride)?;
        let mut x = self.activation.apply(network, x)?;
        let [reduce, expand] = names.excitation.map(|part| format!("{name}.{part}"));
        let is_excited = layers.has(&reduce);
        if is_excited {
            let excitation = Excitation::Smooth(Activation::Relu);
            x = excite(network, layers, [&reduce, &expand], x, excitation)?;
        }
        let last = if is_excited {
            format!("{name}.{}", names.excited_end)
        } else {
            last
        };
        let x = self.normed(network, layers, &last, x, 1)?;
        let shortcut = format!("{name}.{}", names.shortcut);
        let input = if layers.checkpoint.has_any(&format!("{shortcut}.")) {
            self.normed(network, layers, &shortcut, input, stride)?
        } else {
            input
        };
        let x = network.add(x, input)?;
        let x = self.activation.apply(network, x)?;
        network.alias(name, x)?;
        Ok(x)
    }
}
