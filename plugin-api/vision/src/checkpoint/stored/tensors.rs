//! Tensors as PyTorch stores them: views of storages.

use half::{bf16, f16};
use std::ops::Range;

/// More dimensions than any trained tensor has.
const MOST_DIMS: usize = 8;

/// The type of a storage's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    F16,
    BF16,
    F32,
    F64,
    /// Whole numbers and truth values of so many bytes: counters, which no network needs.
    Whole(u64),
}

impl Element {
    /// The element of PyTorch's class `name` of storages.
    pub(super) fn of_storage(name: &str) -> Option<Self> {
        Some(match name {
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::BF16,
            "FloatStorage" => Self::F32,
            "DoubleStorage" => Self::F64,
            "BoolStorage" | "ByteStorage" | "CharStorage" => Self::Whole(1),
            "ShortStorage" => Self::Whole(2),
            "IntStorage" => Self::Whole(4),
            "LongStorage" => Self::Whole(8),
            _ => return None,
        })
    }

    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Whole(bytes) => bytes,
        }
    }
}

/// A tensor: a view of a storage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TensorInfo {
    pub(super) storage: String,
    pub(super) element: Element,
    /// Elements of the storage before the first one.
    pub(super) offset: usize,
    pub(super) dims: Vec<usize>,
    /// Elements of the storage from one index to the next, for each dimension.
    pub(super) strides: Vec<usize>,
}

impl TensorInfo {
    /// Checks the view against the `bytes` of its storage; `None` where there is no such storage.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that begins with the tensor's name.
    pub(super) fn check(&self, bytes: Option<u64>) -> Result<(), String> {
        let Some(bytes) = bytes else {
            return Err(format!(
                "is a view of storage {:?}, which is not there",
                self.storage
            ));
        };
        if self.dims.len() != self.strides.len() || self.dims.len() > MOST_DIMS {
            return Err(format!(
                "has {} dimensions and {} strides",
                self.dims.len(),
                self.strides.len()
            ));
        }
        // A stride of 0 repeats an element: a small file could claim a tensor of any size.
        let count = self
            .dims
            .iter()
            .try_fold(1u64, |count, &dim| count.checked_mul(dim as u64));
        let elements = bytes / self.element.bytes();
        let fits = count.is_some_and(|count| count <= elements)
            && self.checked_end().is_some_and(|end| end <= elements);
        if fits {
            Ok(())
        } else {
            Err(format!(
                "has dimensions {:?} from element {}, but its storage has {elements} elements",
                self.dims, self.offset
            ))
        }
    }

    /// One more than the largest index of an element; `None` where it overflows.
    fn checked_end(&self) -> Option<u64> {
        if self.dims.contains(&0) {
            return Some(self.offset as u64);
        }
        let mut last = self.offset as u64;
        for (&dim, &stride) in self.dims.iter().zip(&self.strides) {
            last = last.checked_add((dim as u64 - 1).checked_mul(stride as u64)?)?;
        }
        last.checked_add(1)
    }

    /// The bytes of the storage that the tensor's elements lie in. The tensor was checked.
    pub(super) fn span(&self) -> Range<u64> {
        let size = self.element.bytes();
        self.offset as u64 * size..self.checked_end().unwrap_or_default() * size
    }

    /// The elements in row-major order, out of the bytes of [`TensorInfo::span`]; `None` where they are no
    /// floating-point numbers.
    pub(super) fn values(&self, bytes: &[u8]) -> Option<Vec<f32>> {
        let stored: Vec<f32> = match self.element {
            Element::F32 => numbers(bytes).map(f32::from_le_bytes).collect(),
            Element::F64 => numbers(bytes)
                .map(|number| f64::from_le_bytes(number) as f32)
                .collect(),
            Element::F16 => numbers(bytes)
                .map(|number| f16::from_le_bytes(number).to_f32())
                .collect(),
            Element::BF16 => numbers(bytes)
                .map(|number| bf16::from_le_bytes(number).to_f32())
                .collect(),
            Element::Whole(_) => return None,
        };
        if self.is_dense() {
            return Some(stored);
        }
        let count: usize = self.dims.iter().product();
        Some((0..count).map(|index| stored[self.place(index)]).collect())
    }

    fn is_dense(&self) -> bool {
        let mut expected = 1;
        for (&dim, &stride) in self.dims.iter().zip(&self.strides).rev() {
            if dim != 1 && stride != expected {
                return false;
            }
            expected *= dim;
        }
        true
    }

    /// Where the element of this row-major index lies, counted from the first one.
    fn place(&self, mut index: usize) -> usize {
        let mut place = 0;
        for (&dim, &stride) in self.dims.iter().zip(&self.strides).rev() {
            place += index % dim * stride;
            index /= dim;
        }
        place
    }
}

fn numbers<const SIZE: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; SIZE]> {
    bytes.as_chunks().0.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(offset: usize, dims: &[usize], strides: &[usize]) -> TensorInfo {
        TensorInfo {
            storage: "0".to_owned(),
            element: Element::F32,
            offset,
            dims: dims.to_vec(),
            strides: strides.to_vec(),
        }
    }

    #[test]
    fn a_transposed_view_is_read_in_its_own_order() {
        let bytes: Vec<u8> = (0..7).flat_map(|number| (number as f32).to_le_bytes()).collect();
        let view = tensor(1, &[3, 2], &[1, 3]);
        view.check(Some(28)).unwrap();
        assert_eq!(view.span(), 4..28);
        assert_eq!(
            view.values(&bytes[4..28]).unwrap(),
            [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]
        );
    }

    #[test]
    fn a_view_beyond_its_storage_is_refused() {
        for view in [
            tensor(0, &[3, 2], &[2, 1]),
            tensor(usize::MAX, &[1], &[1]),
            tensor(0, &[usize::MAX, usize::MAX], &[1, 1]),
            tensor(0, &[1 << 40], &[0]),
            tensor(0, &[2], &[1, 1]),
        ] {
            assert!(view.check(Some(20)).is_err(), "{view:?}");
        }
        assert!(tensor(0, &[1], &[1]).check(None).is_err());
        tensor(5, &[0], &[1]).check(Some(20)).unwrap();
    }
}
