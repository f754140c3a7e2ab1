//! DPT: a vision transformer or DINOv2 whose layers become one map, for the depth or the class of each pixel.
//!
//! Source: Ranftl et al., "Vision Transformers for Dense Prediction" (2021); names and defaults: those of transformers'
//! `DPTConfig`.

use super::{
    Architecture, Outputs,
    activation::Activation,
    dense_prediction::{ALIGNED, LEVELS, Neck, Readout, Taken},
    dinov2::Dinov2,
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

/// Whose tokens become maps.
enum Backbone {
    /// A vision transformer of its own, and the layers, counted from 0, whose tokens are taken.
    Vit(Vit, [usize; LEVELS]),
    Dinov2(Dinov2, Taken),
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    if config.flag("is_hybrid", false)? {
        return Err(config.unsupported("is_hybrid", "false"));
    }
    if let Some(value) = config.value("head_in_index")
        && value.as_i64() != Some(-1)
    {
        return Err(config.unsupported("head_in_index", "-1"));
    }
    let backbone = match config.section("backbone_config")? {
        None => Backbone::Vit(Vit::dense(config)?, taken(config)?),
        Some(section) if section.text("model_type")? == Some("dinov2") => {
            Backbone::Dinov2(Dinov2::read(&section)?, Taken::read(&section)?)
        }
        Some(section) => return Err(section.unsupported("model_type", "\"dinov2\"")),
    };
    let readout = match config.text("readout_type")?.unwrap_or("project") {
        "ignore" => Readout::Ignore,
        "add" => Readout::Add,
        "project" => Readout::Project(Activation::of(config, "hidden_act", Activation::Gelu)?),
        _ => return Err(config.unsupported("readout_type", "\"ignore\", \"add\" or \"project\"")),
    };
    let has_norms = config.flag("use_batch_norm_in_fusion_residual", false)?;
    Ok(Box::new(Dpt {
        backbone,
        neck: Neck {
            readout,
            has_norms,
            has_bias: config.flag("use_bias_in_fusion_residual", !has_norms)?,
            ..Neck::read(config, [96, 192, 384, 768], 256)?
        },
        has_projection: config.flag("add_projection", false)?,
        classes: class_names(repository)?.map_or(2, |names| names.len()),
    }))
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
            Backbone::Vit(vit, _) => vit.image_size(),
            Backbone::Dinov2(dinov2, _) => dinov2.image_size(),
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
        let size = network.dims(image)?;
        let (patch, layers) = match &self.backbone {
            Backbone::Vit(vit, taken) => {
                // What comes behind the last layer is for other tasks.
                for name in ["dpt.layernorm.", "dpt.pooler."] {
                    checkpoint.leave_out(name);
                }
                let layers = vit.layers(network, checkpoint, image)?;
                let missing = || Error::new("`backbone_out_indices` names a layer that the network has not");
                let mut tokens = [image; LEVELS];
                for (tokens, &layer) in tokens.iter_mut().zip(taken) {
                    *tokens = *layers.get(layer).ok_or_else(missing)?;
                }
                (vit.patch(), tokens)
            }
            Backbone::Dinov2(dinov2, taken) => {
                let layers = taken.describe(network, checkpoint, dinov2, image)?;
                (dinov2.patch(), layers)
            }
        };
        let grid = transformer::grid([size[1], size[2]], patch)?;
        let x = self.neck.describe(network, checkpoint, layers, grid)?;
        // The head for classes has a normalisation where the one for depths has nothing.
        if checkpoint.has("head.head.1.weight") {
            checkpoint.leave_out("auxiliary_head.");
            return self.classify(network, x);
        }
        self.predict(network, x)
    }
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
