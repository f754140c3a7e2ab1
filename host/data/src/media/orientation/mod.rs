//! Which way up a picture is.
//!
//! Cameras write it into EXIF, editors into XMP, and both where they like. As in Pillow, the first EXIF block decides,
//! and XMP where EXIF has no word about it; like there and in browsers, what is damaged around the one number does not
//! matter.

mod exif;
mod xmp;

use super::{format::ImageFormat, jpeg, png, webp};
use image::metadata::Orientation;

/// How the picture of a file must be turned to be upright.
pub(super) fn of_file(bytes: &[u8], format: ImageFormat) -> Orientation {
    match format {
        ImageFormat::Jpeg => {
            let (exif, xmp) = jpeg::exif_and_xmp(bytes);
            decide(exif, xmp)
        }
        ImageFormat::Png => {
            let (exif, xmp) = png::exif_and_xmp(bytes);
            decide(exif.as_deref(), xmp.as_deref())
        }
        ImageFormat::WebP => {
            let (exif, xmp) = webp::exif_and_xmp(bytes);
            decide(exif, xmp)
        }
        // The file itself is built as EXIF is.
        ImageFormat::Tiff => decide(Some(bytes), exif::xmp_of_tiff(bytes)),
        // JPEG XL, HEIC and AVIF have an orientation of their own, beside which EXIF's does not count; it is the decoder
        // who turns them.
        ImageFormat::Gif
        | ImageFormat::Bmp
        | ImageFormat::Jpeg2000
        | ImageFormat::JpegXl
        | ImageFormat::Heic
        | ImageFormat::Avif => Orientation::NoTransforms,
    }
}

fn decide(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Orientation {
    exif.and_then(exif::orientation)
        .or_else(|| xmp.and_then(xmp::orientation))
        .and_then(|value| Orientation::from_exif(u8::try_from(value).ok()?))
        .unwrap_or(Orientation::NoTransforms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHTED_IN_XMP: &[u8] = br#"<rdf:Description tiff:Orientation="6"/>"#;

    #[test]
    fn a_tiff_may_say_it_in_xmp() {
        let length = RIGHTED_IN_XMP.len() as u32;
        let entry = [
            &b"\xbc\x02\x01\0"[..],
            &length.to_le_bytes(),
            &26_u32.to_le_bytes(),
        ]
        .concat();
        let file = [
            &b"II\x2a\0\x08\0\0\0\x01\0"[..],
            &entry,
            b"\0\0\0\0",
            RIGHTED_IN_XMP,
        ]
        .concat();
        assert_eq!(of_file(&file, ImageFormat::Tiff), Orientation::Rotate90);
    }

    #[test]
    fn xmp_speaks_where_exif_says_nothing() {
        let exif = |value: u8| {
            [
                &b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..],
                &[value, 0, 0],
            ]
            .concat()
        };
        assert_eq!(decide(None, Some(RIGHTED_IN_XMP)), Orientation::Rotate90);
        assert_eq!(
            decide(Some(b"MM\0\x2a\0\0\0\x08\0\0"), Some(RIGHTED_IN_XMP)),
            Orientation::Rotate90
        );
        assert_eq!(
            decide(Some(&exif(3)), Some(RIGHTED_IN_XMP)),
            Orientation::Rotate180
        );
        // A word without a meaning is a word.
        assert_eq!(
            decide(Some(&exif(0)), Some(RIGHTED_IN_XMP)),
            Orientation::NoTransforms
        );
        assert_eq!(decide(None, None), Orientation::NoTransforms);
    }
}
