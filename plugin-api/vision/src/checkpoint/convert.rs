//! Weights as PyTorch or NumPy keep them, as a safetensors file.

use super::{Checkpoint, is_bookkeeping, weights_error};
use half::{f16, slice::HalfFloatSliceExt as _};
use modelzoo_plugin_api::Result;
use safetensors::{Dtype, SafeTensorError, serialize, tensor::TensorView};
use std::{collections::BTreeMap, path::Path};

/// A tensor as it is stored.
type Stored = (Dtype, Vec<usize>, Vec<u8>);

/// A file of tensors as a safetensors file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Converted {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many tensors there are in it.
    pub tensors: usize,
    /// The names of those that training alone needs, such as counters of batches.
    pub left_out: Vec<String>,
    /// The names of those with numbers that half precision cannot hold: they are there in single precision.
    pub kept_single: Vec<String>,
}

/// The tensors of a file of PyTorch's (also of the time before 1.6), of NumPy's (`.npz`) or of a safetensors file, as a
/// safetensors file: in single precision, or where `is_half`, in half. Nothing of a pickle is run.
///
/// # Errors
/// When it is no intact file of tensors of floating-point numbers.
pub fn convert(file: &Path, is_half: bool) -> Result<Converted> {
    let checkpoint = Checkpoint::open(file)?;
    let mut converted = Converted::default();
    let mut tensors = BTreeMap::new();
    for name in checkpoint.names() {
        let weight = match checkpoint.tensor(name) {
            Ok(weight) => weight,
            Err(_) if is_bookkeeping(name) => {
                converted.left_out.push(name.to_owned());
                continue;
            }
            Err(error) => return Err(error),
        };
        let halves = is_half.then(|| in_half(weight.data()));
        if let Some(None) = halves {
            converted.kept_single.push(name.to_owned());
        }
        let stored = match halves.flatten() {
            Some(bytes) => (Dtype::F16, weight.dims().to_vec(), bytes),
            None => (
                Dtype::F32,
                weight.dims().to_vec(),
                weight
                    .data()
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect(),
            ),
        };
        tensors.insert(name.to_owned(), stored);
    }
    converted.tensors = tensors.len();
    converted.bytes = serialized(&tensors)
        .map_err(|error| weights_error(format!("{} cannot be converted: {error}", file.display())))?;
    Ok(converted)
}

fn serialized(tensors: &BTreeMap<String, Stored>) -> std::result::Result<Vec<u8>, SafeTensorError> {
    let views = tensors
        .iter()
        .map(|(name, (dtype, dims, bytes))| Ok((name, TensorView::new(*dtype, dims.clone(), bytes)?)))
        .collect::<std::result::Result<Vec<_>, SafeTensorError>>()?;
    serialize(views, None)
}

/// The numbers in half precision; `None` where one that is finite would not be.
fn in_half(values: &[f32]) -> Option<Vec<u8>> {
    let mut halves = vec![f16::ZERO; values.len()];
    halves.convert_from_f32_slice(values);
    let overflows = values
        .iter()
        .zip(&halves)
        .any(|(value, half)| value.is_finite() && !half.is_finite());
    (!overflows).then(|| halves.iter().flat_map(|half| half.to_le_bytes()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;

    fn pickle(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/pickles")
            .join(name)
    }

    fn written(folder: &Path, converted: &Converted) -> Checkpoint {
        let to = folder.join("converted.safetensors");
        std::fs::write(&to, &converted.bytes).unwrap();
        Checkpoint::open(&to).unwrap()
    }

    #[test]
    fn every_tensor_of_each_kind_of_pickle_is_the_same_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["archive.pth", "legacy.pth", "nested.pth"] {
            let before = Checkpoint::open(&pickle(name)).unwrap();
            let converted = convert(&pickle(name), false).unwrap();
            let after = written(folder.path(), &converted);
            assert!(converted.tensors > 0, "{name}");
            assert_eq!(after.names().count(), converted.tensors, "{name}");
            for tensor in after.names() {
                let (one, other) = (before.tensor(tensor).unwrap(), after.tensor(tensor).unwrap());
                assert_eq!((one.dims(), one.data()), (other.dims(), other.data()), "{tensor}");
            }
        }
    }

    #[test]
    fn numbers_too_large_for_half_precision_keep_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("a.safetensors");
        let bytes = |values: [f32; 2]| values.map(f32::to_le_bytes).concat();
        let (small, large) = (bytes([0.5, -2.0]), bytes([1.0, 1e6]));
        let views = [("small", &small), ("large", &large)]
            .map(|(name, bytes)| (name, TensorView::new(Dtype::F32, vec![2], bytes).unwrap()));
        std::fs::write(&from, serialize(views, None).unwrap()).unwrap();
        let converted = convert(&from, true).unwrap();
        assert_eq!(converted.kept_single, ["large"]);
        assert_eq!(converted.tensors, 2);
        let read = written(folder.path(), &converted);
        assert_eq!(read.tensor("small").unwrap().data(), [0.5, -2.0]);
        assert_eq!(read.tensor("large").unwrap().data(), [1.0, 1e6]);
        assert!(converted.bytes.len() < convert(&from, false).unwrap().bytes.len());
    }

    #[test]
    fn what_is_no_file_of_tensors_is_refused() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(convert(&file, false).is_err());
    }
}
