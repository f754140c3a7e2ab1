//! A JPEG's segments, as far as they matter beside the decoder: what cameras wrote into them, where the picture ends,
//! and a copy without those that a decoder stumbles over. ITU-T T.81, annex B.

use crate::media::bytes::be16;

/// Start of image.
pub(super) const SOI: u8 = 0xd8;
/// End of image.
const EOI: u8 = 0xd9;
/// Start of scan: entropy-coded data follow the segment.
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
/// EXIF and XMP.
const APP1: u8 = 0xe1;
/// Adobe's segment, which says how colours are stored.
const APP14: u8 = 0xee;

/// A marker, with what is in its segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    /// The marker's second byte; the first is always FF.
    pub marker: u8,
    /// What follows the length, cut where the file ends.
    pub data: &'a [u8],
    /// Where the marker begins.
    start: usize,
    /// Whether the file ends before the segment does.
    is_cut: bool,
}

/// The markers of the first picture in a file, one after the other. Whatever lies between two of them is passed over:
/// junk, fill bytes, and the data of scans, in which FF is always followed by 00 or a restart marker.
#[derive(Clone, Debug)]
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Segments<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Those before the first scan, which decide how the picture is decoded.
    pub(super) fn of_header(bytes: &'a [u8]) -> impl Iterator<Item = Segment<'a>> {
        Self::new(bytes).take_while(|segment| !matches!(segment.marker, SOS | EOI))
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        loop {
            let rest = self.bytes.get(self.position..)?;
            let start = self.position + rest.iter().position(|&byte| byte == 0xff)?;
            let marker = *self.bytes.get(start + 1)?;
            match marker {
                // Fill bytes may come before a marker.
                0xff => self.position = start + 1,
                // Data, a restart within a scan, or nothing at all: they have no segment.
                0x00 | 0x01 | 0xd0..=0xd7 => self.position = start + 2,
                SOI | EOI => {
                    self.position = if marker == EOI {
                        self.bytes.len()
                    } else {
                        start + 2
                    };
                    return Some(Segment {
                        marker,
                        data: &[],
                        start,
                        is_cut: false,
                    });
                }
                _ => {
                    let length = usize::from(be16(self.bytes, start + 2)?).max(2);
                    let end = start + 2 + length;
                    self.position = end;
                    let data = &self.bytes[start + 4..end.clamp(start + 4, self.bytes.len())];
                    return Some(Segment {
                        marker,
                        data,
                        start,
                        is_cut: end > self.bytes.len(),
                    });
                }
            }
        }
    }
}

/// Whether the picture's end marker is there. What follows it (previews, a video, a second picture) says nothing.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    Segments::new(bytes).any(|segment| segment.marker == EOI)
}

/// How many kinds of samples a pixel has, where a frame header says so.
pub(super) fn num_components(bytes: &[u8]) -> Option<u8> {
    Segments::of_header(bytes)
        .find(|segment| is_frame_header(segment.marker))
        .and_then(|segment| segment.data.get(5).copied())
}

/// The first EXIF block, and the last XMP packet: Pillow's choice.
pub(in crate::media) fn exif_and_xmp(bytes: &[u8]) -> (Option<&[u8]>, Option<&[u8]>) {
    let (mut exif, mut xmp) = (None, None);
    for segment in Segments::of_header(bytes).filter(|segment| segment.marker == APP1) {
        if let Some(block) = segment.data.strip_prefix(b"Exif\0\0") {
            exif = exif.or(Some(block));
        } else if let Some(packet) = segment.data.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
            xmp = Some(packet);
        }
    }
    (exif, xmp)
}

/// A copy with the same pixels, and nothing else before its first scan: no junk between segments, no profile, no
/// thumbnail, and no version or code that a decoder would warn of.
pub(super) fn plain(bytes: &[u8]) -> Vec<u8> {
    let num_components = num_components(bytes).unwrap_or_default();
    let mut copy = Vec::with_capacity(bytes.len());
    for segment in Segments::new(bytes) {
        match segment.marker {
            SOI if copy.is_empty() => copy.extend([0xff, SOI]),
            SOI => {}
            SOS | EOI => {
                copy.extend(&bytes[segment.start..]);
                break;
            }
            APP0 if segment.data.starts_with(b"JFIF\0") => {
                push_segment(&mut copy, APP0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
            }
            APP14 if segment.data.starts_with(b"Adobe") && segment.data.len() >= 12 => {
                let mut data = segment.data.to_vec();
                // Other codes are read as the colours that are usual for so many components.
                data[11] = match (num_components, data[11]) {
                    (3, 0) | (4, 0) => 0,
                    (4, _) => 2,
                    _ => 1,
                };
                push_segment(&mut copy, APP14, &data);
            }
            // Other applications' data and comments.
            0xe0..=0xef | 0xfe => {}
            _ if segment.is_cut => break,
            marker => push_segment(&mut copy, marker, segment.data),
        }
    }
    copy
}

/// How the colours of a JPEG within another file are stored; the file says it, not the JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) enum StoredColors {
    /// As light and two colours, to be turned into RGB.
    YCbCr,
    /// Whatever they are, they stay so.
    AsTheyAre,
}

/// A JPEG of its own, of one without tables and of the tables that another has for it. Adobe's segment makes the
/// decoder take its colours for what they are.
pub(in crate::media) fn with_tables(tables: &[u8], data: &[u8], colors: StoredColors) -> Vec<u8> {
    let mut stream = vec![0xff, SOI];
    let mut adobe = *b"Adobe\0\x64\0\0\0\0\0";
    adobe[11] = u8::from(colors == StoredColors::YCbCr);
    push_segment(&mut stream, APP14, &adobe);
    for segment in Segments::of_header(tables).chain(Segments::of_header(data)) {
        if !matches!(segment.marker, SOI | 0xe0..=0xef | 0xfe) && !segment.is_cut {
            push_segment(&mut stream, segment.marker, segment.data);
        }
    }
    if let Some(scan) = Segments::new(data).find(|segment| segment.marker == SOS) {
        stream.extend(&data[scan.start..]);
    }
    stream
}

/// Appends a segment. Data come from a segment, so their length fits.
pub(super) fn push_segment(stream: &mut Vec<u8>, marker: u8, data: &[u8]) {
    let length = (data.len() as u16).saturating_add(2);
    stream.extend([0xff, marker]);
    stream.extend(length.to_be_bytes());
    stream.extend(data);
}

/// Whether a marker is one of SOF0 to SOF15; DHT, JPG and DAC lie between them.
fn is_frame_header(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_that_of_the_first_picture() {
        let scan = b"\xff\xd8\xff\xda\0\x04ab\x01\xff\0\x02\xff\xd3\x03";
        assert!(!has_end(scan));
        let whole = [&scan[..], b"junk\xff\xd9"].concat();
        assert!(has_end(&whole));
        assert!(has_end(&[&whole[..], &scan[..]].concat()));
        // The marker within a segment that is cut is not one.
        assert!(!has_end(b"\xff\xd8\xff\xe1\0\x20\xff\xd9"));
        assert!(!has_end(b""));
    }

    #[test]
    fn a_plain_copy_keeps_what_the_pixels_need() {
        let mut picture = vec![0xff, 0xd8];
        push_segment(&mut picture, 0xe0, b"JFIF\0\x09\x02\0\0\x48\0\x48\0\0");
        push_segment(&mut picture, 0xe2, b"ICC_PROFILE\0\0\0");
        picture.extend(b"junk\xff\xff");
        push_segment(&mut picture, 0xdb, b"table");
        push_segment(&mut picture, 0xc0, b"\x08\0\x01\0\x01\x03");
        push_segment(&mut picture, 0xee, b"Adobe\0\0\0\0\0\0\x07");
        picture.extend(b"\xff\xda\0\x02data\xff\xd9more");
        let copy = plain(&picture);
        let found: Vec<(u8, &[u8])> = Segments::of_header(&copy)
            .map(|it| (it.marker, it.data))
            .collect();
        assert_eq!(
            found,
            [
                (0xd8, &b""[..]),
                (0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
                (0xdb, b"table"),
                (0xc0, b"\x08\0\x01\0\x01\x03"),
                (0xee, b"Adobe\0\0\0\0\0\0\x01"),
            ]
        );
        assert!(copy.ends_with(b"\xff\xda\0\x02data\xff\xd9more"));
    }
}
