use super::Attributes;
use crate::Array;
use serde::{Deserialize, Serialize};

/// A number that the model estimates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Regression {
    /// The number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// How sure the model is, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Free tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Further facts.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Regression {
    /// The number `value`.
    pub fn new(value: f64) -> Self {
        Self {
            value: Some(value),
            ..Self::default()
        }
    }

    /// Says how sure the model is, 0 to 1.
    pub fn with_confidence(mut self, confidence: impl Into<f64>) -> Self {
        self.confidence = Some(confidence.into());
        self
    }
}

/// A place on Earth: `[longitude, latitude]` in degrees, as in GeoJSON (RFC 7946).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GeoLocation {
    /// A point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<[f64; 2]>,
    /// The points of a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<Vec<[f64; 2]>>,
    /// The outline of an area, then those of its holes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polygon: Option<Vec<Vec<[f64; 2]>>>,
    /// Free tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl GeoLocation {
    /// A point, in degrees.
    pub fn point(longitude: f64, latitude: f64) -> Self {
        Self {
            point: Some([longitude, latitude]),
            ..Self::default()
        }
    }
}

/// A vector of numbers, such as an embedding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Vector {
    /// The numbers.
    pub values: Array,
}

impl Vector {
    /// The given numbers.
    pub fn new(values: Array) -> Self {
        Self { values }
    }
}

/// A plain value: text, a number, a truth value, a list or a map.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PlainValue {
    /// The value.
    pub value: serde_json::Value,
}

impl PlainValue {
    /// The given value.
    pub fn new(value: impl Into<serde_json::Value>) -> Self {
        Self { value: value.into() }
    }
}
