//! What the formats in XML share: elements, their texts, and the pictures that they are about.

use super::FormatError;
use crate::{
    input::open_text,
    record::{ImageMetadata, Metadata},
};
use modelzoo_plugin_api::label::Attributes;
use roxmltree::Node;
use serde_json::Value;
use std::path::Path;

/// The text of a file.
pub(super) fn read_text(file: &Path) -> Result<String, FormatError> {
    let failure = |source| FormatError::read(file, source);
    std::io::read_to_string(open_text(file).map_err(failure)?).map_err(failure)
}

/// What is known of a picture of this size.
pub(super) fn metadata(width: f64, height: f64) -> Option<Metadata> {
    Some(Metadata::Image(ImageMetadata {
        width: width as u32,
        height: height as u32,
        ..ImageMetadata::default()
    }))
}

/// A number that is finite.
pub(super) fn finite(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// The elements of this name in another one.
pub(super) fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

/// The first element of this name in another one.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// The text in the first element of this name.
pub(super) fn text_of<'a>(node: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim)
}

/// Adds a further fact about an object. Facts are written as texts, of which some are numbers or truth values.
pub(super) fn add_attribute(attributes: &mut Attributes, name: &str, text: &str) {
    let text = text.trim();
    let number = || {
        finite(text)
            .and_then(serde_json::Number::from_f64)
            .map(Value::Number)
    };
    let value = match text {
        "" | "None" => return,
        "true" | "True" => true.into(),
        "false" | "False" => false.into(),
        _ => match text.parse::<i64>() {
            Ok(whole) => whole.into(),
            Err(_) => number().unwrap_or_else(|| text.into()),
        },
    };
    attributes.insert(name.to_owned(), value);
}
