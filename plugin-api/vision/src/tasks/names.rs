//! Texts in the space of pictures, and classes that the user names.

use crate::{runner::Runner, settings::Settings, text::TextRunner};
use modelzoo_plugin_api::{Array, Error, Result};
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// What a class is put into, where its name alone is no sentence.
const TEMPLATE: &str = "a photo of a {}";

/// What to do where no classes are named.
pub(super) const NAME_CLASSES: &str = "name classes with `--set classes=cat,dog`";

/// Embeddings of texts, by the tower beside that of pictures.
#[derive(Debug)]
pub(super) struct Texts {
    folder: PathBuf,
    /// Read when a text is first asked about: pictures alone need none of it.
    runner: OnceLock<Result<TextRunner>>,
}

/// Classes that the user named.
#[derive(Debug)]
pub(super) struct NamedClasses {
    pub(super) names: Vec<String>,
    /// Of each class, of length 1.
    pub(super) embeddings: Vec<Vec<f32>>,
}

impl Texts {
    /// Texts of the model in a folder, which has its tokenizer.
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            runner: OnceLock::new(),
        }
    }

    /// The embedding of a text, not normalised.
    ///
    /// # Errors
    /// When the model knows no texts, or not this one.
    pub(super) fn embed(&self, images: &Runner, text: &str) -> Result<Vec<f32>> {
        let tower = images.text().ok_or_else(no_texts)?;
        let open = || TextRunner::open(&self.folder, tower, images.checkpoint(), images.placement());
        self.runner
            .get_or_init(open)
            .as_ref()
            .map_err(Clone::clone)?
            .embed(tower, text)
    }

    /// The embedding of each prompt, for `embed`.
    pub(super) fn embed_all(&self, images: &Runner, prompts: &[String]) -> Vec<Result<Array>> {
        let embed = |prompt: &String| self.embed(images, prompt).map(Array::vector);
        prompts.iter().map(embed).collect()
    }

    /// The classes that the settings name, if they do.
    ///
    /// # Errors
    /// When their names or the sentence around them are no good, or have no embeddings.
    pub(super) fn classes(&self, images: &Runner, settings: &Settings) -> Result<Option<NamedClasses>> {
        let Some(names) = settings.class_names() else {
            return Ok(None);
        };
        let template = settings.prompt.as_deref().unwrap_or(TEMPLATE);
        if !template.contains("{}") {
            return Err(Error::invalid_option(
                "`prompt` has no `{}`, where the class's name would stand",
            ));
        }
        if names.is_empty() {
            return Err(Error::invalid_option("`classes` names no class"));
        }
        let embed = |name: &String| Ok(unit(self.embed(images, &template.replace("{}", name))?));
        let embeddings = names.iter().map(embed).collect::<Result<_>>()?;
        Ok(Some(NamedClasses { names, embeddings }))
    }
}

impl NamedClasses {
    /// The cosine between each class and an embedding of any length.
    pub(super) fn cosines(&self, embedding: Vec<f32>) -> Vec<f32> {
        let embedding = unit(embedding);
        let cosine = |class: &Vec<f32>| class.iter().zip(&embedding).map(|(a, b)| a * b).sum();
        self.embeddings.iter().map(cosine).collect()
    }
}

/// That a model has no tower for texts.
pub(super) fn no_texts() -> Error {
    Error::unsupported("this model has no text tower, only embeddings of pictures")
}

/// A vector of length 1 in the same direction.
fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector
        .iter()
        .map(|value| value * value)
        .sum::<f32>()
        .sqrt()
        .max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|value| *value /= length);
    vector
}
