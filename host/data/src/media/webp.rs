//! What lies beside the picture in a WebP file: chunks of RIFF.

use super::bytes::le32;

/// The file's header, and `VP8X` with its flags.
const FIRST_CHUNK: usize = 12;
const HAS_XMP: u8 = 0x04;
const HAS_EXIF: u8 = 0x08;

/// The EXIF block and the XMP packet, where the file says that it has them.
pub(super) fn exif_and_xmp(bytes: &[u8]) -> (Option<&[u8]>, Option<&[u8]>) {
    let flags = match chunks(bytes).next() {
        Some((b"VP8X", data)) => data.first().copied().unwrap_or_default(),
        _ => 0,
    };
    let chunk = |flag: u8, name: &[u8; 4]| {
        let mut all = chunks(bytes).filter(|_| flags & flag != 0);
        all.find(|(found, _)| *found == name).map(|(_, data)| data)
    };
    (chunk(HAS_EXIF, b"EXIF"), chunk(HAS_XMP, b"XMP "))
}

/// Names and contents, the last one cut where the file ends.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut position = FIRST_CHUNK;
    std::iter::from_fn(move || {
        let name = bytes.get(position..)?.first_chunk()?;
        let length = usize::try_from(le32(bytes, position + 4)?).ok()?;
        let start = position + 8;
        let end = start.saturating_add(length).min(bytes.len());
        // Contents of an odd length are padded.
        position = end + (length & 1);
        Some((name, bytes.get(start..end)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_where_the_flags_promise_them() {
        let file = |flags: u8| {
            [
                &b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0"[..],
                &[flags, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                b"EXIF\x03\0\0\0abc\0XMP \xff\0\0\0xmp",
            ]
            .concat()
        };
        assert_eq!(exif_and_xmp(&file(0x0c)), (Some(&b"abc"[..]), Some(&b"xmp"[..])));
        assert_eq!(exif_and_xmp(&file(0x04)), (None, Some(&b"xmp"[..])));
        assert_eq!(exif_and_xmp(b"RIFF\0\0\0\0WEBPVP8 \x01"), (None, None));
        assert_eq!(exif_and_xmp(b""), (None, None));
    }
}
