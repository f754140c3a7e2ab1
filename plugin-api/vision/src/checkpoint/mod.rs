//! The trained tensors of a published model, by name, whatever files they are in.

mod convert;
mod files;
mod header;
mod stored;
#[cfg(test)]
mod tests;

use files::TensorFile;

pub use convert::{Converted, convert};
pub use files::WEIGHT_FILES;
use modelzoo_candle::{network::Parameters, weights::Weights};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Before the names of all tensors of a model of timm that transformers has saved.
const WRAPPER: &str = "timm_model.";

/// Tensors by name. It remembers which of them were asked for.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// What the tensors are read from, for errors: the only file, or the index of several.
    path: PathBuf,
    files: Vec<TensorFile>,
    /// What all names in the files begin with, and is left out everywhere else.
    prefix: &'static str,
    /// The file that has each tensor.
    places: BTreeMap<String, usize>,
    used: Mutex<BTreeSet<String>>,
    /// Tensors that were computed of others, by names that no file has.
    made: Mutex<BTreeMap<String, Weight>>,
}

impl Checkpoint {
    /// Finds and opens the weights in a folder: one safetensors file or several with an index, or PyTorch's own files,
    /// in this order.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Weights`] when there are none, or they are no intact files of nothing but tensors.
    pub(crate) fn find(folder: &Path) -> Result<Self> {
        let (path, files) = files::find(folder)?;
        Self::of(path, files)
    }

    /// Opens one file.
    ///
    /// # Errors
    /// As for [`Checkpoint::find`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::of(path.to_owned(), vec![TensorFile::open(path)?])
    }

    fn of(path: PathBuf, files: Vec<TensorFile>) -> Result<Self> {
        let mut places = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            for name in file.names() {
                if let Some(other) = places.insert(name.clone(), index) {
                    return Err(weights_error(format!(
                        "tensor `{name}` is in both {} and {}",
                        files[other].path().display(),
                        file.path().display()
                    )));
                }
            }
        }
        let is_wrapped = !places.is_empty() && places.keys().all(|name| name.starts_with(WRAPPER));
        let prefix = if is_wrapped { WRAPPER } else { "" };
        let bare = |(name, file): (String, usize)| (name[prefix.len()..].to_owned(), file);
        Ok(Self {
            path,
            files,
            prefix,
            places: places.into_iter().map(bare).collect(),
            used: Mutex::default(),
            made: Mutex::default(),
        })
    }

    /// The only file, or the index of several.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all tensors.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.stored_name(name).is_some()
    }

    /// Whether there is a tensor whose name begins so.
    pub(crate) fn has_any(&self, prefix: &str) -> bool {
        self.places
            .range(prefix.to_owned()..)
            .next()
            .is_some_and(|(name, _)| name.starts_with(prefix))
    }

    /// The dimensions of a tensor; `None` where there is no such tensor.
    pub(crate) fn dims(&self, name: &str) -> Option<Vec<usize>> {
        let name = self.stored_name(name)?;
        self.files[self.places[&name]].dims(&self.in_file(&name))
    }

    /// A tensor, whatever its dimensions.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Weights`] when it is missing or is no tensor of floating-point numbers.
    pub(crate) fn tensor(&self, name: &str) -> Result<Weight> {
        let stored = self.stored_name(name).ok_or_else(|| self.missing(name))?;
        let weight = self.files[self.places[&stored]].tensor(&self.in_file(&stored))?;
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(stored);
        Ok(weight)
    }

    /// Adds a tensor that was computed of others.
    pub(crate) fn make(&self, name: String, tensor: Weight) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.insert(name, tensor);
    }

    /// Whether there is a tensor of this name that was computed of others.
    pub(crate) fn has_made(&self, name: &str) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.contains_key(name)
    }

    /// Says that the tensors whose names begin so are known, and that no result depends on them.
    pub(crate) fn leave_out(&self, prefix: &str) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.places.keys().filter(|name| name.starts_with(prefix));
        used.extend(known.cloned());
    }

    /// The tensors that nobody has asked for yet, without those that no network has a use for.
    pub(crate) fn unused(&self) -> Vec<&str> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        self.places
            .keys()
            .filter(|name| !used.contains(*name) && !is_bookkeeping(name))
            .map(String::as_str)
            .collect()
    }

    fn in_file(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Files that were converted from TensorFlow name the parameters of a normalisation `gamma` and `beta`.
    fn stored_name(&self, name: &str) -> Option<String> {
        if self.places.contains_key(name) {
            return Some(name.to_owned());
        }
        [(".weight", ".gamma"), (".bias", ".beta")]
            .into_iter()
            .filter_map(|(ending, old)| Some(format!("{}{old}", name.strip_suffix(ending)?)))
            .find(|old| self.places.contains_key(old))
    }

    fn missing(&self, name: &str) -> Error {
        weights_error(format!("there is no tensor `{name}` in {}", self.path.display()))
            .with_hint("these are the weights of another model, or of another version of it")
    }
}

impl Parameters for Checkpoint {
    fn parameter(&self, name: &str, dims: &[usize]) -> Result<Weight> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tensor) = made.get(name).filter(|tensor| tensor.dims() == dims) {
            return Ok(tensor.clone());
        }
        drop(made);
        let found = self.dims(name).ok_or_else(|| self.missing(name))?;
        if found != dims {
            return Err(weights_error(format!(
                "tensor `{name}` in {} has dimensions {found:?}, but the network needs {dims:?}",
                self.path.display()
            )));
        }
        self.tensor(name)
    }
}

/// Counters and tables that training leaves behind and inference does not need.
fn is_bookkeeping(name: &str) -> bool {
    [
        "num_batches_tracked",
        "mask_token",
        "position_ids",
        "relative_position_index",
        "relative_coords_table",
        "attn_mask",
        "pooler.dense.weight",
        "pooler.dense.bias",
    ]
    .iter()
    .any(|ending| name.ends_with(ending))
}

fn weights_error(message: String) -> Error {
    Error::new(message).with_kind(ErrorKind::Weights)
}

/// A safetensors file's tensors, each of which is there once.
fn open_safetensors(path: &Path) -> Result<Weights> {
    let weights = Weights::open(path)?;
    let repeated = header::repeated_name(path).map_err(|error| {
        weights_error(format!(
            "the header of {} cannot be read: {error}",
            path.display()
        ))
    })?;
    match repeated {
        Some(name) => Err(weights_error(format!(
            "tensor `{name}` is in {} more than once",
            path.display()
        ))),
        None => Ok(weights),
    }
}
