//! PP-OCR's networks that find lines of text: how likely each pixel is within one.
//!
//! Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020), and PaddleOCR's PP-OCRv5
//! and v6 (Cui et al., "PaddleOCR 3.0 Technical Report", 2025); names and defaults: those of transformers'
//! `PPOCRV5MobileDetConfig` and `PPOCRV5ServerDetConfig`.

use super::{
    super::{
        Architecture, Outputs,
        activation::Activation,
        rt_detr::{chosen, stages_or},
    },
    Backbone,
    neck::Neck,
    same,
};
use crate::{
    checkpoint::Checkpoint,
    repository::{Config, Repository},
};
use modelzoo_candle::network::{Conv2d, ConvTranspose2d, Interpolation, NetworkBuilder, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

/// Maps of the backbone.
const MAPS: usize = 4;

struct TextDetector {
    backbone: Backbone,
    stages: Vec<usize>,
    neck: Neck,
    channels: usize,
    interpolation: Interpolation,
    kernels: [usize; 3],
    refinement: Option<Refinement>,
}

/// A second look of the large models, with features twice as large.
#[derive(Clone, Copy, Debug)]
struct Refinement {
    factor: usize,
    activation: Activation,
}

pub(in crate::architectures) fn detection(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let backbone = Backbone::read(config)?;
    let section = config.section_or_empty("backbone_config")?;
    let (neck, channels, refinement, stages) = match config.text("model_type")? {
        Some("pp_ocrv5_server_det") => {
            let refinement = Refinement {
                factor: config.count("scale_factor", 2)?,
                activation: Activation::of(config, "hidden_act", Activation::Relu)?,
            };
            let neck = Neck::large(config, MAPS, false)?;
            (neck, 256, Some(refinement), [1, 2, 3, 4])
        }
        Some("pp_ocrv6_medium_det") => (Neck::large(config, MAPS, true)?, 256, None, [1, 2, 3, 4]),
        Some("pp_ocrv6_small_det") => (Neck::depthwise(config)?, 96, None, [1, 2, 3, 4]),
        _ => (Neck::excited(config, MAPS)?, 96, None, [2, 3, 4, 5]),
    };
    let channels = config.count("neck_out_channels", channels)?;
    if channels < 4 {
        return Err(config.wrong("neck_out_channels", "a whole number of at least 4"));
    }
    let kernels = config.counts_of("kernel_list", [3, 2, 2])?;
    Ok(Box::new(TextDetector {
        stages: stages_or(&section, MAPS, &stages)?,
        interpolation: interpolation(config)?,
        backbone,
        neck,
        channels,
        kernels,
        refinement,
    }))
}

fn interpolation(config: &Config) -> Result<Interpolation> {
    match config.text("interpolate_mode")? {
        None | Some("nearest") => Ok(Interpolation::Nearest),
        Some("bilinear") => Ok(Interpolation::Bilinear { align_corners: false }),
        Some(_) => Err(config.unsupported("interpolate_mode", "nearest or bilinear")),
    }
}

impl Architecture for TextDetector {
    fn image_size(&self) -> [usize; 2] {
        [960; 2]
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let maps = self.backbone.stages(network, checkpoint, image)?;
        let maps = chosen(&self.stages, &maps)?;
        let x = self
            .neck
            .describe(network, &maps, self.channels, self.interpolation)?;
        let root = match self.refinement {
            Some(_) => "head.binarize_head",
            None => "head",
        };
        let (features, probabilities) = self.look(network, root, x)?;
        let probabilities = match self.refinement {
            Some(refinement) => self.look_again(network, refinement, features, probabilities)?,
            None => probabilities,
        };
        Ok(Outputs::TextRegions { probabilities })
    }
}

impl TextDetector {
    /// Features of half of the picture's size, and the probabilities of its pixels.
    fn look(&self, network: &mut NetworkBuilder<'_>, root: &str, x: Value) -> Result<(Value, Value)> {
        let quarter = self.channels / 4;
        let [down, up, last] = self.kernels;
        let layer = same(quarter, [down; 2]).without_bias();
        let x = network.conv2d(&format!("{root}.conv_down.convolution"), x, layer)?;
        let x = network.batch_norm(&format!("{root}.conv_down.norm"), x)?;
        let x = network.relu(x)?;
        let layer = ConvTranspose2d::new(quarter, up, 2);
        let x = network.conv_transpose2d(&format!("{root}.conv_up.convolution"), x, layer)?;
        let x = network.batch_norm(&format!("{root}.conv_up.norm"), x)?;
        let features = network.relu(x)?;
        let layer = ConvTranspose2d::new(1, last, 2);
        let x = network.conv_transpose2d(&format!("{root}.conv_final"), features, layer)?;
        Ok((features, network.sigmoid(x)?))
    }

    /// The mean of the probabilities and of those that the features say beside them.
    fn look_again(
        &self,
        network: &mut NetworkBuilder<'_>,
        refinement: Refinement,
        features: Value,
        first: Value,
    ) -> Result<Value> {
        let root = "head.local_refinement_module";
        let larger = network.upsample(features, refinement.factor, self.interpolation)?;
        let both = network.cat(&[first, larger])?;
        let layer = same(self.channels / 4, [3; 2]).without_bias();
        let x = network.conv2d(&format!("{root}.convolution_backbone.convolution"), both, layer)?;
        let x = network.batch_norm(&format!("{root}.convolution_backbone.norm"), x)?;
        let x = refinement.activation.apply(network, x)?;
        let x = network.conv2d(&format!("{root}.convolution_final"), x, Conv2d::new(1, 1))?;
        let second = network.sigmoid(x)?;
        let sum = network.add(first, second)?;
        network.affine(sum, Weight::vector(vec![0.5]), Weight::vector(vec![0.0]))
    }
}
