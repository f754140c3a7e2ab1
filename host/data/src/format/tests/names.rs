//! Formats by name.

use crate::format::Format;
use std::path::Path;

#[test]
fn every_format_is_found_by_its_name() {
    for format in Format::ALL {
        assert_eq!(format.name().parse::<Format>().unwrap(), format);
    }
    let error = "tfrecord".parse::<Format>().unwrap_err().to_string();
    assert!(error.contains("jsonl") && error.contains("npy"), "{error}");
}

#[test]
fn endings_name_formats() {
    assert_eq!(Format::from_path(Path::new("a/b.JSONL")), Some(Format::JsonLines));
    assert_eq!(Format::from_path(Path::new("b.json")), None);
    assert_eq!(Format::from_path(Path::new("folder")), None);
}
