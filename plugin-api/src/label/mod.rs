//! What models say about media: FiftyOne's label types, with its names and meanings.
//!
//! Coordinates are relative to the picture: 0 is its left or top edge, 1 its right or bottom edge. Confidences are
//! between 0 and 1. Every type has `new` with what it must have, and `with_...` for the rest; new fields may appear,
//! so none of them can be written as a literal.
//!
//! The types and their fields are described in FiftyOne's documentation of `fiftyone.core.labels`.

mod classification;
mod detection;
mod keypoint;
mod map;
mod polyline;
mod value;

pub use classification::{Classification, Classifications};
pub use detection::{Detection, Detections, TemporalDetection, TemporalDetections};
pub use keypoint::{Keypoint, Keypoints};
pub use map::{Heatmap, Segmentation};
pub use polyline::{Polyline, Polylines};
pub use value::{GeoLocation, PlainValue, Regression, Vector};

use crate::Array;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Further facts about a label, by name.
pub type Attributes = BTreeMap<String, serde_json::Value>;

/// One label of any type. Its serialised form is a map with the type's name under `_cls`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "_cls")]
#[non_exhaustive]
pub enum Label {
    /// A number.
    Regression(Regression),
    /// One class.
    Classification(Classification),
    /// Several classes.
    Classifications(Classifications),
    /// One object.
    Detection(Detection),
    /// Several objects.
    Detections(Detections),
    /// One outline.
    Polyline(Polyline),
    /// Several outlines.
    Polylines(Polylines),
    /// One set of points.
    Keypoint(Keypoint),
    /// Several sets of points.
    Keypoints(Keypoints),
    /// A class for every pixel.
    Segmentation(Segmentation),
    /// A number for every pixel.
    Heatmap(Heatmap),
    /// One event of a video.
    TemporalDetection(TemporalDetection),
    /// Several events of a video.
    TemporalDetections(TemporalDetections),
    /// A place on Earth.
    GeoLocation(GeoLocation),
    /// A vector of numbers, such as an embedding.
    Vector(Vector),
    /// A plain value: text, a number, a list.
    Value(PlainValue),
    /// A type that this version does not know; a newer plugin may send it.
    #[serde(other)]
    Unknown,
}

macro_rules! from_type {
    ($($variant:ident $type:ty),*) => {
        $(impl From<$type> for Label {
            fn from(label: $type) -> Self {
                Self::$variant(label)
            }
        })*
    };
}
from_type!(
    Regression Regression,
    Classification Classification,
    Classifications Classifications,
    Detection Detection,
    Detections Detections,
    Polyline Polyline,
    Polylines Polylines,
    Keypoint Keypoint,
    Keypoints Keypoints,
    Segmentation Segmentation,
    Heatmap Heatmap,
    TemporalDetection TemporalDetection,
    TemporalDetections TemporalDetections,
    GeoLocation GeoLocation,
    Vector Vector,
    Value PlainValue
);

impl Label {
    /// Shows every array within the label, in a fixed order.
    pub fn for_each_array(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        match self {
            Self::Classification(label) => label.logits.iter_mut().for_each(visit),
            Self::Classifications(label) => {
                label.logits.iter_mut().for_each(&mut *visit);
                label
                    .classifications
                    .iter_mut()
                    .filter_map(|one| one.logits.as_mut())
                    .for_each(visit);
            }
            Self::Detection(label) => label.mask.iter_mut().for_each(visit),
            Self::Detections(label) => {
                label
                    .detections
                    .iter_mut()
                    .filter_map(|one| one.mask.as_mut())
                    .for_each(visit);
            }
            Self::Segmentation(label) => label.mask.iter_mut().for_each(visit),
            Self::Heatmap(label) => label.map.iter_mut().for_each(visit),
            Self::Vector(label) => visit(&mut label.values),
            Self::Regression(_)
            | Self::Polyline(_)
            | Self::Polylines(_)
            | Self::Keypoint(_)
            | Self::Keypoints(_)
            | Self::TemporalDetection(_)
            | Self::TemporalDetections(_)
            | Self::GeoLocation(_)
            | Self::Value(_)
            | Self::Unknown => {}
        }
    }
}
