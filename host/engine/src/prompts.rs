//! Embeddings of texts.

use crate::{EngineError, ItemError};
use modelzoo_plugin_api::{Array, message};
use modelzoo_runtime::LoadedModel;

/// A text and its embedding, or why it has none.
#[derive(Debug)]
pub struct PromptEmbedding {
    /// The text.
    pub prompt: String,
    /// Its embedding.
    pub result: Result<Array, ItemError>,
}

/// Computes the embeddings of texts, comparable to those of pictures by the same model: FiftyOne's `embed_prompts`.
///
/// # Errors
/// When the model has none, or cannot be used any longer.
pub fn embed_prompts(
    model: &dyn LoadedModel,
    prompts: &[String],
) -> Result<Vec<PromptEmbedding>, EngineError> {
    if !model.info().knows(message::EMBED_PROMPTS) {
        return Err(EngineError::Unsupported("has no embeddings of texts"));
    }
    let results = model.embed_prompts(prompts)?;
    let embedding = |(prompt, result): (&String, Result<Array, _>)| PromptEmbedding {
        prompt: prompt.clone(),
        result: result.map_err(ItemError::Model),
    };
    Ok(prompts.iter().zip(results).map(embedding).collect())
}
