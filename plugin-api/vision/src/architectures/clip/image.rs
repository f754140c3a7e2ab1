//! The image towers, and an embedding of the whole picture.

use super::{text::Text, tokens::ImageTokens, tower::Family};
use crate::{
    architectures::{Architecture, Outputs, TextTower},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

struct ImageTower {
    tokens: ImageTokens,
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

pub(in crate::architectures) fn naflex(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, Family::NaFlex)
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
    let patch = if family == Family::Clip { 32 } else { 16 };
    let tokens = ImageTokens::read(&vision, family, "", [224, patch])?;
    let embedding = match family {
        Family::Siglip | Family::NaFlex => tokens.tower.features,
        Family::Clip | Family::Owl => config.count("projection_dim", 512)?,
    };
    Ok(Box::new(ImageTower {
        tokens,
        embedding,
        text: if is_alone {
            None
        } else {
            Some(Text::read(config, family, "", embedding)?)
        },
    }))
}

impl Architecture for ImageTower {
    fn image_size(&self) -> [usize; 2] {
        self.tokens.image
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
        // What texts need is read when a text is first asked about.
        for name in ["text_model.", "text_projection.", "logit_scale", "logit_bias"] {
            checkpoint.leave_out(name);
        }
        let x = self.tokens.describe(network, checkpoint, image)?;
        let embedding = match self.tokens.family {
            Family::Clip | Family::Owl => {
                let class = network.select_token(x, 0)?;
                let pooled = self.tokens.normalised(network, class)?;
                if checkpoint.has("visual_projection.weight") {
                    network.linear_without_bias("visual_projection", pooled, self.embedding)?
                } else {
                    pooled
                }
            }
            Family::Siglip | Family::NaFlex => {
                let x = self.tokens.normalised(network, x)?;
                let head = self.tokens.name("head");
                if checkpoint.has_any(&format!("{head}.")) {
                    self.pool(network, &head, x)?
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
    /// A trained query's attention to all tokens, and a perceptron.
    fn pool(&self, network: &mut NetworkBuilder<'_>, name: &str, tokens: Value) -> Result<Value> {
        let tower = &self.tokens.tower;
        let features = tower.features;
        let probe = network.parameter_view(&format!("{name}.probe"), &[1, 1, features], &[1, features])?;
        let x = network.cross_attention(&format!("{name}.attention"), probe, tokens, tower.heads())?;
        let normalised = network.layer_norm(&format!("{name}.layernorm"), x, tower.epsilon)?;
        let mixed = tower.perceptron(network, &format!("{name}.mlp"), normalised)?;
        let x = network.add(x, mixed)?;
        network.select_token(x, 0)
    }
}
