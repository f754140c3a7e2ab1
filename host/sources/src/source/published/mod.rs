//! Published models: a folder with a `config.json` and weights, as transformers and timm write it. A source of this form
//! is data: no code of it is ever run.
mod card;
mod weights;

use super::{SourceError, SourceManifest};
use crate::{
    git::LfsPointer,
    manifest::{Manifest, ModelEntry},
    store::Store,
    tree::{EntryKind, TreeHasher},
};
use card::Card;
use modelzoo_base::Sha256Digest;
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

pub use weights::WEIGHT_FILES;

/// What describes a published model.
const CONFIG: &str = "config.json";
/// A larger file is no file of settings.
const LARGEST_CONFIG: u64 = 16 << 20;

/// The files beside the weights that a published model may consist of.
const SIDE_FILES: [&str; 11] = [
    CONFIG,
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
    card::README,
    "LICENSE",
    "LICENSE.txt",
];

/// A published model in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedModel {
    /// The files that it consists of, beside each other in the folder.
    pub files: Vec<PublishedFile>,
    /// Whether it comes with code, which its own framework would run.
    pub has_code: bool,
}

/// A file of a published model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its name in the folder.
    pub name: String,
    /// Whether it holds trained tensors.
    pub is_weights: bool,
    /// Where the file itself is not there: which content it has.
    pub pointer: Option<LfsPointer>,
}

impl PublishedModel {
    /// The files that are kept elsewhere, with the content that they have.
    pub fn kept_elsewhere(&self) -> impl Iterator<Item = (&str, LfsPointer)> {
        self.files
            .iter()
            .filter_map(|file| Some((file.name.as_str(), file.pointer?)))
    }

    /// The digests of its files in `folder`, be they there or kept elsewhere. Files that were not touched since they were
    /// last hashed are not read again.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn digests(&self, folder: &Path, store: &Store) -> io::Result<BTreeMap<String, Sha256Digest>> {
        let digest = |file: &PublishedFile| match file.pointer {
            Some(pointer) => Ok(pointer.sha256),
            None => store.file_digest(&folder.join(&file.name)),
        };
        self.files
            .iter()
            .map(|file| Ok((file.name.clone(), digest(file)?)))
            .collect()
    }

    /// The hash of a tree that holds nothing but the model's files. Its folder may be any: what else is in it is no part
    /// of the model.
    pub(super) fn tree_hash(&self, folder: &Path, store: &Store) -> Result<Sha256Digest, SourceError> {
        let mut hasher = TreeHasher::default();
        for file in &self.files {
            let path = folder.join(&file.name);
            let digest = store.file_digest(&path);
            let digest = digest.map_err(|source| SourceError::Read { path, source })?;
            hasher.add(file.name.clone(), EntryKind::File, digest);
        }
        Ok(hasher.finish())
    }
}

/// Reads the published model in `folder`, which goes by `name`; `None` where there is none.
///
/// A `config.json` that cannot be read is still one where weights lie beside it: what is wrong with it is told by who
/// runs the model.
pub(super) fn read(folder: &Path, name: &str) -> Result<Option<SourceManifest>, SourceError> {
    let path = folder.join(CONFIG);
    if !path.is_file() {
        return Ok(None);
    }
    let failed = |path: PathBuf| move |source| SourceError::Read { path, source };
    let config = read_config(&path).map_err(failed(path.clone()))?;
    let weights = weights::find(folder);
    let has = |key: &str| config.as_ref().is_some_and(|config| config.contains_key(key));
    if weights.is_empty() && !(has("model_type") || has("architecture")) {
        return Ok(None);
    }
    let mut files = Vec::new();
    let beside = SIDE_FILES.iter().map(|name| (*name).to_owned());
    let found = beside
        .map(|name| (name, false))
        .chain(weights.into_iter().map(|name| (name, true)));
    for (name, is_weights) in found {
        let path = folder.join(&name);
        if path.is_file() {
            let pointer = LfsPointer::read(&path).map_err(failed(path.clone()))?;
            files.push(PublishedFile {
                name,
                is_weights,
                pointer,
            });
        }
    }
    let model = PublishedModel {
        files,
        has_code: has("auto_map"),
    };
    let size = size_of_weights(folder, &model).map_err(failed(folder.to_owned()))?;
    let card = Card::read(folder);
    let entry = ModelEntry {
        base_name: model_name(name),
        size_bytes: (size > 0).then_some(size),
        ..card.entry()
    };
    Ok(Some(SourceManifest {
        folder: folder.to_owned(),
        manifest: Manifest {
            models: vec![entry],
            ..Manifest::default()
        },
        published: Some(model),
    }))
}

/// The settings in a file; `None` where it holds something else.
fn read_config(path: &Path) -> io::Result<Option<Map<String, Value>>> {
    let mut text = Vec::new();
    let file = fs_err::File::open(path)?;
    file.take(LARGEST_CONFIG).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text).ok())
}

/// The bytes of all files with trained tensors, wherever they are.
fn size_of_weights(folder: &Path, model: &PublishedModel) -> io::Result<u64> {
    let weights = model.files.iter().filter(|file| file.is_weights);
    let size = |file: &PublishedFile| match file.pointer {
        Some(pointer) => Ok(pointer.size),
        None => fs_err::metadata(folder.join(&file.name)).map(|metadata| metadata.len()),
    };
    weights.map(size).sum()
}

/// A name that manifests could have, too: `@` would begin a version.
fn model_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|character| match character {
            '@' => '-',
            character if character.is_control() => '-',
            character => character,
        })
        .collect();
    match name.trim() {
        "" => "model".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
