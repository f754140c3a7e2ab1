//! Which format a file's first bytes are of.

use super::{bytes::be32, error::DecodeError};

/// The picture formats that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageFormat {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG; of an animation the default image.
    Png,
    /// WebP, lossy or lossless; of an animation the first frame.
    WebP,
    /// GIF, the first frame.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF and BigTIFF, the first page.
    Tiff,
    /// JPEG 2000: a file (JP2) or a bare code stream.
    Jpeg2000,
    /// JPEG XL; of an animation the first frame.
    JpegXl,
    /// HEIC, and any other picture in HEIF that is not AVIF: of a sequence the still picture.
    Heic,
    /// AVIF; of a sequence the still picture.
    Avif,
}

impl ImageFormat {
    /// File endings of the formats, lower case, without the dot. They say which files of a folder are taken for
    /// pictures; what a file really is, its content says.
    pub const EXTENSIONS: [&str; 24] = [
        "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "webp", "gif", "bmp", "dib", "tif", "tiff", "jp2", "j2k",
        "j2c", "jpc", "jpf", "jpx", "jxl", "heic", "heif", "hif", "avif", "avifs",
    ];

    /// Finds the format from a file's content.
    pub fn detect(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Err(DecodeError::Empty);
        }
        if let Some(format) = of_brand(bytes) {
            return Ok(format);
        }
        // BigTIFF, which differs in its third byte.
        if bytes.starts_with(b"II\x2b\0") || bytes.starts_with(b"MM\0\x2b") {
            return Ok(Self::Tiff);
        }
        if bytes.starts_with(b"\x00\x00\x00\x0cJXL ") || bytes.starts_with(b"\xff\x0a") {
            return Ok(Self::JpegXl);
        }
        if bytes.starts_with(b"\x00\x00\x00\x0cjP  ") || bytes.starts_with(b"\xff\x4f\xff\x51") {
            return Ok(Self::Jpeg2000);
        }
        match image::guess_format(bytes) {
            Ok(image::ImageFormat::Jpeg) => Ok(Self::Jpeg),
            Ok(image::ImageFormat::Png) => Ok(Self::Png),
            Ok(image::ImageFormat::WebP) => Ok(Self::WebP),
            Ok(image::ImageFormat::Gif) => Ok(Self::Gif),
            Ok(image::ImageFormat::Bmp) => Ok(Self::Bmp),
            Ok(image::ImageFormat::Tiff) => Ok(Self::Tiff),
            Ok(other) => Err(DecodeError::unsupported(match other.extensions_str() {
                [name, ..] => format!("{} pictures", name.to_uppercase()),
                [] => "pictures of this format".to_owned(),
            })),
            Err(_) => Err(DecodeError::NotAnImage {
                looks_like: describe(bytes),
            }),
        }
    }

    /// The registered media type.
    pub fn mime_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Jpeg2000 => "image/jp2",
            Self::JpegXl => "image/jxl",
            Self::Heic => "image/heic",
            Self::Avif => "image/avif",
        }
    }

    /// The format's usual name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Jpeg2000 => "JPEG 2000",
            Self::JpegXl => "JPEG XL",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
        }
    }
}

/// The format of a file in ISO's base media format, by its brand, where that is one of pictures.
fn of_brand(bytes: &[u8]) -> Option<ImageFormat> {
    let brand = (bytes.get(4..8) == Some(b"ftyp"))
        .then(|| bytes.get(8..12))
        .flatten();
    match brand? {
        b"avif" | b"avis" => Some(ImageFormat::Avif),
        // The general brands are used by both.
        b"mif1" | b"msf1" | b"miaf" if names_brand(bytes, b"avif") => Some(ImageFormat::Avif),
        b"mif1" | b"msf1" | b"miaf" => Some(ImageFormat::Heic),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Some(ImageFormat::Heic)
        }
        _ => None,
    }
}

/// Whether a brand is among those that a file says it can be read as.
fn names_brand(bytes: &[u8], brand: &[u8; 4]) -> bool {
    let length = be32(bytes, 0).map_or(0, |length| length as usize);
    let brands = bytes.get(16..length.min(bytes.len())).unwrap_or_default();
    brands.as_chunks().0.contains(brand)
}

/// What content that is no picture looks like, in a few words.
fn describe(bytes: &[u8]) -> &'static str {
    const INSPECTED: usize = 512;
    let head = &bytes[..bytes.len().min(INSPECTED)];
    let first = head.trim_ascii_start();
    let starts_with_tag =
        |tag: &[u8]| first.len() >= tag.len() && first[..tag.len()].eq_ignore_ascii_case(tag);
    if head.iter().all(|&byte| byte == 0) {
        "nothing but zero bytes"
    } else if starts_with_tag(b"<svg") {
        "an SVG drawing"
    } else if starts_with_tag(b"<!doctype html") || starts_with_tag(b"<html") {
        "an HTML page"
    } else if bytes.starts_with(b"version https://git-lfs") {
        "a Git LFS pointer; run `git lfs pull` to get the picture"
    } else if bytes.starts_with(b"%PDF") {
        "a PDF document"
    } else if bytes.starts_with(b"SQLite format 3\0") {
        "an SQLite database"
    } else if bytes.starts_with(b"PK\x03\x04") {
        "a ZIP archive"
    } else if bytes.starts_with(b"\x1f\x8b") {
        "a gzip archive"
    } else if bytes.get(4..8) == Some(b"ftyp") || bytes.starts_with(b"\x1a\x45\xdf\xa3") {
        "a video"
    } else if is_text(head) {
        "text"
    } else {
        "unknown binary data"
    }
}

/// Whether the bytes are UTF-8 text, possibly cut in the middle of a character.
fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty() && valid.chars().all(|c| !c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks_like(bytes: &[u8]) -> &'static str {
        match ImageFormat::detect(bytes) {
            Err(DecodeError::NotAnImage { looks_like }) => looks_like,
            other => panic!("expected NotAnImage, got {other:?}"),
        }
    }

    #[test]
    fn content_decides_and_not_the_name() {
        assert_eq!(
            ImageFormat::detect(b"\xff\xd8\xff\xe0").expect("JPEG"),
            ImageFormat::Jpeg
        );
        assert_eq!(
            ImageFormat::detect(b"\x89PNG\r\n\x1a\n").expect("PNG"),
            ImageFormat::Png
        );
        assert_eq!(ImageFormat::detect(b"GIF89a").expect("GIF"), ImageFormat::Gif);
        assert!(matches!(ImageFormat::detect(b""), Err(DecodeError::Empty)));
    }

    #[test]
    fn what_is_no_picture_is_described() {
        assert_eq!(looks_like(b"just some words\n"), "text");
        assert_eq!(looks_like("käse".as_bytes().split_at(2).0), "text");
        assert_eq!(looks_like(b"  <!DOCTYPE html><html>"), "an HTML page");
        assert_eq!(
            looks_like(b"version https://git-lfs.github.com/spec/v1\n")
                .split(';')
                .next(),
            Some("a Git LFS pointer")
        );
        assert_eq!(looks_like(&[0; 64]), "nothing but zero bytes");
        assert_eq!(looks_like(&[1, 2, 3, 0xfe]), "unknown binary data");
        assert_eq!(looks_like(b"\x00\x00\x00\x20ftypisom"), "a video");
        assert_eq!(looks_like(b"SQLite format 3\0\x10\0"), "an SQLite database");
        assert_eq!(looks_like(b"PK\x03\x04\x14\0\xff"), "a ZIP archive");
        assert_eq!(looks_like(b"\x1f\x8b\x08\0\xff"), "a gzip archive");
    }

    #[test]
    fn brands_tell_heic_and_avif_apart() {
        for (bytes, format) in [
            (&b"\x00\x00\x00\x1cftypheic"[..], ImageFormat::Heic),
            (b"\x00\x00\x00\x1cftypheim", ImageFormat::Heic),
            (b"\x00\x00\x00\x1cftypmif1\0\0\0\0mif1heic", ImageFormat::Heic),
            (b"\x00\x00\x00\x1cftypmif1\0\0\0\0mif1avif", ImageFormat::Avif),
            (b"\x00\x00\x00\x1cftypavif", ImageFormat::Avif),
        ] {
            assert_eq!(ImageFormat::detect(bytes).expect("a picture"), format);
        }
    }

    #[test]
    fn formats_that_are_not_decoded_are_named() {
        let error = ImageFormat::detect(b"\x00\x00\x01\0\x01\0").expect_err("not decodable");
        assert!(error.to_string().contains("ICO"), "{error}");
    }
}
