//! NumPy's archives (`numpy.savez`): a ZIP file with an array for each tensor, each behind a header of its own.
//!
//! The form of an array's header: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use super::{
    Contents, Storages,
    tensors::{Element, TensorInfo},
};
use modelzoo_plugin_api::{Context, Error, Result};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    ops::Range,
};
use zip::{CompressionMethod, ZipArchive};

/// What the names of arrays end in, in the archive.
pub(super) const ENDING: &str = ".npy";

/// The longest header that is read: names of all parts of a type, which a tensor has none of, make longer ones.
const MOST_HEADER_BYTES: u64 = 64 << 10;

pub(super) fn read(file: &mut File) -> Result<Contents> {
    let length = file.metadata()?.len();
    let places = places(file, length)?;
    let (mut tensors, mut storages) = (BTreeMap::new(), Storages::new());
    for (name, place) in places {
        let wrong = || format!("its array {name}");
        let (header, start) = header(file, &place).with_context(wrong)?;
        let tensor = tensor(&header, name.clone()).with_context(wrong)?;
        storages.insert(name.clone(), start..place.end);
        tensors.insert(name, tensor);
    }
    Ok(Contents { tensors, storages })
}

/// Where the archive, of so many bytes, has each array, by its name.
fn places(file: &mut File, length: u64) -> Result<BTreeMap<String, Range<u64>>> {
    let mut archive = ZipArchive::new(file).context("its archive is damaged")?;
    let mut places = BTreeMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index)?;
        let name = entry.name()?.into_owned();
        let Some(name) = name.strip_suffix(ENDING) else {
            return Err(Error::new(format!("its {name} is no array")));
        };
        if entry.compression() != CompressionMethod::Stored {
            return Err(Error::new(format!("its array {name} is compressed"))
                .with_hint("save it with `numpy.savez`, which does not"));
        }
        let start = entry
            .data_start()
            .context("an array's place in the archive is unknown")?;
        let end = start.checked_add(entry.size()).filter(|end| *end <= length);
        let end = end.with_context(|| format!("it ends within array {name}"))?;
        places.insert(name.to_owned(), start..end);
    }
    Ok(places)
}

/// The header of the array at `place`, and where its numbers begin.
fn header(file: &mut File, place: &Range<u64>) -> Result<(String, u64)> {
    file.seek(SeekFrom::Start(place.start))?;
    let mut array = file.take(place.end - place.start);
    let mut start = [0; 8];
    array.read_exact(&mut start).context("ends within its header")?;
    let (length, before) = match start {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _] => {
            let mut length = [0; 2];
            array.read_exact(&mut length).context("ends within its header")?;
            (u64::from(u16::from_le_bytes(length)), 10)
        }
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _] => {
            let mut length = [0; 4];
            array.read_exact(&mut length).context("ends within its header")?;
            (u64::from(u32::from_le_bytes(length)), 12)
        }
        _ => return Err(Error::new("does not begin as NumPy's arrays do")),
    };
    if length > MOST_HEADER_BYTES {
        return Err(Error::new(format!("has a header of {length} bytes")));
    }
    let mut header = Vec::new();
    array.take(length).read_to_end(&mut header)?;
    let header = String::from_utf8(header).context("has a header that is no text")?;
    let start = place.start + before + length;
    if start > place.end {
        return Err(Error::new("ends within its header"));
    }
    Ok((header, start))
}

/// What a header says, which is a dictionary as Python writes it.
fn tensor(header: &str, storage: String) -> Result<TensorInfo> {
    let wrong = |key: &str| {
        format!(
            "has no {key} in its header that would be understood: {}",
            header.trim()
        )
    };
    let descr = value(header, "descr")
        .and_then(|rest| rest.strip_prefix('\''))
        .and_then(|rest| rest.split_once('\''))
        .map(|(descr, _)| descr)
        .with_context(|| wrong("type"))?;
    let element = element(descr)?;
    let is_fortran = value(header, "fortran_order")
        .and_then(|rest| match rest {
            rest if rest.starts_with("True") => Some(true),
            rest if rest.starts_with("False") => Some(false),
            _ => None,
        })
        .with_context(|| wrong("order"))?;
    let dims: Vec<usize> = value(header, "shape")
        .and_then(|rest| rest.strip_prefix('('))
        .and_then(|rest| rest.split_once(')'))
        .and_then(|(dims, _)| {
            let dims = dims.split(',').map(str::trim).filter(|dim| !dim.is_empty());
            dims.map(|dim| dim.parse().ok()).collect()
        })
        .with_context(|| wrong("shape"))?;
    Ok(TensorInfo {
        storage,
        element,
        offset: 0,
        strides: strides(&dims, is_fortran).with_context(|| wrong("shape"))?,
        dims,
    })
}

/// What follows the key of a dictionary.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}':"))?;
    Some(rest.trim_start())
}

/// The element that NumPy calls so.
fn element(descr: &str) -> Result<Element> {
    Ok(match descr {
        "<f2" => Element::F16,
        "<f4" => Element::F32,
        "<f8" => Element::F64,
        // NumPy has no name for bfloat16: JAX's programs leave two bytes of any kind.
        "|V2" | "<V2" => Element::BF16,
        "|b1" | "|i1" | "|u1" => Element::Whole(1),
        "<i2" | "<u2" => Element::Whole(2),
        "<i4" | "<u4" => Element::Whole(4),
        "<i8" | "<u8" => Element::Whole(8),
        "|O" => return Err(Error::new("has pickled objects, and no code of them is run")),
        _ => return Err(Error::new(format!("has numbers of type {descr}"))),
    })
}

/// Elements from one index to the next, for each dimension; `None` where they overflow.
fn strides(dims: &[usize], is_fortran: bool) -> Option<Vec<usize>> {
    let mut strides = vec![1; dims.len()];
    let mut next = 1usize;
    let mut set = |index: usize| {
        strides[index] = next;
        next = next.checked_mul(dims[index].max(1))?;
        Some(())
    };
    if is_fortran {
        (0..dims.len()).try_for_each(&mut set)?;
    } else {
        (0..dims.len()).rev().try_for_each(&mut set)?;
    }
    Some(strides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_in_both_orders() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }   \n";
        let read = tensor(header, "x".to_owned()).unwrap();
        assert_eq!((read.dims, read.strides), (vec![3, 2], vec![2, 1]));
        let header = header.replace("False", "True");
        assert_eq!(tensor(&header, "x".to_owned()).unwrap().strides, [1, 3]);
        let scalar = "{'descr': '<f8', 'fortran_order': False, 'shape': (), }";
        assert!(tensor(scalar, "x".to_owned()).unwrap().dims.is_empty());
    }

    #[test]
    fn what_is_no_header_of_a_tensor_is_refused() {
        for (header, text) in [
            (
                "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
                "no code of them is run",
            ),
            (
                "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }",
                "numbers of type >f4",
            ),
            (
                "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
                "no type",
            ),
            (
                "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }",
                "no order",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
                "no shape",
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4), }",
                "no shape",
            ),
            ("", "no type"),
        ] {
            let error = tensor(header, "x".to_owned()).unwrap_err().to_string();
            assert!(error.contains(text), "{header}: {error}");
        }
    }
}
