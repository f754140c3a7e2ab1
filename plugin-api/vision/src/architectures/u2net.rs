//! U2-Net and IS-Net: a U of U-shaped blocks, which finds what stands out in a picture.
//!
//! Sources: Qin et al., "U2-Net: Going Deeper with Nested U-Structure for Salient Object Detection" (2020), figures 2 and 5;
//! Qin et al., "Highly Accurate Dichotomous Image Segmentation" (2022), figure 4; names: those of the authors' files of
//! tensors, off which the numbers of channels are read.

use super::{
    Architecture, Outputs,
    layers::{Layers, Steps, unfit},
};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Interpolation, NetworkBuilder, Pool, Value};
use modelzoo_plugin_api::Result;

/// Convolutions on the way down in the blocks of the first stages, the last of which sees further instead of less.
const LEVELS: [usize; 4] = [7, 6, 5, 4];
/// Stages on the way down: in those behind [`LEVELS`], blocks see further instead of less everywhere.
const STAGES: usize = 6;
/// How far apart the pixels are that the convolutions of such a block see.
const DILATIONS: [usize; 4] = [1, 2, 4, 8];

const BILINEAR: Interpolation = Interpolation::Bilinear { align_corners: false };
const HALVE: Pool = Pool {
    ceil_mode: true,
    ..Pool::new(2, 2, 0)
};

/// Both networks, which their tensors tell apart.
struct U2Net {
    side: usize,
}

/// The class of pictures of 320 x 320 that its authors publish, and its small one.
pub(super) fn u2net(_: &Repository) -> Result<Box<dyn Architecture>> {
    Ok(Box::new(U2Net { side: 320 }))
}

/// IS-Net, for larger pictures.
pub(super) fn is_net(_: &Repository) -> Result<Box<dyn Architecture>> {
    Ok(Box::new(U2Net { side: 1024 }))
}

/// The name of the class of a repository with code whose network is IS-Net.
const RMBG: &str = "BriaRMBG";

/// IS-Net as a repository of Hugging Face, whose `model_type` is that of another network.
pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let classes = config.value("architectures").and_then(|names| names.as_array());
    if !classes.is_some_and(|names| names.iter().any(|name| name == RMBG)) {
        return Err(config.unsupported("architectures", &format!("[{RMBG:?}]")));
    }
    super::transformer::three_channels(config, "in_ch")?;
    is_net(repository)
}

impl Architecture for U2Net {
    fn image_size(&self) -> [usize; 2] {
        [self.side; 2]
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let layers = Layers::new(checkpoint);
        let mut x = image;
        if layers.has("conv_in") {
            x = layers.convolve(network, "conv_in", x, Steps::of(2))?;
        }
        let mut encoded = Vec::new();
        for stage in 1..=STAGES {
            if stage > 1 {
                x = network.max_pool2d(x, HALVE)?;
            }
            x = block(network, layers, &format!("stage{stage}"), stage, x)?;
            encoded.push(x);
        }
        let mut decoded = vec![x];
        for stage in (1..STAGES).rev() {
            let same = encoded[stage - 1];
            let larger = network.interpolate_like(x, same, BILINEAR)?;
            let joined = network.cat(&[larger, same])?;
            x = block(network, layers, &format!("stage{stage}d"), stage, joined)?;
            decoded.push(x);
        }
        let logits = sides(network, layers, image, &decoded)?;
        let saliency = network.sigmoid(logits)?;
        Ok(Outputs::Saliency { saliency })
    }
}

/// What the stages of the way up say of each pixel, the last one of which comes last: what a layer makes of all of them, or, where
/// there is no such layer, what the last one says.
fn sides(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    image: Value,
    decoded: &[Value],
) -> Result<Value> {
    let is_fused = layers.has("outconv");
    let last = if is_fused { "outconv" } else { "side1" };
    let dims = layers.dims::<4>(last)?;
    if dims[0] != 1 {
        return Err(unfit(last, &dims));
    }
    let mut said = Vec::new();
    for (stage, &x) in (1..).zip(decoded.iter().rev()) {
        let name = format!("side{stage}");
        if stage > 1 && !is_fused {
            layers.checkpoint.leave_out(&format!("{name}."));
            continue;
        }
        let x = layers.convolve(network, &name, x, Steps::ONE)?;
        said.push(network.interpolate_like(x, image, BILINEAR)?);
    }
    if !is_fused {
        return Ok(said[0]);
    }
    let joined = network.cat(&said)?;
    layers.convolve(network, "outconv", joined, Steps::ONE)
}

/// The block of a stage, a small U-Net whose result is added to what comes in.
fn block(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    stage: usize,
    x: Value,
) -> Result<Value> {
    let entry = convolve(network, layers, &format!("{name}.rebnconvin"), x, 1)?;
    let levels = LEVELS.get(stage - 1).copied();
    let count = levels.unwrap_or(DILATIONS.len());
    let dilation = |level: usize| match levels {
        None => DILATIONS[level - 1],
        Some(levels) if level == levels => 2,
        Some(_) => 1,
    };
    let mut down = Vec::new();
    let mut x = entry;
    for level in 1..=count {
        if levels.is_some() && level > 1 && level < count {
            x = network.max_pool2d(x, HALVE)?;
        }
        x = convolve(
            network,
            layers,
            &format!("{name}.rebnconv{level}"),
            x,
            dilation(level),
        )?;
        down.push(x);
    }
    for level in (1..count).rev() {
        let same = down[level - 1];
        if levels.is_some() && level + 1 < count {
            x = network.interpolate_like(x, same, BILINEAR)?;
        }
        let joined = network.cat(&[x, same])?;
        x = convolve(
            network,
            layers,
            &format!("{name}.rebnconv{level}d"),
            joined,
            dilation(level),
        )?;
    }
    network.add(x, entry)
}

/// A convolution, its normalisation and `max(x, 0)`.
fn convolve(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    x: Value,
    dilation: usize,
) -> Result<Value> {
    let names = ["conv_s1", "bn_s1"].map(|layer| format!("{name}.{layer}"));
    let steps = Steps::ONE.dilation(dilation);
    let x = layers.normed(network, [&names[0], &names[1]], x, steps)?;
    network.relu(x)
}
