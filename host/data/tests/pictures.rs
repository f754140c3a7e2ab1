//! Every kind of picture decodes to exactly what Pillow gives (`images/generate.py` made the files and the hashes).

mod pillow;

use modelzoo_data::media::{DecodeError, Decoder, PixelBlock, PixelMemory, RgbImage};
use pillow::Pictures;
use proptest::prelude::*;
use std::path::Path;

const PICTURES: Pictures = Pictures("images");

#[test]
fn pixels_and_facts_are_those_of_pillow() {
    PICTURES.assert_equal();
}

fn decode(bytes: &[u8]) -> Result<RgbImage, DecodeError> {
    Decoder::default()
        .decode_bytes(bytes)
        .map(|decoded| decoded.image)
}

#[test]
fn metadata_alone_equals_that_of_a_full_decode() {
    PICTURES.assert_facts_alone_are_equal();
}

#[test]
fn a_file_that_ends_early_is_an_error_in_every_format() {
    // The first frame of the animation is whole before the file's middle.
    for name in PICTURES.expected().keys().filter(|name| *name != "animated.gif") {
        let bytes = PICTURES.read(name);
        for kept in [bytes.len() / 3, bytes.len() / 2, bytes.len() * 9 / 10] {
            let error = decode(&bytes[..kept]).expect_err(&format!("{name} cut to {kept} bytes"));
            assert!(
                matches!(error, DecodeError::Truncated { .. } | DecodeError::Corrupt { .. }),
                "{name} cut to {kept} of {} bytes: {error}",
                bytes.len()
            );
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}

#[test]
fn a_truncated_jpeg_says_so() {
    let bytes = PICTURES.read("rgb_420.jpg");
    // Pillow too refuses a JPEG that lacks nothing but its end marker.
    for kept in [3, 200, bytes.len() / 2, bytes.len() - 2] {
        let error = decode(&bytes[..kept]).expect_err("truncated");
        assert!(
            matches!(error, DecodeError::Truncated { .. }),
            "{kept} bytes: {error}"
        );
    }
    let error = decode(&bytes[..1000]).expect_err("truncated");
    assert_eq!(
        error.to_string(),
        "the JPEG data is truncated: it ends after 1000 bytes, before the picture does"
    );
}

#[test]
fn a_jpeg_damaged_in_the_middle_is_decoded_with_a_warning() {
    let mut bytes = PICTURES.read("rgb_444.jpg");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40].copy_from_slice(&std::array::from_fn::<u8, 40, _>(|i| i as u8));
    let decoded = Decoder::default()
        .decode_bytes(&bytes)
        .expect("Pillow decodes it too");
    assert_eq!(decoded.image.size(), (93, 61));
    let warning = decoded.warning.expect("damage is reported");
    assert!(warning.contains("damaged"), "{warning}");

    bytes.truncate(bytes.len() - 30);
    assert!(
        matches!(decode(&bytes), Err(DecodeError::Truncated { .. })),
        "damaged and cut"
    );
}

#[test]
fn what_is_no_picture_is_refused_whatever_its_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("notes.jpg");
    let refusal = |content: &[u8]| {
        std::fs::write(&path, content).expect("writable");
        let message = Decoder::default()
            .decode_path(&path)
            .expect_err("no picture")
            .to_string();
        message
            .strip_prefix(&format!("{}: ", path.display()))
            .expect("begins with the path")
            .to_owned()
    };
    assert_eq!(refusal(b"just some text\n"), "not a picture: the content is text");
    assert_eq!(refusal(b""), "the file is empty (0 bytes)");

    let missing = Decoder::default()
        .decode_path(folder.path().join("gone.png"))
        .expect_err("missing");
    assert!(matches!(missing.reason, DecodeError::NotFound));
    let directory = Decoder::default()
        .decode_path(folder.path())
        .expect_err("a folder");
    assert!(matches!(directory.reason, DecodeError::IsFolder));
    let mut jbig = PICTURES.read("rgb.tiff");
    let compression = jbig
        .windows(4)
        .position(|entry| entry == [3, 1, 3, 0])
        .expect("it says its compression");
    jbig[compression + 8..compression + 10].copy_from_slice(&34661_u16.to_le_bytes());
    let error = decode(&jbig).expect_err("not decoded");
    assert_eq!(
        error.to_string(),
        "TIFF pictures with JBIG compression are not supported; convert the file to JPEG, PNG or WebP"
    );
}

#[test]
fn a_header_that_claims_too_many_pixels_is_refused() {
    let claim = |name: &str, offset: usize, size: [u8; 4]| {
        let mut bytes = PICTURES.read(name);
        bytes[offset..offset + 4].copy_from_slice(&size);
        bytes
    };
    let png = PICTURES.read("rgb.png");
    let mut header = png[12..29].to_vec();
    header[4..12].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let mut bomb = png.clone();
    bomb[12..29].copy_from_slice(&header);
    bomb[29..33].copy_from_slice(&crc32(&header).to_be_bytes());

    let jpeg = PICTURES.read("rgb_420.jpg");
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .expect("a baseline frame header");
    for bytes in [bomb, claim("rgb_420.jpg", frame + 5, [0x75, 0x30, 0x75, 0x30])] {
        let error = decode(&bytes).expect_err("too large");
        assert_eq!(
            error.to_string(),
            "30000x30000 pixels are more than the limit of 178956970 pixels"
        );
    }
    let limited = Decoder::default()
        .with_max_pixels(93 * 61 - 1)
        .decode_bytes(&jpeg)
        .expect_err("over the limit");
    assert!(matches!(
        limited,
        DecodeError::TooLarge {
            width: 93,
            height: 61,
            ..
        }
    ));
    assert!(
        Decoder::default()
            .with_max_pixels(93 * 61)
            .decode_bytes(&jpeg)
            .is_ok()
    );
}

/// Memory in which something else lay before.
struct Used;

impl PixelMemory for Used {
    fn take(&self, bytes: usize) -> Option<Box<dyn PixelBlock>> {
        Some(Box::new(vec![0xab; bytes]))
    }
}

#[test]
fn pixels_are_the_same_wherever_they_are_decoded_to() {
    for name in PICTURES.expected().keys() {
        let bytes = PICTURES.read(name);
        let decoded = Decoder::default().decode_named_into(Path::new(name), &bytes, &Used);
        assert_eq!(decoded.expect(name).image, decode(&bytes).expect(name), "{name}");
    }
}

/// PNG's checksum of a chunk.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1))
        })
    })
}

proptest! {
    /// Whatever happens to a file's bytes, there is a whole picture or an error, never a panic; and nothing that was in the
    /// memory before.
    #[test]
    fn damage_never_panics(
        file in 0..50usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        kept in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let names: Vec<_> = PICTURES.expected().into_keys().collect();
        let mut bytes = PICTURES.read(&names[file % names.len()]);
        for (position, value) in changes {
            let position = position.index(bytes.len());
            bytes[position] = value;
        }
        if let Some(kept) = kept {
            bytes.truncate(kept.index(bytes.len()));
        }
        // A small limit keeps a damaged header from asking for gigabytes.
        if let Ok(decoded) = Decoder::default().with_max_pixels(1_000_000).decode_bytes(&bytes) {
            let (width, height) = decoded.image.size();
            prop_assert_eq!(decoded.image.data().len(), width as usize * height as usize * 3);
            let into_used = Decoder::default().decode_named_into(Path::new("damaged"), &bytes, &Used);
            prop_assert_eq!(into_used.expect("it can be decoded").image, decoded.image);
        }
    }
}
