use super::Attributes;
use crate::Array;
use serde::{Deserialize, Serialize};

/// What the whole picture shows. A classification without a label is *blank*: FiftyOne's way to say that no class
/// passed the threshold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Classification {
    /// The class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How sure the model is, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The raw scores of all classes, a vector; only where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logits: Option<Array>,
    /// Free tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Further facts.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Classification {
    /// The class `label`.
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: Some(label.into()),
            ..Self::default()
        }
    }

    /// A classification that names no class.
    pub fn blank() -> Self {
        Self::default()
    }

    /// Says how sure the model is, 0 to 1.
    pub fn with_confidence(mut self, confidence: impl Into<f64>) -> Self {
        self.confidence = Some(confidence.into());
        self
    }

    /// Adds the raw scores of all classes.
    pub fn with_logits(mut self, logits: Array) -> Self {
        self.logits = Some(logits);
        self
    }
}

/// Several classes of one picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Classifications {
    /// The classes.
    pub classifications: Vec<Classification>,
    /// The raw scores of all classes, a vector; only where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logits: Option<Array>,
}

impl Classifications {
    /// The given classes.
    pub fn new(classifications: Vec<Classification>) -> Self {
        Self {
            classifications,
            logits: None,
        }
    }

    /// Adds the raw scores of all classes.
    pub fn with_logits(mut self, logits: Array) -> Self {
        self.logits = Some(logits);
        self
    }
}
