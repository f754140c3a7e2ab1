//! DPT: a transformer whose layers become one map, for the depth or the class of each pixel.
//!
//! Sources: Ranftl et al., "Vision Transformers for Dense Prediction" (2021); Birkl et al., "MiDaS v3.1" (2023) for those on BEiT
//! and Swin V2; names and defaults: those of transformers' `DPTConfig`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    beit::Beit,
    bit::Bit,
    dense_prediction::{self, ALIGNED, LEVELS, Level, Neck, Readout, Taken},
    dinov2::Dinov2,
    swin::Swin,
    transformer,
    vit::Vit,
};
use crate::{
    checkpoint::Checkpoint,
    repository::{Config, Repository, class_names},
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, Result};

/// Channels before the depth.
const LAST: usize = 32;

struct Dpt {
    backbone: Backbone,
    neck: Neck,
    /// Whether a convolution comes before the depth's.
    has_projection: bool,
    classes: usize,
}

/// Stages of a hybrid's ResNet whose maps are levels, as they are; layers of its transformer are those that follow.
const STAGES: usize = 2;

/// Whose tokens and maps become one.
enum Backbone {
    /// A vision transformer of its own, and the layers, counted from 0, whose tokens are taken.
    Vit(Vit, [usize; LEVELS]),
    /// The same behind the stages of a ResNet.
    Hybrid(Bit, Vit, [usize; LEVELS]),
    Dinov2(Dinov2, Taken),
    /// With the layers, counted from 1, whose tokens are taken; 0 is what is before the first one.
    Beit {
        body: Beit,
        patch: [usize; 2],
        taken: [usize; LEVELS],
    },
    /// With the stages, counted from 1, whose maps are taken.
    Swin(Swin, [usize; LEVELS]),
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    if let Some(value) = config.value("head_in_index")
        && value.as_i64() != Some(-1)
    {
        return Err(config.unsupported("head_in_index", "-1"));
    }
    let backbone = backbone(config)?;
    let readout = match config.text("readout_type")?.unwrap_or("project") {
        "ignore" => Readout::Ignore,
        "add" => Readout::Add,
        "project" => Readout::Project(Activation::of(config, "hidden_act", Activation::Gelu)?),
        _ => return Err(config.unsupported("readout_type", "\"ignore\", \"add\" or \"project\"")),
    };
    let channels = [96, 192, 384, 768];
    let neck = match &backbone {
        Backbone::Swin(..) => Neck::of_maps(config, channels, 256)?,
        Backbone::Vit(..) | Backbone::Hybrid(..) | Backbone::Dinov2(..) | Backbone::Beit { .. } => {
            Neck::read(config, channels, 256)?
        }
    };
    let has_norms = config.flag("use_batch_norm_in_fusion_residual", false)?;
    Ok(Box::new(Dpt {
        backbone,
        neck: Neck {
            readout,
            has_norms,
            has_bias: config.flag("use_bias_in_fusion_residual", !has_norms)?,
            ..neck
        },
        has_projection: config.flag("add_projection", false)?,
        classes: class_names(repository)?.map_or(2, |names| names.len()),
    }))
}

fn backbone(config: &Config) -> Result<Backbone> {
    if config.flag("is_hybrid", false)? {
        let section = config.section_or_empty("backbone_config")?;
        if let Some(value) = config.value("neck_ignore_stages")
            && *value != serde_json::json!([0, 1])
        {
            return Err(config.unsupported("neck_ignore_stages", "[0, 1]"));
        }
        if config.text("readout_type")?.is_some_and(|kind| kind != "project") {
            return Err(config.unsupported("readout_type", "\"project\""));
        }
        return Ok(Backbone::Hybrid(
            Bit::read(&section)?,
            Vit::dense(config)?,
            taken(config)?,
        ));
    }
    let Some(section) = config.section("backbone_config")? else {
        return Ok(Backbone::Vit(Vit::dense(config)?, taken(config)?));
    };
    match section.text("model_type")?.unwrap_or_default() {
        "dinov2" => Ok(Backbone::Dinov2(Dinov2::read(&section)?, Taken::read(&section)?)),
        "beit" => {
            for key in ["add_fpn", "reshape_hidden_states"] {
                if section.flag(key, key == "reshape_hidden_states")? {
                    return Err(section.unsupported(key, "false"));
                }
            }
            Ok(Backbone::Beit {
                body: Beit::read(&section)?,
                patch: section.size("patch_size", [16; 2])?,
                taken: dense_prediction::out_indices(&section, [3, 6, 9, 12])?,
            })
        }
        "swinv2" => Ok(Backbone::Swin(
            Swin::read(&section, "backbone.")?,
            dense_prediction::out_indices(&section, [1, 2, 3, 4])?,
        )),
        _ => Err(section.unsupported("model_type", "\"dinov2\", \"beit\" or \"swinv2\"")),
    }
}

/// The layers whose tokens are taken, in their order.
fn taken(config: &Config) -> Result<[usize; LEVELS]> {
    let wrong = || config.wrong("backbone_out_indices", "a list of four layers in their order");
    let Some(value) = config.value("backbone_out_indices") else {
        return Ok([2, 5, 8, 11]);
    };
    let layers: [usize; LEVELS] = serde_json::from_value(value.clone()).map_err(|_| wrong())?;
    if layers.is_sorted_by(|one, next| one < next) {
        Ok(layers)
    } else {
        Err(wrong())
    }
}

impl Architecture for Dpt {
    fn image_size(&self) -> [usize; 2] {
        match &self.backbone {
            Backbone::Vit(vit, _) | Backbone::Hybrid(_, vit, _) => vit.image_size(),
            Backbone::Dinov2(dinov2, _) => dinov2.image_size(),
            Backbone::Beit { body, .. } => body.image_size(),
            Backbone::Swin(swin, _) => swin.trained_size(),
        }
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
        // What comes behind the last layer is for other tasks.
        for name in ["dpt.layernorm.", "dpt.pooler."] {
            checkpoint.leave_out(name);
        }
        let (levels, patch) = self.backbone.levels(network, checkpoint, image)?;
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], patch)?;
        let x = self.neck.describe(network, checkpoint, levels, grid)?;
        // The head for classes has a normalisation where the one for depths has nothing.
        if checkpoint.has("head.head.1.weight") {
            checkpoint.leave_out("auxiliary_head.");
            return self.classify(network, x);
        }
        self.predict(network, x)
    }
}

impl Backbone {
    /// What it gives for each level, and the sides of a patch.
    fn levels(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<([Level; LEVELS], [usize; 2])> {
        let mut levels = [Level::Tokens(image); LEVELS];
        match self {
            Self::Vit(vit, taken) => {
                let layers = vit.layers(network, checkpoint, image)?;
                for (level, &layer) in levels.iter_mut().zip(taken) {
                    *level = Level::Tokens(named(&layers, layer, "backbone_out_indices")?);
                }
                Ok((levels, vit.patch()))
            }
            Self::Hybrid(bit, vit, taken) => {
                let root = "dpt.embeddings.backbone.bit.";
                let maps = bit.stages(network, checkpoint, root, image)?;
                let last = maps.last().copied().unwrap_or(image);
                let layers = vit.layers_of_map(network, checkpoint, last)?;
                for (index, (level, &layer)) in levels.iter_mut().zip(taken).enumerate() {
                    *level = if index < STAGES {
                        Level::Map(named(&maps, index, "backbone_config.depths")?)
                    } else {
                        Level::Tokens(named(&layers, layer, "backbone_out_indices")?)
                    };
                }
                Ok((levels, vit.patch()))
            }
            Self::Dinov2(dinov2, taken) => {
                let levels = taken.describe(network, checkpoint, dinov2, image)?;
                Ok((levels, dinov2.patch()))
            }
            Self::Beit { body, patch, taken } => {
                // Of the class token, for other tasks.
                checkpoint.leave_out("backbone.layernorm.");
                let layers = body.layers(network, checkpoint, "backbone.", image)?;
                for (level, &layer) in levels.iter_mut().zip(taken) {
                    *level = Level::Tokens(named(&layers, layer, "backbone_config.out_indices")?);
                }
                Ok((levels, *patch))
            }
            Self::Swin(swin, taken) => {
                let maps = swin.stages(network, checkpoint, image)?;
                for (level, &stage) in levels.iter_mut().zip(taken) {
                    let stage = stage.checked_sub(1).unwrap_or(maps.len());
                    *level = Level::Map(named(&maps, stage, "backbone_config.out_indices")?);
                }
                // There are no tokens.
                Ok((levels, [1; 2]))
            }
        }
    }
}

/// The layer or stage of a number.
fn named(layers: &[Value], index: usize, key: &str) -> Result<Value> {
    layers.get(index).copied().ok_or_else(|| {
        Error::new(format!(
            "`{key}` names a layer that the network has not: there are {}",
            layers.len()
        ))
    })
}

impl Dpt {
    /// The logits of the classes of pixels.
    fn classify(&self, network: &mut NetworkBuilder<'_>, x: Value) -> Result<Outputs> {
        let same = Conv2d::new(self.neck.features, 3).padding(1).without_bias();
        let x = network.conv2d("head.head.0", x, same)?;
        let x = network.batch_norm("head.head.1", x)?;
        let x = network.relu(x)?;
        let x = network.conv2d("head.head.4", x, Conv2d::new(self.classes, 1))?;
        Ok(Outputs::Segmentation {
            logits: doubled(network, x)?,
        })
    }

    /// The depth of each pixel of the network's input.
    fn predict(&self, network: &mut NetworkBuilder<'_>, x: Value) -> Result<Outputs> {
        let mut x = x;
        if self.has_projection {
            x = network.conv2d(
                "head.projection",
                x,
                Conv2d::new(self.neck.features, 3).padding(1),
            )?;
            x = network.relu(x)?;
        }
        let x = network.conv2d(
            "head.head.0",
            x,
            Conv2d::new(self.neck.features / 2, 3).padding(1),
        )?;
        let x = doubled(network, x)?;
        let x = network.conv2d("head.head.2", x, Conv2d::new(LAST, 3).padding(1))?;
        let x = network.relu(x)?;
        let x = network.conv2d("head.head.4", x, Conv2d::new(1, 1))?;
        Ok(Outputs::Depth {
            depth: network.relu(x)?,
        })
    }
}

/// A map of twice the size.
fn doubled(network: &mut NetworkBuilder<'_>, x: Value) -> Result<Value> {
    let dims = network.dims(x)?;
    network.interpolate(x, [2 * dims[1], 2 * dims[2]], ALIGNED)
}
