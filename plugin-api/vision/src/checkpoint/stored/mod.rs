//! Files whose tensors are views of bytes that are stored in them.
//!
//! Those of PyTorch are pickled programs of Python, of which nothing is run. A pickle is a program for a small stack machine
//! that may import and call anything. The [`machine`] here knows the few things that a dictionary of tensors is made of,
//! and refuses everything else by its name. There are two forms: a ZIP archive with the program and a file for each storage
//! (`torch.save` since 1.6), and the legacy form, a chain of pickles with the storages behind them. [`numpy`] has archives
//! without a program.

mod archive;
mod legacy;
mod machine;
mod numpy;
mod tensors;

use super::weights_error;
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Context, ErrorKind, Result};
use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use tensors::TensorInfo;

/// The longest program that is read: names and shapes of some hundred thousand tensors.
const MOST_PROGRAM_BYTES: u64 = 64 << 20;

/// What NumPy's archives end in.
const NUMPY_ENDING: &str = "npz";

/// A file of PyTorch's or NumPy's.
#[derive(Debug)]
pub(super) struct StoredTensors {
    path: PathBuf,
    file: Mutex<File>,
    tensors: BTreeMap<String, TensorInfo>,
    storages: Storages,
}

/// Where the bytes of each storage lie in the file, by its key.
type Storages = HashMap<String, Range<u64>>;

/// What a file has: tensors by name, and where the storages lie that they are views of.
struct Contents {
    tensors: BTreeMap<String, TensorInfo>,
    storages: Storages,
}

impl StoredTensors {
    /// Reads what tensors a file has, not yet their values.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Weights`] when the file is missing, cut, or anything but a dictionary of tensors.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (file, contents) = read(path).map_err(|error| {
            error
                .with_kind(ErrorKind::Weights)
                .with_hint("prefer a publisher's safetensors file, or convert the file where it comes from")
        })?;
        for (name, tensor) in &contents.tensors {
            let bytes = contents
                .storages
                .get(&tensor.storage)
                .map(|range| range.end - range.start);
            tensor.check(bytes).map_err(|problem| {
                weights_error(format!("tensor `{name}` in {} {problem}", path.display()))
            })?;
        }
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(file),
            tensors: contents.tensors,
            storages: contents.storages,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    pub(super) fn dims(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.get(name).map(|tensor| tensor.dims.clone())
    }

    /// A tensor as f32.
    ///
    /// # Errors
    /// When there is none of this name, it has no floating-point numbers, or the file cannot be read.
    pub(super) fn tensor(&self, name: &str) -> Result<Weight> {
        let found = self
            .tensors
            .get(name)
            .and_then(|tensor| Some((tensor, self.storages.get(&tensor.storage)?)));
        let (tensor, range) = found.ok_or_else(|| {
            weights_error(format!("there is no tensor `{name}` in {}", self.path.display()))
        })?;
        let bytes = self.read(range.start, tensor.span()).map_err(|error| {
            weights_error(format!(
                "tensor `{name}` in {} cannot be read: {error}",
                self.path.display()
            ))
        })?;
        let values = tensor.values(&bytes).ok_or_else(|| {
            weights_error(format!(
                "tensor `{name}` in {} has numbers of type {:?}, but floating-point numbers are needed",
                self.path.display(),
                tensor.element
            ))
        })?;
        Ok(Weight::new(tensor.dims.clone(), values))
    }

    fn read(&self, start: u64, span: Range<u64>) -> std::io::Result<Vec<u8>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start + span.start))?;
        // The span was checked against the storage's place in the file.
        let mut bytes = vec![0; (span.end - span.start) as usize];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn read(path: &Path) -> Result<(File, Contents)> {
    let name = path.display();
    let mut file = File::open(path).with_context(|| format!("the weights {name} cannot be read"))?;
    let mut start = [0; 4];
    let is_archive = file.read_exact(&mut start).is_ok() && start == *b"PK\x03\x04";
    file.rewind()
        .with_context(|| format!("the weights {name} cannot be read"))?;
    let contents = if path.extension().is_some_and(|ending| ending == NUMPY_ENDING) {
        numpy::read(&mut file)
    } else if is_archive {
        archive::read(&mut file)
    } else {
        legacy::read(&mut file)
    };
    let contents = contents.with_context(|| format!("{name} is no file of nothing but tensors"))?;
    Ok((file, contents))
}
