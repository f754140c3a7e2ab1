//! Trained parameters from safetensors files.

mod backend;
#[cfg(test)]
mod tests;

use half::{bf16, f16, slice::HalfFloatSliceExt};
use memmap2::Mmap;
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};
use safetensors::{
    Dtype, SafeTensors,
    tensor::{Metadata, TensorInfo},
};
use std::{
    fmt,
    fs::File,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A safetensors file, mapped into memory; cheap to clone.
///
/// Tensors of type f32, f16 and bf16 are given as f32; those of type f32 stay in the file. The format is described at
/// <https://github.com/huggingface/safetensors>.
#[derive(Clone)]
pub struct Weights {
    file: Arc<WeightFile>,
}

struct WeightFile {
    path: PathBuf,
    bytes: Mmap,
    metadata: Metadata,
    /// Where the tensors' bytes start.
    data_start: usize,
}

impl Weights {
    /// Opens a file and checks its header against its length.
    ///
    /// The file must not be changed while it is open. The store's files never are.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Weights`] when the file is missing or no safetensors file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let unreadable = |error: &dyn fmt::Display| {
            weights_error(format!("the weights {} cannot be read: {error}", path.display()))
        };
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        // SAFETY: nobody writes to a file of weights while it is in use: the store replaces files by renaming, and
        // the documentation above asks it of everybody else.
        let bytes = unsafe { Mmap::map(&file) }.map_err(|error| unreadable(&error))?;
        let (header_length, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| {
            weights_error(format!(
                "{} is no intact safetensors file: {error}",
                path.display()
            ))
            .with_hint("fetch the file again, or compare its SHA-256 with the publisher's")
        })?;
        let length_field = size_of::<u64>();
        Ok(Self {
            file: Arc::new(WeightFile {
                path: path.to_owned(),
                bytes,
                metadata,
                data_start: length_field + header_length,
            }),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// The names of all tensors, in the file's order.
    pub fn names(&self) -> Vec<String> {
        self.file.metadata.offset_keys()
    }

    /// The dimensions of a tensor, or `None` where there is no such tensor.
    pub fn dims(&self, name: &str) -> Option<&[usize]> {
        self.file.metadata.info(name).map(|info| info.shape.as_slice())
    }

    /// A tensor as f32, whatever its dimensions.
    ///
    /// # Errors
    /// When the tensor is missing or of another type than f32, f16 or bf16; the message names file and tensor.
    pub fn tensor(&self, name: &str) -> Result<Weight> {
        let info = self.info(name)?;
        let (start, end) = info.data_offsets;
        let range = self.file.data_start + start..self.file.data_start + end;
        if let Some(mapped) = Mapped::new(&self.file, info.dtype, range.clone()) {
            return Ok(Weight::shared(info.shape.clone(), Arc::new(mapped)));
        }
        // `read_metadata` has checked the offsets against the file's length.
        let bytes = &self.file.bytes[range];
        let values = to_f32(info.dtype, bytes).ok_or_else(|| {
            weights_error(format!(
                "tensor `{name}` in {} is of type {:?}, but f32, f16 or bf16 is needed",
                self.path().display(),
                info.dtype
            ))
        })?;
        Ok(Weight::new(info.shape.clone(), values))
    }

    /// A tensor of the given dimensions as f32.
    ///
    /// # Errors
    /// As for [`Weights::tensor`], and when the tensor has other dimensions.
    pub fn tensor_of(&self, name: &str, dims: &[usize]) -> Result<Weight> {
        let found = &self.info(name)?.shape;
        if found != dims {
            return Err(weights_error(format!(
                "tensor `{name}` in {} has dimensions {found:?}, but the network needs {dims:?}",
                self.path().display()
            )));
        }
        self.tensor(name)
    }

    fn info(&self, name: &str) -> Result<&TensorInfo> {
        self.file.metadata.info(name).ok_or_else(|| {
            weights_error(format!(
                "there is no tensor `{name}` in {}",
                self.path().display()
            ))
            .with_hint("these are the weights of another model, or of another version of it")
        })
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Weights({})", self.path().display())
    }
}

/// Numbers of type f32 where they lie in the file: neither copied nor read before they are used.
struct Mapped {
    file: Arc<WeightFile>,
    range: Range<usize>,
}

impl Mapped {
    /// `None` where the bytes cannot be used as they are: another type, an odd place in the file, another byte order.
    fn new(file: &Arc<WeightFile>, dtype: Dtype, range: Range<usize>) -> Option<Self> {
        let (before, _, after) = numbers_in_place(&file.bytes[range.clone()]);
        let usable = dtype == Dtype::F32 && cfg!(target_endian = "little");
        (usable && before.is_empty() && after.is_empty()).then(|| Self {
            file: Arc::clone(file),
            range,
        })
    }
}

impl AsRef<[f32]> for Mapped {
    fn as_ref(&self) -> &[f32] {
        numbers_in_place(&self.file.bytes[self.range.clone()]).1
    }
}

/// Bytes before the first aligned number, the numbers, bytes behind the last one.
fn numbers_in_place(bytes: &[u8]) -> (&[u8], &[f32], &[u8]) {
    // SAFETY: any four bytes are a number of type f32.
    unsafe { bytes.align_to() }
}

fn weights_error(message: String) -> Error {
    Error::new(message).with_kind(ErrorKind::Weights)
}

/// Little-endian numbers as f32; `None` for a type that is no floating-point number of at most 32 bits.
fn to_f32(dtype: Dtype, bytes: &[u8]) -> Option<Arc<[f32]>> {
    Some(match dtype {
        Dtype::F32 => numbers(bytes).map(f32::from_le_bytes).collect(),
        Dtype::BF16 => numbers(bytes)
            .map(|number| bf16::from_le_bytes(number).to_f32())
            .collect(),
        Dtype::F16 => {
            // All at once: the processor has instructions for it, where single numbers are converted in software.
            let halves: Vec<f16> = numbers(bytes).map(f16::from_le_bytes).collect();
            let mut values: Arc<[f32]> = std::iter::repeat_n(0.0, halves.len()).collect();
            halves.convert_to_f32_slice(Arc::make_mut(&mut values));
            values
        }
        _ => return None,
    })
}

fn numbers<const SIZE: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; SIZE]> {
    bytes.as_chunks().0.iter().copied()
}
