use super::Attributes;
use crate::Array;
use serde::{Deserialize, Serialize};

/// An object in a picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Detection {
    /// The class; `None` where the model names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `[x, y, width, height]` of the box, relative to the picture, `x` and `y` being its top left corner. A box may
    /// reach beyond the picture.
    pub bounding_box: [f64; 4],
    /// The object's pixels within its box, a 2-D array `[height, width]` of 0 and 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<Array>,
    /// A picture file that holds the mask instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_path: Option<String>,
    /// How sure the model is, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Tells the same object in several frames or fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<i64>,
    /// Free tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Further facts.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Detection {
    /// An object of class `label` in `[x, y, width, height]`, relative to the picture.
    pub fn new(label: impl Into<String>, bounding_box: [f64; 4]) -> Self {
        Self {
            label: Some(label.into()),
            bounding_box,
            ..Self::default()
        }
    }

    /// Says how sure the model is, 0 to 1.
    pub fn with_confidence(mut self, confidence: impl Into<f64>) -> Self {
        self.confidence = Some(confidence.into());
        self
    }

    /// Adds the object's pixels within its box, `[height, width]` of 0 and 1.
    pub fn with_mask(mut self, mask: Array) -> Self {
        self.mask = Some(mask);
        self
    }

    /// Tells which object it is, in several frames or fields.
    pub fn with_index(mut self, index: i64) -> Self {
        self.index = Some(index);
        self
    }
}

/// The objects in a picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Detections {
    /// The objects.
    pub detections: Vec<Detection>,
}

impl Detections {
    /// The given objects.
    pub fn new(detections: Vec<Detection>) -> Self {
        Self { detections }
    }
}

/// Something that happens in a video.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TemporalDetection {
    /// The class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The first and the last frame, counted from 1, both included.
    pub support: [u64; 2],
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

impl TemporalDetection {
    /// An event of class `label` from frame `first` to frame `last`, counted from 1, both included.
    pub fn new(label: impl Into<String>, first: u64, last: u64) -> Self {
        Self {
            label: Some(label.into()),
            support: [first, last],
            ..Self::default()
        }
    }

    /// Says how sure the model is, 0 to 1.
    pub fn with_confidence(mut self, confidence: impl Into<f64>) -> Self {
        self.confidence = Some(confidence.into());
        self
    }
}

/// The events of a video.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TemporalDetections {
    /// The events.
    pub detections: Vec<TemporalDetection>,
}

impl TemporalDetections {
    /// The given events.
    pub fn new(detections: Vec<TemporalDetection>) -> Self {
        Self { detections }
    }
}
