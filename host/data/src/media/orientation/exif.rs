//! EXIF's orientation.

use crate::media::ifd::{Structure, tag};

/// The value of the tag in the first directory (IFD0) of an EXIF block, with or without the prefix that it has in a
/// JPEG. What else is in the block may be damaged or missing.
pub(super) fn orientation(mut block: &[u8]) -> Option<u64> {
    while let Some(rest) = block.strip_prefix(b"Exif\0\0") {
        block = rest;
    }
    let structure = Structure::parse(block)?;
    let directory = structure.directory(structure.first()?)?;
    directory.entry(tag::ORIENTATION)?.first_unsigned()
}

/// The packet of XMP in the first directory of a TIFF.
pub(super) fn xmp_of_tiff(file: &[u8]) -> Option<&[u8]> {
    let structure = Structure::parse(file)?;
    let directory = structure.directory(structure.first()?)?;
    Some(directory.entry(tag::XMP)?.data())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_whatever_is_wrong_around_it() {
        let entry = b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let broken_neighbour = b"\x0f\x01\x02\0\xff\0\0\0\xff\xff\xff\x7f";
        let block =
            |head: &[u8], entries: &[&[u8]]| [&b"II\x2a\0\x08\0\0\0"[..], head, &entries.concat()].concat();
        for (name, block) in [
            ("no next directory", block(b"\x01\0", &[entry])),
            ("a broken neighbour", block(b"\x02\0", &[broken_neighbour, entry])),
            ("fewer entries than it says", block(b"\x09\0", &[entry])),
            (
                "a prefix, twice",
                [&b"Exif\0\0Exif\0\0"[..], &block(b"\x01\0", &[entry])].concat(),
            ),
            (
                "two values, the last counts",
                block(b"\x02\0", &[b"\x12\x01\x03\0\x01\0\0\0\x03\0\0\0", entry]),
            ),
        ] {
            assert_eq!(orientation(&block), Some(6), "{name}");
        }
        for (name, block) in [
            ("nothing", Vec::new()),
            ("no byte order", b"XX\x2a\0\x08\0\0\0\x01\0".to_vec()),
            ("a directory behind the end", b"II\x2a\0\xff\0\0\0".to_vec()),
            ("a number cut off", block(b"\x01\0", &[&entry[..11]])),
            (
                "a number as text",
                block(b"\x01\0", &[b"\x12\x01\x02\0\x01\0\0\0\x06\0\0\0"]),
            ),
        ] {
            assert_eq!(orientation(&block), None, "{name}");
        }
    }
}
