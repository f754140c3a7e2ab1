//! From a picture to a token for each of its patches.

use super::tower::{Family, Tower};
use crate::{
    architectures::{
        positions::{Positions, Resampling},
        transformer,
    },
    checkpoint::Checkpoint,
    repository::Config,
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// An image tower up to its last layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImageTokens {
    pub(super) family: Family,
    pub(super) tower: Tower,
    /// The `[height, width]` of the pictures that it was trained on.
    pub(super) image: [usize; 2],
    pub(super) patch: [usize; 2],
    /// Before the names of all tensors of both towers.
    prefix: &'static str,
}

impl ImageTokens {
    /// Reads the settings of the tower; the sides of pictures and of patches are those it has where nothing is said.
    pub(super) fn read(
        vision: &Config,
        family: Family,
        prefix: &'static str,
        [image, patch]: [usize; 2],
    ) -> Result<Self> {
        transformer::three_channels(vision, "num_channels")?;
        Ok(Self {
            family,
            tower: Tower::read(vision, family, 768, false)?,
            image: vision.size("image_size", [image; 2])?,
            patch: vision.size("patch_size", [patch; 2])?,
            prefix,
        })
    }

    /// The name of a tensor or module of the tower.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}vision_model.{name}", self.prefix)
    }

    /// Whether there is a token for the whole picture before those of its patches.
    fn has_class_token(&self) -> bool {
        self.family != Family::Siglip
    }

    /// The tokens behind all layers, not normalised.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Value> {
        let mut x = self.embed(network, checkpoint, image)?;
        let before = match self.family {
            // The name is misspelt in all published files.
            Family::Clip => Some("pre_layrnorm"),
            Family::Owl => Some("pre_layernorm"),
            Family::Siglip => None,
        };
        if let Some(name) = before {
            x = network.layer_norm(&self.name(name), x, self.tower.epsilon)?;
        }
        self.tower.run(network, &self.name(""), x)
    }

    /// Tokens or one of them, normalised as they leave the tower.
    pub(super) fn normalised(&self, network: &mut NetworkBuilder<'_>, x: Value) -> Result<Value> {
        network.layer_norm(&self.name("post_layernorm"), x, self.tower.epsilon)
    }

    /// How many patches a picture of `[height, width]` has in each direction.
    pub(super) fn grid(&self, size: [usize; 2]) -> Result<[usize; 2]> {
        transformer::grid(size, self.patch)
    }

    /// A token for each patch with its position.
    fn embed(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Value> {
        let features = self.tower.features;
        let size = network.dims(image)?;
        let grid = self.grid([size[1], size[2]])?;
        let mut projection = Conv2d::new(features, self.patch[0])
            .kernel(self.patch)
            .strides(self.patch);
        if self.has_class_token() {
            projection = projection.without_bias();
        }
        let patches = network.conv2d(&self.name("embeddings.patch_embedding"), image, projection)?;
        let mut x = network.to_tokens(patches)?;
        if self.has_class_token() {
            let name = self.name("embeddings.class_embedding");
            let class = network.parameter_view(&name, &[features], &[1, features])?;
            x = network.cat_tokens(&[class, x])?;
        }
        let prefix = usize::from(self.has_class_token());
        let positions = Positions {
            name: &self.name("embeddings.position_embedding.weight"),
            features,
            prefix,
            suffix: 0,
            trained: Some(self.grid(self.image)?),
            resampling: Resampling::Bicubic,
        };
        let values = positions.values(checkpoint, grid)?;
        let positions = network.constant(&[prefix + grid[0] * grid[1], features], values)?;
        network.add(x, positions)
    }
}
