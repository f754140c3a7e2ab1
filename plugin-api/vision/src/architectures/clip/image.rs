//! The image towers.

use super::{
    text::Text,
    tower::{Family, Tower},
};
use crate::{
    architectures::{
        Architecture, Outputs, TextTower,
        positions::{Positions, Resampling},
        transformer,
    },
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Before the names of the tower's tensors.
const ROOT: &str = "vision_model.";

struct ImageTower {
    family: Family,
    tower: Tower,
    image: [usize; 2],
    patch: [usize; 2],
    /// Numbers of an embedding that is comparable to texts.
    embedding: usize,
    text: Option<Text>,
}

pub(in crate::architectures) fn clip(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, Family::Clip)
}

pub(in crate::architectures) fn siglip(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, Family::Siglip)
}

fn open(repository: &Repository, family: Family) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    // A tower that is published alone has its settings at the top.
    let is_alone = config
        .text("model_type")?
        .is_some_and(|kind| kind.ends_with("_vision_model"));
    let vision = if is_alone {
        config.clone()
    } else {
        config.section_or_empty("vision_config")?
    };
    transformer::three_channels(&vision, "num_channels")?;
    let tower = Tower::read(&vision, family, 768, false)?;
    let embedding = match family {
        Family::Clip => config.count("projection_dim", 512)?,
        Family::Siglip => tower.features,
    };
    Ok(Box::new(ImageTower {
        family,
        tower,
        image: vision.size("image_size", [224; 2])?,
        patch: vision.size(
            "patch_size",
            if family == Family::Clip { [32; 2] } else { [16; 2] },
        )?,
        embedding,
        text: if is_alone {
            None
        } else {
            Some(Text::read(config, family, embedding)?)
        },
    }))
}

impl Architecture for ImageTower {
    fn image_size(&self) -> [usize; 2] {
        self.image
    }

    fn depends_on_size(&self) -> bool {
        true
    }

    fn text(&self) -> Option<&dyn TextTower> {
        self.text.as_ref().map(|text| text as &dyn TextTower)
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let x = self.embed(network, checkpoint, image)?;
        let embedding = match self.family {
            Family::Clip => {
                // The name is misspelt in all published files.
                let x = network.layer_norm(&format!("{ROOT}pre_layrnorm"), x, self.tower.epsilon)?;
                let x = self.tower.run(network, ROOT, x)?;
                let class = network.select_token(x, 0)?;
                let pooled =
                    network.layer_norm(&format!("{ROOT}post_layernorm"), class, self.tower.epsilon)?;
                if checkpoint.has("visual_projection.weight") {
                    network.linear_without_bias("visual_projection", pooled, self.embedding)?
                } else {
                    pooled
                }
            }
            Family::Siglip => {
                let x = self.tower.run(network, ROOT, x)?;
                let x = network.layer_norm(&format!("{ROOT}post_layernorm"), x, self.tower.epsilon)?;
                if checkpoint.has_any(&format!("{ROOT}head.")) {
                    self.pool(network, x)?
                } else {
                    network.mean_tokens(x)?
                }
            }
        };
        Ok(Outputs::Picture {
            embedding,
            logits: None,
        })
    }
}

impl ImageTower {
    /// A token for each patch with its position; CLIP's are behind a class token.
    fn embed(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Value> {
        let features = self.tower.features;
        let size = network.dims(image)?;
        let grid = transformer::grid([size[1], size[2]], self.patch)?;
        let projection = Conv2d::new(features, self.patch[0])
            .kernel(self.patch)
            .strides(self.patch);
        let (projection, prefix) = match self.family {
            Family::Clip => (projection.without_bias(), 1),
            Family::Siglip => (projection, 0),
        };
        let patches = network.conv2d(&format!("{ROOT}embeddings.patch_embedding"), image, projection)?;
        let mut x = network.to_tokens(patches)?;
        if self.family == Family::Clip {
            let name = format!("{ROOT}embeddings.class_embedding");
            let class = network.parameter_view(&name, &[features], &[1, features])?;
            x = network.cat_tokens(&[class, x])?;
        }
        let positions = Positions {
            name: &format!("{ROOT}embeddings.position_embedding.weight"),
            features,
            prefix,
            suffix: 0,
            trained: Some(transformer::grid(self.image, self.patch)?),
            resampling: Resampling::Bicubic,
        };
        let values = positions.values(checkpoint, grid)?;
        let positions = network.constant(&[prefix + grid[0] * grid[1], features], values)?;
        network.add(x, positions)
    }

    /// A trained query's attention to all tokens, and a perceptron.
    fn pool(&self, network: &mut NetworkBuilder<'_>, tokens: Value) -> Result<Value> {
        let features = self.tower.features;
        let name = format!("{ROOT}head");
        let probe = network.parameter_view(&format!("{name}.probe"), &[1, 1, features], &[1, features])?;
        let x = network.cross_attention(&format!("{name}.attention"), probe, tokens, self.tower.heads())?;
        let normalised = network.layer_norm(&format!("{name}.layernorm"), x, self.tower.epsilon)?;
        let mixed = self
            .tower
            .perceptron(network, &format!("{name}.mlp"), normalised)?;
        let x = network.add(x, mixed)?;
        network.select_token(x, 0)
    }
}
