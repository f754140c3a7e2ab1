//! What a PNG file has beside its picture, and how one is mended whose picture is whole: chunks.

use super::bytes::be32;
use flate2::{Crc, read::ZlibDecoder};
use std::io::Read;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The most that a compressed text may become; more is no profile.
const MOST_TEXT: u64 = 16 << 20;

/// A chunk of a file.
#[derive(Clone, Copy, Debug)]
struct Chunk<'a> {
    name: &'a [u8; 4],
    /// Cut where the file ends.
    data: &'a [u8],
}

/// The chunks of a file up to its end, or to where it is cut.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut position = SIGNATURE.len();
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let length = usize::try_from(be32(bytes, position)?).ok()?;
        let name = bytes.get(position + 4..)?.first_chunk()?;
        let start = position + 8;
        let end = start.saturating_add(length).min(bytes.len());
        position = end.saturating_add(4);
        is_over = name == b"IEND";
        Some(Chunk {
            name,
            data: bytes.get(start..end)?,
        })
    })
}

/// Whether this is one of the files that Apple's tools make for apps: colours are swapped, and the data are not
/// compressed as in a PNG.
pub(super) fn is_of_apples_kind(bytes: &[u8]) -> bool {
    chunks(bytes).next().is_some_and(|chunk| chunk.name == b"CgBI")
}

/// A copy with nothing but the picture, with right check sums and an end, and whether the check sums of the picture
/// were right. Decoders refuse a file for a wrong number in a text, though its picture is whole; that all of its data
/// are there shows when they are decompressed.
pub(super) fn plain(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut copy = SIGNATURE.to_vec();
    let mut is_intact = true;
    for chunk in chunks(bytes) {
        if matches!(chunk.name, b"IHDR" | b"PLTE" | b"tRNS" | b"IDAT") {
            let start = copy.len();
            push_chunk(&mut copy, chunk.name, chunk.data);
            let made = &copy[start..];
            // A check sum that is cut off says nothing.
            let place = chunk.data.as_ptr() as usize - bytes.as_ptr() as usize + chunk.data.len();
            let stored = &bytes[place..bytes.len().min(place + 4)];
            is_intact &= made.ends_with(stored) || stored.len() < 4;
        }
    }
    push_chunk(&mut copy, b"IEND", &[]);
    (copy, is_intact)
}

fn push_chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    let mut check = Crc::new();
    check.update(name);
    check.update(data);
    // The data come from a chunk, so their length fits.
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(name);
    file.extend(data);
    file.extend(check.sum().to_be_bytes());
}

/// The EXIF block and the XMP packet, before or behind the picture. EXIF is in a chunk of its own, or, from before
/// there was one, as hexadecimal digits in a text.
pub(super) fn exif_and_xmp(bytes: &[u8]) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let (mut exif, mut profile, mut xmp) = (None, None, None);
    for chunk in chunks(bytes) {
        if chunk.name == b"eXIf" {
            exif = Some(chunk.data.to_vec());
        }
        match text(chunk) {
            Some((b"Raw profile type exif", text)) => profile = raw_profile(&text),
            Some((b"XML:com.adobe.xmp", text)) => xmp = Some(text),
            _ => {}
        }
    }
    (exif.or(profile), xmp)
}

/// The keyword and the text of a text chunk.
fn text(chunk: Chunk<'_>) -> Option<(&[u8], Vec<u8>)> {
    let (keyword, rest) = split_at_zero(chunk.data)?;
    let is_wanted = keyword == b"Raw profile type exif" || keyword == b"XML:com.adobe.xmp";
    let text = match chunk.name {
        _ if !is_wanted => return None,
        b"tEXt" => rest.to_vec(),
        b"zTXt" => inflate(rest.strip_prefix(b"\0")?)?,
        b"iTXt" => {
            let (&[is_compressed, _method], rest) = rest.split_first_chunk()?;
            let (_language, rest) = split_at_zero(rest)?;
            let (_translated, text) = split_at_zero(rest)?;
            match is_compressed {
                0 => text.to_vec(),
                _ => inflate(text)?,
            }
        }
        _ => return None,
    };
    Some((keyword, text))
}

fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let zero = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..zero], &bytes[zero + 1..]))
}

fn inflate(compressed: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    ZlibDecoder::new(compressed)
        .take(MOST_TEXT)
        .read_to_end(&mut text)
        .ok()?;
    Some(text)
}

/// What ImageMagick writes: a line without text, the kind, the length, and lines of hexadecimal digits.
fn raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .split(|&byte| byte == b'\n')
        .skip(3)
        .flatten()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|&byte| char::from(byte).to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut file = SIGNATURE.to_vec();
        chunks
            .iter()
            .for_each(|(name, data)| push_chunk(&mut file, name, data));
        file
    }

    #[test]
    fn profiles_are_found_in_every_kind_of_chunk() {
        let exif = |name, data| exif_and_xmp(&file(&[(b"IDAT", b"data"), (name, data), (b"IEND", b"")])).0;
        assert_eq!(exif(b"eXIf", b"MM"), Some(b"MM".to_vec()));
        assert_eq!(
            exif(b"tEXt", b"Raw profile type exif\0\nexif\n    2\n4d\n4D\n"),
            Some(b"MM".to_vec())
        );
        assert_eq!(exif(b"tEXt", b"Raw profile type exif\0\nexif\n 2\nxx\n"), None);
        assert_eq!(exif(b"tEXt", b"Comment\0\nexif\n    2\n4d4d\n"), None);
        let xmp = exif_and_xmp(&file(&[(b"iTXt", b"XML:com.adobe.xmp\0\0\0en\0\0<x/>")])).1;
        assert_eq!(xmp, Some(b"<x/>".to_vec()));
    }

    #[test]
    fn a_chunk_of_its_own_goes_before_a_text() {
        let text = (b"tEXt", &b"Raw profile type exif\0\nexif\n 1\n4d\n"[..]);
        let bytes = file(&[(b"eXIf", b"II"), text]);
        assert_eq!(exif_and_xmp(&bytes).0, Some(b"II".to_vec()));
    }

    #[test]
    fn a_plain_copy_has_the_picture_and_an_end() {
        let whole = file(&[(b"IHDR", b"head"), (b"IDAT", b"data"), (b"IEND", b"")]);
        let no_end = file(&[(b"IHDR", b"head"), (b"tEXt", b"a\0b"), (b"IDAT", b"data")]);
        assert_eq!(plain(&no_end), (whole.clone(), true));
        // Even the last check sum may be cut.
        assert_eq!(plain(&no_end[..no_end.len() - 2]), (whole.clone(), true));
        let mut damaged = no_end.clone();
        *damaged.last_mut().expect("bytes") ^= 1;
        assert_eq!(plain(&damaged), (whole, false));
    }
}
