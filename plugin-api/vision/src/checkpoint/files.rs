//! Which files of a folder the tensors are in.

use super::{open_safetensors, stored::StoredTensors, weights_error};
use crate::repository::Config;
use modelzoo_candle::weights::Weights;
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// What publishers call their weights; an index names several files. The first that is there is taken.
pub const WEIGHT_FILES: [&str; 6] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "open_clip_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "model.pth",
];

/// More files than any model is split into.
const MOST_FILES: usize = 1000;

/// One file of tensors.
#[derive(Debug)]
pub(super) enum TensorFile {
    Safetensors(Weights),
    Stored(StoredTensors),
}

impl TensorFile {
    /// Opens a file: what ends in `.safetensors` or `.npz` as such, everything else as PyTorch's.
    pub(super) fn open(path: &Path) -> Result<Self> {
        if path.extension().is_some_and(|ending| ending == "safetensors") {
            open_safetensors(path).map(Self::Safetensors)
        } else {
            StoredTensors::open(path).map(Self::Stored)
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Safetensors(file) => file.path(),
            Self::Stored(file) => file.path(),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Safetensors(file) => file.names(),
            Self::Stored(file) => file.names(),
        }
    }

    pub(super) fn dims(&self, name: &str) -> Option<Vec<usize>> {
        match self {
            Self::Safetensors(file) => file.dims(name).map(<[usize]>::to_vec),
            Self::Stored(file) => file.dims(name),
        }
    }

    pub(super) fn tensor(&self, name: &str) -> Result<Weight> {
        match self {
            Self::Safetensors(file) => file.tensor(name),
            Self::Stored(file) => file.tensor(name),
        }
    }
}

/// The files of a folder that have the tensors, and the one to name in errors.
pub(super) fn find(folder: &Path) -> Result<(PathBuf, Vec<TensorFile>)> {
    let path = WEIGHT_FILES
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            weights_error(format!("there are no weights in {}", folder.display())).with_hint(format!(
                "one of these files is needed: {}",
                WEIGHT_FILES.join(", ")
            ))
        })?;
    let files = if path.extension().is_some_and(|ending| ending == "json") {
        open_shards(&path, folder)?
    } else {
        vec![TensorFile::open(&path)?]
    };
    Ok((path, files))
}

/// Opens the files that an index names, and checks that they have the tensors that it says.
fn open_shards(index: &Path, folder: &Path) -> Result<Vec<TensorFile>> {
    let config = Config::open(index)?;
    let map = config
        .value("weight_map")
        .and_then(|map| map.as_object())
        .ok_or_else(|| config.wrong("weight_map", "an object with a file's name for each tensor"))?;
    let mut names = BTreeSet::new();
    for (tensor, file) in map {
        let name = file.as_str().filter(|name| is_plain(name)).ok_or_else(|| {
            weights_error(format!(
                "the file of tensor `{tensor}` in {} is {file}, which is no name of a file beside it",
                index.display()
            ))
        })?;
        names.insert(name);
    }
    if names.len() > MOST_FILES {
        return Err(weights_error(format!(
            "{} names {} files",
            index.display(),
            names.len()
        )));
    }
    let files: Vec<TensorFile> = names
        .iter()
        .map(|name| TensorFile::open(&folder.join(name)))
        .collect::<Result<_>>()?;
    for (name, file) in names.iter().zip(&files) {
        let expected = map.iter().filter(|(_, file)| file.as_str() == Some(*name));
        for (tensor, _) in expected {
            if file.dims(tensor).is_none() {
                return Err(weights_error(format!(
                    "tensor `{tensor}` should be in {}, as {} says, but is not",
                    file.path().display(),
                    index.display()
                )));
            }
        }
    }
    Ok(files)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}
