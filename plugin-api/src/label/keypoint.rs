use super::Attributes;
use serde::{Deserialize, Serialize};

/// Points that belong together, such as the joints of one person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Keypoint {
    /// The class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `[x, y]` of each point, relative to the picture; NaN where a point is missing.
    pub points: Vec<[f64; 2]>,
    /// How sure the model is of each point, 0 to 1; as long as `points`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Vec<f64>>,
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

impl Keypoint {
    /// The given points, `[x, y]` relative to the picture.
    pub fn new(points: Vec<[f64; 2]>) -> Self {
        Self {
            points,
            ..Self::default()
        }
    }

    /// Names the class.
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Says how sure the model is of each point, 0 to 1.
    pub fn with_confidence(mut self, confidence: Vec<f64>) -> Self {
        self.confidence = Some(confidence);
        self
    }
}

/// The sets of points in a picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Keypoints {
    /// The sets of points.
    pub keypoints: Vec<Keypoint>,
}

impl Keypoints {
    /// The given sets of points.
    pub fn new(keypoints: Vec<Keypoint>) -> Self {
        Self { keypoints }
    }
}
