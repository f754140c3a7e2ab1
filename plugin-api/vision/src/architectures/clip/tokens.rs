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
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Parameters, Value};
use modelzoo_kernels::graph::Weight;
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
        let patch = vision.size("patch_size", [patch; 2])?;
        let image = if family == Family::NaFlex {
            // So many patches have positions, in a square.
            let side = vision.count("num_patches", 256)?.isqrt();
            patch.map(|patch| patch * side)
        } else {
            vision.size("image_size", [image; 2])?
        };
        Ok(Self {
            family,
            tower: Tower::read(vision, family, 768, false)?,
            image,
            patch,
            prefix,
        })
    }

    /// The name of a tensor or module of the tower.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}vision_model.{name}", self.prefix)
    }

    /// Whether there is a token for the whole picture before those of its patches.
    fn has_class_token(&self) -> bool {
        !matches!(self.family, Family::Siglip | Family::NaFlex)
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
            Family::Siglip | Family::NaFlex => None,
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

    /// The weight of a linear layer of patches, whose numbers go row by row and pixel by pixel, as that of a convolution.
    fn make_convolution(&self, checkpoint: &Checkpoint, name: &str) -> Result<()> {
        const CHANNELS: usize = 3;
        let name = format!("{name}.weight");
        let features = self.tower.features;
        let [height, width] = self.patch;
        let dims = [features, height * width * CHANNELS];
        let stored = checkpoint.parameter(&name, &dims)?;
        let mut convolution = Vec::with_capacity(stored.data().len());
        for patch in stored.data().chunks_exact(dims[1]) {
            for channel in 0..CHANNELS {
                convolution.extend(patch.iter().skip(channel).step_by(CHANNELS));
            }
        }
        let dims = [features, CHANNELS, height, width];
        checkpoint.make(name, Weight::new(dims, convolution));
        Ok(())
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
        let name = self.name("embeddings.patch_embedding");
        if self.family == Family::NaFlex {
            self.make_convolution(checkpoint, &name)?;
        }
        let patches = network.conv2d(&name, image, projection)?;
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
            resampling: match self.family {
                Family::NaFlex => Resampling::AntialiasedBilinear,
                Family::Clip | Family::Siglip | Family::Owl => Resampling::Bicubic,
            },
        };
        let values = positions.values(checkpoint, grid)?;
        let positions = network.constant(&[prefix + grid[0] * grid[1], features], values)?;
        network.add(x, positions)
    }
}
