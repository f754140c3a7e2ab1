//! The text towers.

use super::tower::{Family, Tower};
use crate::{
    architectures::{Similarity, TextTower},
    checkpoint::Checkpoint,
    repository::Config,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// Before the names of the tower's tensors.
const ROOT: &str = "text_model.";
/// The first configurations name this end token, whatever the vocabulary's is: its last one.
const OLD_END: usize = 2;

/// A text tower.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    family: Family,
    tower: Tower,
    length: usize,
    vocabulary: usize,
    embedding: usize,
    end: usize,
    padding: usize,
}

impl Text {
    /// Reads the settings under `text_config`; texts and pictures have embeddings of as many numbers.
    pub(super) fn read(config: &Config, family: Family, embedding: usize) -> Result<Self> {
        let text = config.section_or_empty("text_config")?;
        let is_clip = family == Family::Clip;
        Ok(Self {
            family,
            tower: Tower::read(&text, family, if is_clip { 512 } else { 768 }, is_clip)?,
            length: text.count("max_position_embeddings", if is_clip { 77 } else { 64 })?,
            vocabulary: text.count("vocab_size", if is_clip { 49_408 } else { 32_000 })?,
            embedding: match family {
                Family::Clip => embedding,
                Family::Siglip => text.count("projection_size", embedding)?,
            },
            end: text.count_or_none("eos_token_id", 49_407)?,
            padding: text.count_or_none("pad_token_id", 1)?,
        })
    }
}

impl TextTower for Text {
    fn length(&self) -> usize {
        self.length
    }

    fn padding(&self) -> usize {
        self.padding
    }

    fn vocabulary(&self) -> (String, [usize; 2]) {
        let name = format!("{ROOT}embeddings.token_embedding.weight");
        (name, [self.vocabulary, self.tower.features])
    }

    fn describe(&self, network: &mut NetworkBuilder<'_>, tokens: Value) -> Result<Value> {
        let shape = [self.length, self.tower.features];
        let positions = network.parameter(&format!("{ROOT}embeddings.position_embedding.weight"), &shape)?;
        let x = network.add(tokens, positions)?;
        let x = self.tower.run(network, ROOT, x)?;
        let x = network.layer_norm(&format!("{ROOT}final_layer_norm"), x, self.tower.epsilon)?;
        match self.family {
            Family::Clip => network.linear_without_bias("text_projection", x, self.embedding),
            Family::Siglip => network.linear(&format!("{ROOT}head"), x, self.embedding),
        }
    }

    fn pooled(&self, tokens: &[u32]) -> usize {
        let last = tokens.len().saturating_sub(1);
        match self.family {
            Family::Siglip => last,
            Family::Clip if self.end == OLD_END => {
                let largest = tokens.iter().copied().max().unwrap_or_default();
                tokens.iter().position(|&token| token == largest).unwrap_or(last)
            }
            Family::Clip => tokens
                .iter()
                .position(|&token| token as usize == self.end)
                .unwrap_or(last),
        }
    }

    fn similarity(&self, checkpoint: &Checkpoint) -> Result<Similarity> {
        let number = |name: &str| -> Result<f32> {
            Ok(checkpoint
                .tensor(name)?
                .data()
                .first()
                .copied()
                .unwrap_or_default())
        };
        Ok(Similarity {
            scale: number("logit_scale")?.exp(),
            bias: match self.family {
                Family::Clip => 0.0,
                Family::Siglip => number("logit_bias")?,
            },
            is_exclusive: self.family == Family::Clip,
        })
    }
}
