//! HEIC and AVIF decode to exactly what Pillow gives (`tests/importers/coded_pictures.py` made the files and the hashes),
//! and damaged ones to an error.

mod pillow;

use modelzoo_data::media::{DecodeError, Decoder};
use pillow::Pictures;
use proptest::prelude::*;

const PICTURES: Pictures = Pictures("coded_pictures");

#[test]
fn pixels_and_facts_are_those_of_pillow() {
    PICTURES.assert_equal();
    PICTURES.assert_facts_alone_are_equal();
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error() {
    for name in ["rgb.avif", "rgba.heic", "grid.heic"] {
        let bytes = PICTURES.read(name);
        for kept in (1..bytes.len()).step_by(3) {
            let error = Decoder::default()
                .decode_bytes(&bytes[..kept])
                .expect_err(&format!("{name} cut to {kept} bytes"));
            let is_known = match error {
                DecodeError::Truncated { .. } | DecodeError::Corrupt { .. } => true,
                // Without its first box, nobody knows what it is.
                DecodeError::NotAnImage { .. } => kept < 12,
                _ => false,
            };
            assert!(is_known, "{name} cut to {kept} bytes: {error}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}

#[test]
fn coded_data_that_are_damaged_are_told() {
    let mut bytes = PICTURES.read("grid.heic");
    let length = bytes.len();
    for byte in &mut bytes[length - 600..length - 300] {
        *byte ^= 0x5a;
    }
    match Decoder::default().decode_bytes(&bytes) {
        Ok(decoded) => {
            let warning = decoded.warning.expect("damage is told");
            assert!(warning.contains("the HEIC data is damaged"), "{warning}");
        }
        Err(error) => assert!(matches!(error, DecodeError::Corrupt { .. }), "{error}"),
    }
}

#[test]
fn the_limit_on_pixels_is_kept() {
    for (name, pixels) in [("rgb.avif", 40 * 28), ("grid.heic", 130 * 70)] {
        let decode = |most| {
            Decoder::default()
                .with_max_pixels(most)
                .decode_bytes(&PICTURES.read(name))
        };
        assert!(
            matches!(decode(pixels - 1), Err(DecodeError::TooLarge { .. })),
            "{name}"
        );
        assert!(decode(pixels).is_ok(), "{name}");
    }
}

proptest! {
    /// Whatever happens to the boxes, there are facts or an error of one line, never a panic.
    #[test]
    fn damaged_boxes_never_panic(
        file in 0..50usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        kept in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let names: Vec<_> = PICTURES.expected().into_keys().collect();
        let mut bytes = PICTURES.read(&names[file % names.len()]);
        // Beyond the boxes there are coded data alone.
        let boxes = bytes.len().min(700);
        for (position, value) in changes {
            bytes[position.index(boxes)] = value;
        }
        if let Some(kept) = kept {
            bytes.truncate(kept.index(bytes.len()));
        }
        match Decoder::default().read_metadata_bytes(&bytes) {
            Ok(facts) => prop_assert!(facts.width > 0 && facts.height > 0),
            Err(DecodeError::Fault { fault, .. }) => prop_assert!(false, "{}", fault),
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever happens to a file, there is a whole picture or an error.
    #[test]
    fn damage_costs_the_picture_alone(
        file in 0..50usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let names: Vec<_> = PICTURES.expected().into_keys().collect();
        let mut bytes = PICTURES.read(&names[file % names.len()]);
        for (position, value) in changes {
            let position = position.index(bytes.len());
            bytes[position] = value;
        }
        match Decoder::default().with_max_pixels(1_000_000).decode_bytes(&bytes) {
            Ok(decoded) => prop_assert_eq!(decoded.image.size(), (decoded.metadata.width, decoded.metadata.height)),
            Err(DecodeError::Fault { fault, .. }) => prop_assert!(false, "{}", fault),
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
        }
    }
}
