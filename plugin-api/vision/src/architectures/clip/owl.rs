//! OWL-ViT and OWLv2: towers of CLIP, whose tokens of a picture's patches are an object each.
//!
//! Sources: Minderer et al., "Simple Open-Vocabulary Object Detection with Vision Transformers" (2022), section 3, and
//! "Scaling Open-Vocabulary Object Detection" (2023); names and defaults: those of transformers' `OwlViTConfig` and
//! `Owlv2Config`.

use super::{text::Text, tokens::ImageTokens, tower::Family};
use crate::{
    architectures::{Architecture, Outputs, TextTower},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// So far from 0 and 1 are the parts of a picture that become logits.
const EDGE: f64 = 1e-4;

struct Owl {
    tokens: ImageTokens,
    text: Text,
    /// Numbers of an embedding that is comparable to texts.
    embedding: usize,
    /// Before the names of all tensors of both towers.
    prefix: &'static str,
}

pub(in crate::architectures) fn owl_vit(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, "owlvit.", 32)
}

pub(in crate::architectures) fn owl_v2(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, "owlv2.", 16)
}

fn open(repository: &Repository, prefix: &'static str, patch: usize) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let vision = config.section_or_empty("vision_config")?;
    let embedding = config.count("projection_dim", 512)?;
    Ok(Box::new(Owl {
        tokens: ImageTokens::read(&vision, Family::Owl, prefix, [768, patch])?,
        text: Text::read(config, Family::Owl, prefix, embedding)?,
        embedding,
        prefix,
    }))
}

impl Architecture for Owl {
    fn image_size(&self) -> [usize; 2] {
        self.tokens.image
    }

    fn depends_on_size(&self) -> bool {
        true
    }

    fn text(&self) -> Option<&dyn TextTower> {
        Some(&self.text)
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        // What texts need is read when a text is first asked about; other tensors are for comparing whole pictures, and
        // for searches by a picture of an object.
        for name in [
            "text_model.",
            "text_projection.",
            "visual_projection.",
            "logit_scale",
        ] {
            checkpoint.leave_out(&format!("{}{name}", self.prefix));
        }
        checkpoint.leave_out("objectness_head.");
        let size = network.dims(image)?;
        let grid = self.tokens.grid([size[1], size[2]])?;
        let count = grid[0] * grid[1];
        let x = self.tokens.describe(network, checkpoint, image)?;
        let x = self.tokens.normalised(network, x)?;
        let picture = network.select_token(x, 0)?;
        let patches = network.take_tokens(x, (1..=count).collect::<Vec<_>>())?;
        let x = network.mul(patches, picture)?;
        let objects = network.layer_norm("layer_norm", x, self.tokens.tower.epsilon)?;

        let offsets = self.box_head(network, objects)?;
        let places = network.constant(&[count, 4], places(grid))?;
        let boxes = network.add(offsets, places)?;
        Ok(Outputs::NamedObjects {
            embeddings: network.linear("class_head.dense0", objects, self.embedding)?,
            shifts: network.linear("class_head.logit_shift", objects, 1)?,
            scales: network.linear("class_head.logit_scale", objects, 1)?,
            boxes: network.sigmoid(boxes)?,
        })
    }
}

impl Owl {
    fn box_head(&self, network: &mut NetworkBuilder<'_>, objects: Value) -> Result<Value> {
        let mut x = objects;
        for layer in ["box_head.dense0", "box_head.dense1"] {
            x = network.linear(layer, x, self.tokens.tower.features)?;
            x = network.gelu(x)?;
        }
        network.linear("box_head.dense2", x, 4)
    }
}

/// Logits of the box that a patch has before anything is learned, four for each patch: its corner at the right and the
/// bottom, and its size.
fn places([height, width]: [usize; 2]) -> Vec<f32> {
    let logit = |part: f64| ((part + EDGE).ln() - (EDGE - part).ln_1p()) as f32;
    let [sizes, counts] = [
        [1.0 / width as f64, 1.0 / height as f64],
        [width as f64, height as f64],
    ];
    let place = |row: usize, column: usize| {
        let corner = [(column + 1) as f64 / counts[0], (row + 1) as f64 / counts[1]];
        [corner[0], corner[1], sizes[0], sizes[1]].map(logit)
    };
    (0..height)
        .flat_map(|row| (0..width).flat_map(move |column| place(row, column)))
        .collect()
}
