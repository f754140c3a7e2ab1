//! Files from the wild, of kinds that are often refused or read wrongly: each gives the size, the mean colour and the
//! corners that `expected.json` beside it names, or exactly that error.

use modelzoo_data::media::{Decoder, RgbImage};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Error(String),
    Picture(Picture),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Picture {
    width: u32,
    height: u32,
    /// The mean of each colour, rounded down, as `#rrggbb`.
    given: Option<String>,
    corners: Option<BTreeMap<String, [u8; 3]>>,
    /// How the file says that it is turned.
    #[serde(rename = "turned")]
    _turned: Option<String>,
}

fn mean(image: &RgbImage) -> String {
    let sums = image.data().chunks_exact(3).fold([0_u64; 3], |sums, pixel| {
        std::array::from_fn(|channel| sums[channel] + u64::from(pixel[channel]))
    });
    let pixels = u64::from(image.width()) * u64::from(image.height());
    let [red, green, blue] = sums.map(|sum| sum / pixels);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn corner(image: &RgbImage, name: &str) -> [u8; 3] {
    let (right, bottom) = (image.width() - 1, image.height() - 1);
    match name {
        "top_left" => image.pixel(0, 0),
        "top_right" => image.pixel(right, 0),
        "bottom_left" => image.pixel(0, bottom),
        "bottom_right" => image.pixel(right, bottom),
        other => panic!("there is no corner {other}"),
    }
}

/// What is not as expected.
fn differences(path: &Path, expected: &Expected) -> Vec<String> {
    let decoded = Decoder::default().decode_path(path);
    let expected = match (expected, &decoded) {
        (Expected::Error(expected), Err(error)) if error.reason.to_string() == *expected => {
            return Vec::new();
        }
        (Expected::Error(expected), other) => return vec![format!("{other:?}, not the error {expected}")],
        (Expected::Picture(_), Err(error)) => return vec![error.reason.to_string()],
        (Expected::Picture(expected), Ok(_)) => expected,
    };
    let image = decoded.expect("it was matched").image;
    let mut differences = Vec::new();
    if image.size() != (expected.width, expected.height) {
        differences.push(format!(
            "{:?}, not {}x{}",
            image.size(),
            expected.width,
            expected.height
        ));
    }
    if let Some(given) = expected.given.as_ref().filter(|given| **given != mean(&image)) {
        differences.push(format!("the mean is {}, not {given}", mean(&image)));
    }
    for (name, color) in expected.corners.iter().flatten() {
        let found = corner(&image, name);
        if found != *color {
            differences.push(format!("{name} is {found:?}, not {color:?}"));
        }
    }
    differences
}

#[test]
fn files_from_the_wild_are_as_expected() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wild_pictures");
    let (mut tried, mut different) = (0, Vec::new());
    for kind in std::fs::read_dir(&folder).expect("the folder is there") {
        let kind = kind.expect("readable").path();
        let json = std::fs::read(kind.join("expected.json")).expect("each kind says what is expected");
        let expected: BTreeMap<String, Expected> = serde_json::from_slice(&json).expect("it is valid");
        for (name, expected) in &expected {
            tried += 1;
            let found = differences(&kind.join(name), expected);
            different.extend(found.iter().map(|found| format!("{name}: {found}")));
        }
        let files = std::fs::read_dir(&kind).expect("readable").count();
        assert_eq!(
            files,
            expected.len() + 1,
            "{} has a file without a word",
            kind.display()
        );
    }
    assert!(tried > 30, "{tried} files alone");
    assert!(different.is_empty(), "{}", different.join("\n"));
}
