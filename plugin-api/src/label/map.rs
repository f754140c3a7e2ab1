use crate::Array;
use serde::{Deserialize, Serialize};

/// A class for every pixel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Segmentation {
    /// `[height, width]` of class indices; 0 is the background. It may be smaller than the picture, which it covers
    /// whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<Array>,
    /// A picture file that holds the mask instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_path: Option<String>,
    /// Free tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Segmentation {
    /// A mask `[height, width]` of class indices.
    pub fn new(mask: Array) -> Self {
        Self {
            mask: Some(mask),
            ..Self::default()
        }
    }
}

/// A number for every pixel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Heatmap {
    /// `[height, width]` of numbers. It may be smaller than the picture, which it covers whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<Array>,
    /// A picture file that holds the map instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map_path: Option<String>,
    /// The smallest and the largest possible number; `[0, 1]` for floats and `[0, 255]` for integers where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// Free tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Heatmap {
    /// A map `[height, width]` of numbers.
    pub fn new(map: Array) -> Self {
        Self {
            map: Some(map),
            ..Self::default()
        }
    }

    /// Says the smallest and the largest possible number.
    pub fn with_range(mut self, least: f64, greatest: f64) -> Self {
        self.range = Some([least, greatest]);
        self
    }
}
