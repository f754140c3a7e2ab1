//! One sample with everything known about it: what datasets hold and what every format reads and writes.

mod filepath;
mod json;

use crate::{label::Fields, media};
use modelzoo_plugin_api::{MediaType, label::Label};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// An image or a video, what is known about its file, and its labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleRecord {
    /// Where the file is, as the user or the imported format said it ([`path_to_text`]).
    pub filepath: String,
    /// Image or video.
    pub media_type: MediaType,
    /// Facts about the file, where they have been read.
    pub metadata: Option<Metadata>,
    /// Free tags, in the order in which they were given.
    pub tags: Vec<String>,
    /// The labels of the sample and of its frames.
    pub labels: Fields,
    /// Why the sample has no labels, where a model failed on it.
    pub error: Option<String>,
    /// What is wrong with its file although it could be read, a line each: labels may rest on damaged pixels.
    pub warnings: Vec<String>,
}

/// Facts about a file, in the form of FiftyOne's `ImageMetadata` and `VideoMetadata`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "_cls")]
pub enum Metadata {
    /// Of a picture.
    #[serde(rename = "ImageMetadata")]
    Image(ImageMetadata),
    /// Of a video.
    #[serde(rename = "VideoMetadata")]
    Video(VideoMetadata),
}

/// Facts about a picture's file. Formats that tell only the size leave the rest out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageMetadata {
    /// Size of the file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Such as `image/jpeg`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
    /// Colour and alpha channels in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_channels: Option<u8>,
}

/// Facts about a video's file, with FiftyOne's names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VideoMetadata {
    /// Size of the file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Such as `video/mp4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Width of the frames in pixels, upright.
    pub frame_width: u32,
    /// Height of the frames in pixels, upright.
    pub frame_height: u32,
    /// Frames in a second; the average where it varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<f64>,
    /// How many frames there are; an estimate where the file does not say and they were not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_frame_count: Option<u64>,
    /// Length in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// The codec's name, such as `h264`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_str: Option<String>,
}

impl SampleRecord {
    /// A picture without labels.
    pub fn image(filepath: impl Into<String>) -> Self {
        Self {
            filepath: filepath.into(),
            ..Self::default()
        }
    }

    /// Where the file is.
    pub fn path(&self) -> PathBuf {
        text_to_path(&self.filepath)
    }

    /// A video without labels.
    pub fn video(filepath: impl Into<String>) -> Self {
        Self {
            filepath: filepath.into(),
            media_type: MediaType::Video,
            ..Self::default()
        }
    }
}

impl Metadata {
    /// Width and height of the picture, or of a video's frames, in pixels.
    pub fn size(&self) -> (u32, u32) {
        match self {
            Self::Image(image) => (image.width, image.height),
            Self::Video(video) => (video.frame_width, video.frame_height),
        }
    }
}

impl From<media::Metadata> for Metadata {
    fn from(read: media::Metadata) -> Self {
        Self::Image(ImageMetadata {
            size_bytes: Some(read.size_bytes),
            mime_type: Some(read.mime_type),
            width: read.width,
            height: read.height,
            num_channels: Some(read.num_channels),
        })
    }
}

pub use filepath::{path_to_text, text_to_path};
pub use json::RecordError;

/// The name of a label's type, as `_cls` says it; `Vector` and `Value` for what has no `_cls`, and `None` for types that
/// this version does not know.
pub fn label_type(label: &Label) -> Option<&'static str> {
    Some(match label {
        Label::Regression(_) => "Regression",
        Label::Classification(_) => "Classification",
        Label::Classifications(_) => "Classifications",
        Label::Detection(_) => "Detection",
        Label::Detections(_) => "Detections",
        Label::Polyline(_) => "Polyline",
        Label::Polylines(_) => "Polylines",
        Label::Keypoint(_) => "Keypoint",
        Label::Keypoints(_) => "Keypoints",
        Label::Segmentation(_) => "Segmentation",
        Label::Heatmap(_) => "Heatmap",
        Label::TemporalDetection(_) => "TemporalDetection",
        Label::TemporalDetections(_) => "TemporalDetections",
        Label::GeoLocation(_) => "GeoLocation",
        Label::Vector(_) => "Vector",
        Label::Value(_) => "Value",
        _ => return None,
    })
}

/// The classes that a label names.
pub fn class_names(label: &Label) -> Box<dyn Iterator<Item = &str> + '_> {
    fn several<'a, T>(
        labels: &'a [T],
        class: impl Fn(&'a T) -> &'a Option<String> + 'a,
    ) -> Box<dyn Iterator<Item = &'a str> + 'a> {
        Box::new(labels.iter().filter_map(move |label| class(label).as_deref()))
    }
    match label {
        Label::Classification(one) => several(std::slice::from_ref(one), |one| &one.label),
        Label::Classifications(all) => several(&all.classifications, |one| &one.label),
        Label::Detection(one) => several(std::slice::from_ref(one), |one| &one.label),
        Label::Detections(all) => several(&all.detections, |one| &one.label),
        Label::Polyline(one) => several(std::slice::from_ref(one), |one| &one.label),
        Label::Polylines(all) => several(&all.polylines, |one| &one.label),
        Label::Keypoint(one) => several(std::slice::from_ref(one), |one| &one.label),
        Label::Keypoints(all) => several(&all.keypoints, |one| &one.label),
        Label::TemporalDetection(one) => several(std::slice::from_ref(one), |one| &one.label),
        Label::TemporalDetections(all) => several(&all.detections, |one| &one.label),
        _ => Box::new(std::iter::empty()),
    }
}

/// Why `name` cannot be the name of a field, if it cannot.
pub fn field_name_problem(name: &str) -> Option<String> {
    const RESERVED: [&str; 10] = [
        "id",
        "filepath",
        "media_type",
        "metadata",
        "tags",
        "frames",
        "error",
        "warnings",
        "created_at",
        "last_modified_at",
    ];
    if name.is_empty() {
        Some("a field needs a name".to_owned())
    } else if name.starts_with('_') {
        Some(format!("a field's name cannot begin with `_`, as `{name}` does"))
    } else if let Some(character) = name.chars().find(|&c| matches!(c, '.' | '$') || c.is_control()) {
        Some(format!(
            "a field's name cannot contain {character:?}, as {name:?} does"
        ))
    } else if RESERVED.contains(&name) {
        Some(format!("`{name}` is a name that every sample uses for itself"))
    } else {
        None
    }
}
