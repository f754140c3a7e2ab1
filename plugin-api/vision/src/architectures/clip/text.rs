//! The text towers.

use super::tower::{Family, Tower};
use crate::{
    architectures::{Similarity, TextTower},
    checkpoint::Checkpoint,
    repository::Config,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// The first configurations name this end token, whatever the vocabulary's is: its last one.
const OLD_END: usize = 2;

/// A text tower.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    family: Family,
    /// Before the names of all tensors of both towers.
    prefix: &'static str,
    tower: Tower,
    length: usize,
    vocabulary: usize,
    embedding: usize,
    end: usize,
    padding: usize,
}

impl Text {
    /// Reads the settings under `text_config`; texts and pictures have embeddings of as many numbers.
    pub(super) fn read(
        config: &Config,
        family: Family,
        prefix: &'static str,
        embedding: usize,
    ) -> Result<Self> {
        let text = config.section_or_empty("text_config")?;
        let is_siglip = matches!(family, Family::Siglip | Family::NaFlex);
        let (length, padding) = match family {
            Family::Clip => (77, 1),
            Family::Siglip | Family::NaFlex => (64, 1),
            Family::Owl => (16, 0),
        };
        Ok(Self {
            family,
            prefix,
            tower: Tower::read(&text, family, if is_siglip { 768 } else { 512 }, !is_siglip)?,
            length: text.count("max_position_embeddings", length)?,
            vocabulary: text.count("vocab_size", if is_siglip { 32_000 } else { 49_408 })?,
            embedding: match family {
                Family::Clip | Family::Owl => embedding,
                Family::Siglip | Family::NaFlex => text.count("projection_size", embedding)?,
            },
            end: match family {
                Family::Clip | Family::Siglip | Family::NaFlex => {
                    text.count_or_none("eos_token_id", 49_407)?
                }
                // Whatever the configuration says, the end is where the largest token is.
                Family::Owl => OLD_END,
            },
            padding: text.count_or_none("pad_token_id", padding)?,
        })
    }

    /// The name of a tensor or module of the tower.
    fn name(&self, name: &str) -> String {
        format!("{}text_model.{name}", self.prefix)
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
        let name = self.name("embeddings.token_embedding.weight");
        (name, [self.vocabulary, self.tower.features])
    }

    fn describe(&self, network: &mut NetworkBuilder<'_>, tokens: Value) -> Result<Value> {
        let shape = [self.length, self.tower.features];
        let positions = network.parameter(&self.name("embeddings.position_embedding.weight"), &shape)?;
        let x = network.add(tokens, positions)?;
        let x = self.tower.run(network, &self.name(""), x)?;
        let x = network.layer_norm(&self.name("final_layer_norm"), x, self.tower.epsilon)?;
        match self.family {
            Family::Clip | Family::Owl => {
                let name = format!("{}text_projection", self.prefix);
                network.linear_without_bias(&name, x, self.embedding)
            }
            Family::Siglip | Family::NaFlex => network.linear(&self.name("head"), x, self.embedding),
        }
    }

    fn pooled(&self, tokens: &[u32]) -> usize {
        let last = tokens.len().saturating_sub(1);
        match self.family {
            Family::Siglip | Family::NaFlex => last,
            Family::Clip | Family::Owl if self.end == OLD_END => {
                let largest = tokens.iter().copied().max().unwrap_or_default();
                tokens.iter().position(|&token| token == largest).unwrap_or(last)
            }
            Family::Clip | Family::Owl => tokens
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
        Ok(match self.family {
            Family::Clip => Similarity {
                scale: number("logit_scale")?.exp(),
                bias: 0.0,
                is_exclusive: true,
            },
            Family::Siglip | Family::NaFlex => Similarity {
                scale: number("logit_scale")?.exp(),
                bias: number("logit_bias")?,
                is_exclusive: false,
            },
            // What is made of the cosine is different for each object: the network says it.
            Family::Owl => Similarity {
                scale: 1.0,
                bias: 0.0,
                is_exclusive: false,
            },
        })
    }
}
