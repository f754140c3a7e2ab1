//! Texts to embeddings that are comparable to those of pictures.

use crate::{architectures::TextTower, checkpoint::Checkpoint, repository::Config};
use modelzoo_candle::{
    candle_core::Tensor,
    device::Placement,
    network::{Network, NetworkBuilder, Parameters},
};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};
use std::path::Path;
use tokenizers::{Tokenizer, TruncationParams};

/// The file that says how texts become tokens.
const TOKENIZER: &str = "tokenizer.json";
/// The file that says which of them fills up, where there is one.
const SETTINGS: &str = "tokenizer_config.json";

/// A text tower with its weights and its tokenizer.
pub(crate) struct TextRunner {
    tokenizer: Tokenizer,
    network: Network,
    /// An embedding for each token of the vocabulary.
    table: Weight,
    length: usize,
    padding: usize,
}

impl TextRunner {
    /// Makes a text tower ready.
    ///
    /// # Errors
    /// When the folder has no tokenizer that is known, or the weights are not those of the tower.
    pub(crate) fn open(
        folder: &Path,
        tower: &dyn TextTower,
        checkpoint: &Checkpoint,
        placement: &Placement,
    ) -> Result<Self> {
        let path = folder.join(TOKENIZER);
        let mut tokenizer = Tokenizer::from_file(&path).map_err(|error| {
            Error::new(format!(
                "the tokenizer {} cannot be used: {error}",
                path.display()
            ))
            .with_hint("without it the model has embeddings of pictures only")
        })?;
        let length = tower.length();
        let truncation = TruncationParams {
            max_length: length,
            ..TruncationParams::default()
        };
        let unusable = |error: tokenizers::Error| {
            Error::new(format!(
                "the tokenizer {} cannot be used: {error}",
                path.display()
            ))
        };
        tokenizer.with_truncation(Some(truncation)).map_err(unusable)?;
        tokenizer.with_padding(None);
        let padding = padding(folder, &tokenizer)?.unwrap_or_else(|| tower.padding());
        let (name, dims) = tower.vocabulary();
        let table = checkpoint.parameter(&name, &dims)?;
        let mut network = NetworkBuilder::new(checkpoint);
        // A text is a picture of one row, with a token's features as its channels.
        let row = network.input("tokens", [dims[1], 1, length])?;
        let tokens = network.to_tokens(row)?;
        let embeddings = tower.describe(&mut network, tokens)?;
        Ok(Self {
            tokenizer,
            network: network.build(&[embeddings], placement)?,
            table,
            length,
            padding,
        })
    }

    /// The embedding of a text, not normalised.
    ///
    /// # Errors
    /// When the tokenizer makes tokens of it that the network does not know.
    pub(crate) fn embed(&self, tower: &dyn TextTower, text: &str) -> Result<Vec<f32>> {
        let encoding = self.tokenizer.encode(text, true).map_err(|error| {
            Error::new(format!("the text {text:?} has no tokens: {error}")).with_kind(ErrorKind::InvalidInput)
        })?;
        let mut tokens = encoding.get_ids().to_vec();
        tokens.resize(self.length, self.padding as u32);
        let pooled = tower.pooled(&tokens);
        let batch = self.rows(text, &tokens)?;
        let embeddings = self.network.forward(&batch)?.remove(0);
        Ok(embeddings.get(0)?.get(pooled)?.to_vec1()?)
    }

    /// The tokens' rows of the table as `[1, features, 1, length]`.
    fn rows(&self, text: &str, tokens: &[u32]) -> Result<Tensor> {
        let features = self.table.dims()[1];
        let mut values = vec![0.0; features * self.length];
        for (place, &token) in tokens.iter().enumerate() {
            let row = self
                .table
                .data()
                .chunks_exact(features)
                .nth(token as usize)
                .ok_or_else(|| {
                    Error::new(format!(
                        "the text {text:?} has the token {token}, which the network does not know"
                    ))
                    .with_kind(ErrorKind::InvalidInput)
                })?;
            for (feature, &value) in row.iter().enumerate() {
                values[feature * self.length + place] = value;
            }
        }
        Ok(Tensor::from_vec(
            values,
            (1, features, 1, self.length),
            self.network.device(),
        )?)
    }
}

/// The token that fills up, where the tokenizer's settings name one: a configuration may say another one, which is not its
/// business, and SigLIP takes the token at the end for the text.
fn padding(folder: &Path, tokenizer: &Tokenizer) -> Result<Option<usize>> {
    let path = folder.join(SETTINGS);
    if !path.is_file() {
        return Ok(None);
    }
    let settings = Config::open(&path)?;
    let name = match settings.value("pad_token") {
        Some(serde_json::Value::Object(_)) => settings
            .section_or_empty("pad_token")?
            .text("content")?
            .map(str::to_owned),
        _ => settings.text("pad_token")?.map(str::to_owned),
    };
    let token = name.and_then(|name| tokenizer.token_to_id(&name));
    Ok(token.map(|token| token as usize))
}

impl std::fmt::Debug for TextRunner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TextRunner")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
