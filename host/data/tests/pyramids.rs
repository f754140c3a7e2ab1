//! TIFF files that have smaller versions of their picture: a version is taken where the picture has too many pixels.

use modelzoo_data::media::{DecodeError, Decoded, Decoder};
use std::path::Path;

fn decode(name: &str, max_pixels: u64) -> Result<Decoded, DecodeError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pyramids")
        .join(name);
    let decoder = Decoder::default().with_max_pixels(max_pixels);
    decoder.decode_path(path).map_err(|error| error.reason)
}

#[test]
fn the_greatest_version_is_taken_that_is_small_enough() {
    for name in ["named.tif", "in_a_row.tif", "slide.tif"] {
        for (max_pixels, size, grey) in [
            (60_000, (300, 200), 50),
            (59_999, (150, 100), 100),
            (14_999, (75, 50), 150),
            (1_000, (37, 25), 200),
        ] {
            let decoded = decode(name, max_pixels).unwrap();
            assert_eq!(decoded.image.size(), size, "{name}, {max_pixels}");
            assert_eq!(decoded.image.pixel(0, 0), [grey; 3], "{name}, {max_pixels}");
            let metadata = decoded.metadata;
            assert_eq!(
                (metadata.width, metadata.height),
                (300, 200),
                "the facts are the file's"
            );
            let warning = (size.0 < 300).then(|| {
                format!(
                    "300x200 pixels are more than the limit of {max_pixels} pixels: its own smaller version of \
                     {}x{} is taken",
                    size.0, size.1
                )
            });
            assert_eq!(decoded.warning, warning);
        }
    }
}

#[test]
fn what_has_no_version_that_is_small_enough_is_refused() {
    for (name, max_pixels) in [("pages.tif", 59_999), ("named.tif", 900), ("slide.tif", 900)] {
        let refused = matches!(
            decode(name, max_pixels),
            Err(DecodeError::TooLarge {
                width: 300,
                height: 200,
                ..
            })
        );
        assert!(refused, "{name}");
    }
}
