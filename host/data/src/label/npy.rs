//! NumPy's NPY format, byte for byte as NumPy writes it (`numpy.lib.format`, version 1.0).

use super::{error::LabelError, npy_header::Header};
use half::f16;
use modelzoo_plugin_api::{Array, Elements};

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The data begins at a multiple of this many bytes.
const ALIGNMENT: usize = 64;

/// NumPy leaves room for the first dimension to grow to this many digits.
const ROOM_FOR_DIGITS: usize = 21;

/// Turns an array into an NPY file.
pub fn write_npy(array: &Array) -> Vec<u8> {
    let shape: Vec<String> = array.shape().iter().map(usize::to_string).collect();
    let shape_text = match shape.as_slice() {
        [only] => format!("({only},)"),
        several => format!("({})", several.join(", ")),
    };
    let descr = descr(array.elements());
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape_text}, }}");
    if let Some(first) = shape.first() {
        header.push_str(&" ".repeat(ROOM_FOR_DIGITS.saturating_sub(first.len())));
    }
    let before_data = MAGIC.len() + 4 + header.len() + 1;
    header.push_str(&" ".repeat(ALIGNMENT - before_data % ALIGNMENT));
    header.push('\n');

    let mut file = Vec::with_capacity(MAGIC.len() + 4 + header.len());
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&[1, 0]);
    // Shapes have few dimensions: the header is far below the 64 KiB of version 1.
    file.extend_from_slice(&(header.len() as u16).to_le_bytes());
    file.extend_from_slice(header.as_bytes());
    append_elements(&mut file, array.elements());
    file
}

fn descr(elements: &Elements) -> &'static str {
    match elements {
        Elements::Bool(_) => "|b1",
        Elements::U8(_) => "|u1",
        Elements::U16(_) => "<u2",
        Elements::I32(_) => "<i4",
        Elements::I64(_) => "<i8",
        Elements::F32(_) => "<f4",
        Elements::F64(_) => "<f8",
        // Elements that are still beside their message were never resolved: there is nothing to write.
        _ => "|V0",
    }
}

fn append_elements(file: &mut Vec<u8>, elements: &Elements) {
    match elements {
        Elements::Bool(values) => file.extend(values.iter().map(|&value| u8::from(value))),
        Elements::U8(values) => file.extend_from_slice(values),
        Elements::U16(values) => file.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Elements::I32(values) => file.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Elements::I64(values) => file.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Elements::F32(values) => file.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Elements::F64(values) => file.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        _ => {}
    }
}

/// Reads an NPY file of any version with numbers or truth values. Types that [`Elements`] lacks become the next
/// larger one; Fortran order becomes C order.
///
/// # Errors
/// When the bytes are no NPY file, or one of another element type.
pub fn read_npy(file: &[u8]) -> Result<Array, LabelError> {
    let broken = |found: &str| LabelError::new("expected an NPY file", found);
    let rest = file.strip_prefix(MAGIC).ok_or_else(|| broken("other data"))?;
    let (header_length, rest) = match rest {
        [1, 0, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, 0, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return Err(broken("an unknown version of it")),
    };
    let (header, data) = rest
        .split_at_checked(header_length)
        .ok_or_else(|| broken("one that ends early"))?;
    let header = std::str::from_utf8(header).map_err(|_| broken("one with a broken header"))?;
    let header = Header::parse(header).ok_or_else(|| broken(header.trim_end()))?;
    let (elements, shape) = (header.elements(data)?, header.shape);
    let mismatch = || broken("one whose data does not fill its shape");
    if header.fortran_order && shape.len() > 1 {
        let reversed: Vec<usize> = shape.iter().rev().copied().collect();
        let array = Array::new(reversed, elements).map_err(|_| mismatch())?;
        return transposed(&array, shape).ok_or_else(mismatch);
    }
    Array::new(shape, elements).map_err(|_| mismatch())
}

impl Header<'_> {
    fn elements(&self, data: &[u8]) -> Result<Elements, LabelError> {
        let big = self.descr.starts_with('>');
        let unsupported = || {
            LabelError::new(
                "expected an NPY file of numbers",
                format!("one of {:?}", self.descr),
            )
        };
        let kind = self.descr.get(1..).ok_or_else(unsupported)?;
        macro_rules! read {
            ($number:ty) => {
                data.chunks_exact(size_of::<$number>()).map(|chunk| {
                    let mut bytes = [0; size_of::<$number>()];
                    bytes.copy_from_slice(chunk);
                    if big {
                        <$number>::from_be_bytes(bytes)
                    } else {
                        <$number>::from_le_bytes(bytes)
                    }
                })
            };
        }
        Ok(match kind {
            "b1" => Elements::Bool(data.iter().map(|&byte| byte != 0).collect()),
            "u1" => Elements::U8(data.to_vec()),
            "i1" => Elements::I32(read!(i8).map(i32::from).collect()),
            "u2" => Elements::U16(read!(u16).collect()),
            "i2" => Elements::I32(read!(i16).map(i32::from).collect()),
            "i4" => Elements::I32(read!(i32).collect()),
            "u4" => Elements::I64(read!(u32).map(i64::from).collect()),
            "i8" => Elements::I64(read!(i64).collect()),
            "u8" => Elements::F64(read!(u64).map(|value| value as f64).collect()),
            "f2" => Elements::F32(read!(f16).map(f32::from).collect()),
            "f4" => Elements::F32(read!(f32).collect()),
            "f8" => Elements::F64(read!(f64).collect()),
            _ => return Err(unsupported()),
        })
    }
}

/// The array of the given shape whose dimensions `reversed` has in reverse.
fn transposed(reversed: &Array, shape: Vec<usize>) -> Option<Array> {
    /// `values` with the first index running fastest, put in the order in which the last one does.
    fn reorder<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
        let mut strides = Vec::with_capacity(shape.len());
        let mut stride = 1;
        for length in shape {
            strides.push(stride);
            stride *= length;
        }
        (0..values.len())
            .map(|position| {
                let (mut rest, mut source) = (position, 0);
                for (length, stride) in shape.iter().zip(&strides).rev() {
                    source += rest % length * stride;
                    rest /= length;
                }
                values[source]
            })
            .collect()
    }
    let elements = match reversed.elements() {
        Elements::Bool(values) => Elements::Bool(reorder(values, &shape)),
        Elements::U8(values) => Elements::U8(reorder(values, &shape)),
        Elements::U16(values) => Elements::U16(reorder(values, &shape)),
        Elements::I32(values) => Elements::I32(reorder(values, &shape)),
        Elements::I64(values) => Elements::I64(reorder(values, &shape)),
        Elements::F32(values) => Elements::F32(reorder(values, &shape)),
        Elements::F64(values) => Elements::F64(reorder(values, &shape)),
        _ => return None,
    };
    Array::new(shape, elements).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What `numpy.save` writes before the data (NumPy 2.4).
    #[test]
    fn the_header_is_that_of_numpy() {
        let cases: [(Array, &str); 4] = [
            (
                Array::vector(vec![1.0f32, 2.5, -3.0]),
                "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
            ),
            (
                Array::new([2, 3], vec![false; 6]).expect("fits"),
                "{'descr': '|b1', 'fortran_order': False, 'shape': (2, 3), }",
            ),
            (
                Array::new([0, 5], Vec::<i64>::new()).expect("fits"),
                "{'descr': '<i8', 'fortran_order': False, 'shape': (0, 5), }",
            ),
            (
                Array::new([], vec![3.0f64]).expect("fits"),
                "{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
            ),
        ];
        for (array, header) in cases {
            let file = write_npy(&array);
            assert_eq!(file[..10], *b"\x93NUMPY\x01\x00v\x00", "{header}");
            assert_eq!(file[10..128], *format!("{header:<117}\n").as_bytes());
            assert_eq!(read_npy(&file).expect("readable"), array);
        }
    }

    #[test]
    fn the_data_is_little_endian() {
        assert_eq!(
            write_npy(&Array::vector(vec![1.0f32, 2.5]))[128..],
            [0, 0, 128, 63, 0, 0, 32, 64]
        );
        assert_eq!(write_npy(&Array::vector(vec![true, false]))[128..], [1, 0]);
    }

    fn file(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}}}\n");
        [
            &b"\x93NUMPY\x02\x00"[..],
            &(header.len() as u32).to_le_bytes(),
            header.as_bytes(),
            data,
        ]
        .concat()
    }

    #[test]
    fn other_writers_files_are_read() {
        let fortran = read_npy(&file("|u1", "True", "(2, 3)", &[1, 4, 2, 5, 3, 6])).expect("Fortran order");
        assert_eq!(
            fortran,
            Array::new([2, 3], vec![1u8, 2, 3, 4, 5, 6]).expect("fits")
        );
        let big = read_npy(&file(">i2", "False", "(2,)", &[0, 1, 255, 254])).expect("big endian");
        assert_eq!(big, Array::vector(vec![1i32, -2]));
        let half = read_npy(&file("<f2", "False", "(1,)", &[0x00, 0x3e])).expect("half precision");
        assert_eq!(half, Array::vector(vec![1.5f32]));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for (broken, message) in [
            (&b"something else"[..], "expected an NPY file, not other data"),
            (
                b"\x93NUMPY\x01\x00\xff\x00{}",
                "expected an NPY file, not one that ends early",
            ),
            (
                &file("<U4", "False", "(1,)", &[0; 16]),
                "expected an NPY file of numbers, not one of \"<U4\"",
            ),
            (
                &file("<f4", "False", "(3,)", &[0; 8]),
                "expected an NPY file, not one whose data does not fill its shape",
            ),
        ] {
            assert_eq!(read_npy(broken).expect_err("broken").to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[{}'(),: a-z0-9<|TrueFalse]{0,60}", data in prop::collection::vec(any::<u8>(), 0..40)) {
            let start = [&b"\x93NUMPY\x01\x00"[..], &(text.len() as u16).to_le_bytes(), text.as_bytes(), &data].concat();
            let _ = read_npy(&start);
        }
    }
}
