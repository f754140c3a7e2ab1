use super::Attributes;
use serde::{Deserialize, Serialize};

/// An outline or a line, in one or several pieces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Polyline {
    /// The class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The vertices of each piece, `[x, y]` relative to the picture.
    pub points: Vec<Vec<[f64; 2]>>,
    /// How sure the model is, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Tells the same object in several frames or fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<i64>,
    /// Whether the last vertex of each piece joins the first.
    pub closed: bool,
    /// Whether the inside belongs to it.
    pub filled: bool,
    /// Free tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Further facts.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Polyline {
    /// An open line through the given pieces, `[x, y]` relative to the picture.
    pub fn new(label: impl Into<String>, points: Vec<Vec<[f64; 2]>>) -> Self {
        Self {
            label: Some(label.into()),
            points,
            ..Self::default()
        }
    }

    /// Makes it a filled polygon.
    pub fn into_polygon(mut self) -> Self {
        self.closed = true;
        self.filled = true;
        self
    }

    /// Says how sure the model is, 0 to 1.
    pub fn with_confidence(mut self, confidence: impl Into<f64>) -> Self {
        self.confidence = Some(confidence.into());
        self
    }
}

/// The outlines in a picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Polylines {
    /// The outlines.
    pub polylines: Vec<Polyline>,
}

impl Polylines {
    /// The given outlines.
    pub fn new(polylines: Vec<Polyline>) -> Self {
        Self { polylines }
    }
}
