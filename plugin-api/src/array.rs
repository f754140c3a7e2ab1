//! Bulk numbers: masks, maps, logits, embeddings.

use crate::{Error, Result};
use modelzoo_abi::ReplyBuffer;
use serde::{Deserialize, Serialize};

/// A dense array in row-major (C) order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Array {
    shape: Vec<usize>,
    elements: Elements,
}

/// The element type of an [`Array`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ElementType {
    /// One byte, 0 or 1.
    Bool,
    /// Unsigned 8-bit integer.
    U8,
    /// Unsigned 16-bit integer.
    U16,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
}

/// The elements of an [`Array`], in row-major order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Elements {
    /// Truth values.
    Bool(Vec<bool>),
    /// Unsigned 8-bit integers.
    U8(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Unsigned 16-bit integers.
    U16(Vec<u16>),
    /// Signed 32-bit integers.
    I32(Vec<i32>),
    /// Signed 64-bit integers.
    I64(Vec<i64>),
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
    /// Elements that travel beside their message; only the message codec makes and resolves these.
    #[doc(hidden)]
    Detached {
        /// Their type.
        element_type: ElementType,
        /// Their place among the buffers of the message.
        buffer: usize,
    },
}

impl Default for Elements {
    fn default() -> Self {
        Self::U8(Vec::new())
    }
}

macro_rules! from_vec {
    ($($variant:ident $number:ty),*) => {
        $(impl From<Vec<$number>> for Elements {
            fn from(values: Vec<$number>) -> Self {
                Self::$variant(values)
            }
        })*
    };
}
from_vec!(Bool bool, U8 u8, U16 u16, I32 i32, I64 i64, F32 f32, F64 f64);

impl Array {
    /// An array of the given shape (outermost dimension first).
    ///
    /// # Errors
    /// When the number of values is not the product of the shape.
    pub fn new(shape: impl Into<Vec<usize>>, values: impl Into<Elements>) -> Result<Self> {
        let (shape, elements) = (shape.into(), values.into());
        let expected = shape
            .iter()
            .try_fold(1usize, |product, &length| product.checked_mul(length));
        match elements.len() {
            Some(length) if Some(length) != expected => Err(Error::new(format!(
                "an array of shape {shape:?} has {length} values instead of the product of its shape"
            ))),
            _ => Ok(Self { shape, elements }),
        }
    }

    /// A vector: an array of one dimension.
    pub fn vector(values: impl Into<Elements>) -> Self {
        let elements = values.into();
        Self {
            shape: vec![elements.len().unwrap_or(0)],
            elements,
        }
    }

    /// The length of each dimension, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    pub fn elements(&self) -> &Elements {
        &self.elements
    }

    /// Takes the elements out, in row-major order.
    pub fn into_elements(self) -> Elements {
        self.elements
    }

    /// The type of the elements.
    pub fn element_type(&self) -> ElementType {
        self.elements.element_type()
    }

    /// The elements, where they are single precision.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.elements {
            Elements::F32(values) => Some(values),
            _ => None,
        }
    }

    /// The elements as single precision, whatever their type.
    pub fn to_f32(&self) -> Vec<f32> {
        self.to_f64().into_iter().map(|value| value as f32).collect()
    }

    /// The elements as double precision, whatever their type.
    pub fn to_f64(&self) -> Vec<f64> {
        match &self.elements {
            Elements::Bool(values) => values.iter().map(|&value| f64::from(u8::from(value))).collect(),
            Elements::U8(values) => values.iter().map(|&value| value.into()).collect(),
            Elements::U16(values) => values.iter().map(|&value| value.into()).collect(),
            Elements::I32(values) => values.iter().map(|&value| value.into()).collect(),
            Elements::I64(values) => values.iter().map(|&value| value as f64).collect(),
            Elements::F32(values) => values.iter().map(|&value| value.into()).collect(),
            Elements::F64(values) => values.clone(),
            Elements::Detached { .. } => Vec::new(),
        }
    }

    /// Moves the elements to the end of `buffers` and leaves their index behind.
    #[doc(hidden)]
    pub fn detach(&mut self, buffers: &mut Vec<ReplyBuffer>) {
        let element_type = self.element_type();
        let detached = Elements::Detached {
            element_type,
            buffer: buffers.len(),
        };
        buffers.push(match std::mem::replace(&mut self.elements, detached) {
            Elements::Bool(values) => ReplyBuffer::from_vec(values),
            Elements::U8(values) => ReplyBuffer::from_vec(values),
            Elements::U16(values) => ReplyBuffer::from_vec(values),
            Elements::I32(values) => ReplyBuffer::from_vec(values),
            Elements::I64(values) => ReplyBuffer::from_vec(values),
            Elements::F32(values) => ReplyBuffer::from_vec(values),
            Elements::F64(values) => ReplyBuffer::from_vec(values),
            already @ Elements::Detached { .. } => {
                self.elements = already;
                return;
            }
        });
    }

    /// Takes the elements back from the buffers of the message, and checks them against the shape.
    #[doc(hidden)]
    pub fn attach(&mut self, buffers: &[&[u8]]) -> Result<()> {
        if let Elements::Detached { element_type, buffer } = self.elements {
            let bytes = buffers.get(buffer).ok_or_else(|| {
                Error::new(format!(
                    "a message refers to buffer {buffer}, but only {} came",
                    buffers.len()
                ))
            })?;
            self.elements = Elements::from_bytes(element_type, bytes)?;
        }
        *self = Self::new(
            std::mem::take(&mut self.shape),
            std::mem::take(&mut self.elements),
        )?;
        Ok(())
    }
}

impl Elements {
    /// How many there are; `None` while they travel beside a message.
    pub fn len(&self) -> Option<usize> {
        Some(match self {
            Self::Bool(values) => values.len(),
            Self::U8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::Detached { .. } => return None,
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Their type.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::Bool(_) => ElementType::Bool,
            Self::U8(_) => ElementType::U8,
            Self::U16(_) => ElementType::U16,
            Self::I32(_) => ElementType::I32,
            Self::I64(_) => ElementType::I64,
            Self::F32(_) => ElementType::F32,
            Self::F64(_) => ElementType::F64,
            Self::Detached { element_type, .. } => *element_type,
        }
    }

    /// Reads elements from bytes in native order.
    ///
    /// # Errors
    /// When the bytes are no whole number of elements.
    pub fn from_bytes(element_type: ElementType, bytes: &[u8]) -> Result<Self> {
        macro_rules! read {
            ($variant:ident, $number:ty) => {{
                let chunks = bytes.chunks_exact(size_of::<$number>());
                if !chunks.remainder().is_empty() {
                    return Err(Error::new(format!(
                        "{} bytes are no whole number of {element_type:?} elements",
                        bytes.len()
                    )));
                }
                // `chunks_exact` gives chunks of exactly the number's size.
                Self::$variant(
                    chunks
                        .map(|chunk| <$number>::from_ne_bytes(chunk.try_into().unwrap()))
                        .collect(),
                )
            }};
        }
        Ok(match element_type {
            ElementType::Bool => Self::Bool(bytes.iter().map(|&byte| byte != 0).collect()),
            ElementType::U8 => Self::U8(bytes.to_vec()),
            ElementType::U16 => read!(U16, u16),
            ElementType::I32 => read!(I32, i32),
            ElementType::I64 => read!(I64, i64),
            ElementType::F32 => read!(F32, f32),
            ElementType::F64 => read!(F64, f64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_must_hold_the_values() {
        assert!(Array::new([2, 3], vec![0u8; 6]).is_ok());
        let error = Array::new([2, 3], vec![0u8; 5]).unwrap_err();
        assert!(error.to_string().contains("[2, 3]"), "{error}");
        assert!(Array::new([usize::MAX, 2], vec![0u8; 5]).is_err());
    }

    #[test]
    fn every_element_type_survives_detaching() {
        let arrays = [
            Array::vector(vec![true, false]),
            Array::vector(vec![1u8, 2]),
            Array::vector(vec![1u16, 65535]),
            Array::vector(vec![-1i32, 7]),
            Array::vector(vec![i64::MIN, 7]),
            Array::vector(vec![0.5f32, -1.0]),
            Array::vector(vec![0.1f64, f64::MAX]),
        ];
        for array in arrays {
            let (mut travelling, mut buffers) = (array.clone(), Vec::new());
            travelling.detach(&mut buffers);
            assert_eq!(travelling.elements().len(), None);
            let bytes: Vec<&[u8]> = buffers.iter().map(ReplyBuffer::bytes).collect();
            travelling.attach(&bytes).unwrap();
            assert_eq!(travelling, array);
        }
    }

    #[test]
    fn a_missing_or_short_buffer_is_an_error() {
        let (mut array, mut buffers) = (Array::vector(vec![1.0f32, 2.0]), Vec::new());
        array.detach(&mut buffers);
        assert!(array.clone().attach(&[]).is_err());
        assert!(array.clone().attach(&[&[0; 7]]).is_err());
        assert!(array.attach(&[&[0; 4]]).is_err());
    }
}
