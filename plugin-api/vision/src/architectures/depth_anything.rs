//! Depth Anything, V1 and V2: DINOv2 with the decoder of a dense prediction transformer.
//!
//! Source: Yang et al., "Depth Anything V2" (2024); names and defaults: those of transformers' `DepthAnythingConfig`.

use super::{
    Architecture, Outputs,
    dense_prediction::{ALIGNED, Neck, Taken},
    dinov2::Dinov2,
    transformer,
};
use crate::{checkpoint::Checkpoint, repository::Repository};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

struct DepthAnything {
    backbone: Dinov2,
    taken: Taken,
    neck: Neck,
    head: usize,
    /// The greatest depth of a metric model; others give depths without a unit.
    most: Option<f32>,
}

pub(super) fn hugging_face(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let section = config.section_or_empty("backbone_config")?;
    if section.text("model_type")?.is_some_and(|kind| kind != "dinov2") {
        return Err(section.unsupported("model_type", "\"dinov2\""));
    }
    let metric = match config.text("depth_estimation_type")?.unwrap_or("relative") {
        "relative" => false,
        "metric" => true,
        _ => return Err(config.unsupported("depth_estimation_type", "\"relative\" or \"metric\"")),
    };
    let most = config.number("max_depth")?.unwrap_or(1.0) as f32;
    Ok(Box::new(DepthAnything {
        backbone: Dinov2::read(&section)?,
        taken: Taken::read(&section)?,
        neck: Neck {
            fits_next: true,
            ..Neck::read(config, [48, 96, 192, 384], 64)?
        },
        head: config.count("head_hidden_size", 32)?,
        most: metric.then_some(most),
    }))
}

impl Architecture for DepthAnything {
    fn image_size(&self) -> [usize; 2] {
        self.backbone.image_size()
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
        let grid = transformer::grid([size[1], size[2]], self.backbone.patch())?;
        let layers = self.taken.describe(network, checkpoint, &self.backbone, image)?;
        let x = self.neck.describe(network, checkpoint, layers, grid)?;
        let depth = self.predict(network, x, grid)?;
        Ok(Outputs::Depth { depth })
    }
}

impl DepthAnything {
    /// The depth of each pixel of the network's input.
    fn predict(&self, network: &mut NetworkBuilder<'_>, x: Value, grid: [usize; 2]) -> Result<Value> {
        let x = network.conv2d("head.conv1", x, Conv2d::new(self.neck.features / 2, 3).padding(1))?;
        let patch = self.backbone.patch();
        let size = [grid[0] * patch[0], grid[1] * patch[1]];
        let x = network.interpolate(x, size, ALIGNED)?;
        let x = network.conv2d("head.conv2", x, Conv2d::new(self.head, 3).padding(1))?;
        let x = network.relu(x)?;
        let x = network.conv2d("head.conv3", x, Conv2d::new(1, 1))?;
        match self.most {
            None => network.relu(x),
            Some(most) => {
                let x = network.sigmoid(x)?;
                let most = network.constant(&[1], vec![most])?;
                network.mul(x, most)
            }
        }
    }
}
