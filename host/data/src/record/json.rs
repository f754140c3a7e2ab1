//! The JSON of a sample, as FiftyOne has it: an object with `filepath`, `metadata`, `tags`, each label under its field's
//! name, and `frames` by number.

use super::{Metadata, SampleRecord};
use crate::{
    input::MediaKind,
    label::{Fields, LabelError, from_json},
    output::serialize_fields,
};
use modelzoo_plugin_api::{
    Array, MediaType,
    label::{Label, Vector},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path};

/// Why a JSON object is no sample; one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is a list, a number, ...
    #[error("expected a sample as an object")]
    NotAnObject,
    /// It does not say where its file is.
    #[error("the sample has no `filepath`")]
    NoFilepath,
    /// One of its own facts has another form than it should.
    #[error("`{name}` should be {expected}")]
    Fact {
        /// Which fact.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A label cannot be read.
    #[error("field `{field}` holds no label")]
    Label {
        /// The field.
        field: String,
        /// What is wrong with it.
        source: LabelError,
    },
}

impl Serialize for SampleRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("filepath", &self.filepath)?;
        if self.media_type == MediaType::Video {
            map.serialize_entry("media_type", &self.media_type)?;
        }
        if let Some(metadata) = &self.metadata {
            map.serialize_entry("metadata", metadata)?;
        }
        if !self.tags.is_empty() {
            map.serialize_entry("tags", &self.tags)?;
        }
        serialize_fields(&mut map, &self.labels)?;
        if let Some(error) = &self.error {
            map.serialize_entry("error", error)?;
        }
        if !self.warnings.is_empty() {
            map.serialize_entry("warnings", &self.warnings)?;
        }
        map.end()
    }
}

impl SampleRecord {
    /// Reads a sample from FiftyOne's JSON, this program's or its own. A list of numbers becomes a vector in single
    /// precision; FiftyOne's ids and dates, fields that are null, and incomplete metadata are passed over.
    ///
    /// # Errors
    /// When there is no path, or a part has another form than it should.
    pub fn from_json(value: Value) -> Result<Self, RecordError> {
        Self::from_json_without(value, &mut Err)
    }

    /// As [`SampleRecord::from_json`], without the parts that have another form than they should, where `leave_out` lets
    /// them be left out.
    ///
    /// # Errors
    /// When there is no path; and what `leave_out` gives.
    pub fn from_json_without(
        value: Value,
        leave_out: &mut dyn FnMut(RecordError) -> Result<(), RecordError>,
    ) -> Result<Self, RecordError> {
        let Value::Object(mut object) = value else {
            return Err(RecordError::NotAnObject);
        };
        let Some(Value::String(filepath)) = object.remove("filepath") else {
            return Err(RecordError::NoFilepath);
        };
        let metadata: Option<Metadata> = object
            .remove("metadata")
            .and_then(|metadata| serde_json::from_value(metadata).ok());
        let named = object
            .remove("media_type")
            .or_else(|| object.remove("_media_type"));
        let media_type = match named.as_ref().and_then(Value::as_str) {
            Some("video") => MediaType::Video,
            Some(_) => MediaType::Image,
            None => guess_media_type(&filepath, metadata.as_ref(), object.contains_key("frames")),
        };
        let frames = match object.remove("frames") {
            Some(Value::Object(frames)) => frames,
            None | Some(Value::Null) => Map::new(),
            Some(_) => {
                leave_out(fact("frames", "an object of objects by frame number"))?;
                Map::new()
            }
        };
        let error = match object.remove("error") {
            Some(Value::String(error)) => Some(error),
            None | Some(Value::Null) => None,
            Some(_) => {
                leave_out(fact("error", "a text"))?;
                None
            }
        };
        let tags = read_texts(&mut object, "tags", leave_out)?;
        let warnings = read_texts(&mut object, "warnings", leave_out)?;
        let mut labels = Fields {
            sample: read_fields(object, leave_out)?,
            ..Fields::default()
        };
        for (number, fields) in frames {
            let number = number.parse().ok().filter(|&number: &u64| number >= 1);
            match (number, fields) {
                (None, _) => leave_out(fact("frames", "counted from 1"))?,
                (Some(number), Value::Object(fields)) => {
                    labels.frames.insert(number, read_fields(fields, leave_out)?);
                }
                _ => leave_out(fact("frames", "an object of objects by frame number"))?,
            }
        }
        Ok(Self {
            filepath,
            tags,
            media_type,
            metadata,
            labels,
            error,
            warnings,
        })
    }
}

fn fact(name: &'static str, expected: &'static str) -> RecordError {
    RecordError::Fact { name, expected }
}

fn guess_media_type(filepath: &str, metadata: Option<&Metadata>, has_frames: bool) -> MediaType {
    let is_video = match metadata {
        Some(metadata) => matches!(metadata, Metadata::Video(_)),
        None => has_frames || MediaKind::from_path(Path::new(filepath)) == Some(MediaKind::Video),
    };
    if is_video {
        MediaType::Video
    } else {
        MediaType::Image
    }
}

fn read_texts(
    object: &mut Map<String, Value>,
    name: &'static str,
    leave_out: &mut dyn FnMut(RecordError) -> Result<(), RecordError>,
) -> Result<Vec<String>, RecordError> {
    let texts = match object.remove(name) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(texts)) => texts
            .into_iter()
            .map(|text| match text {
                Value::String(text) => Some(text),
                _ => None,
            })
            .collect(),
        Some(_) => None,
    };
    match texts {
        Some(texts) => Ok(texts),
        None => leave_out(fact(name, "a list of texts")).map(|()| Vec::new()),
    }
}

/// What a sample or a frame says of itself beside its labels.
const OWN_NAMES: [&str; 5] = ["id", "tags", "created_at", "last_modified_at", "frame_number"];

fn read_fields(
    object: Map<String, Value>,
    leave_out: &mut dyn FnMut(RecordError) -> Result<(), RecordError>,
) -> Result<BTreeMap<String, Label>, RecordError> {
    let mut labels = BTreeMap::new();
    for (name, value) in object {
        if OWN_NAMES.contains(&name.as_str()) || name.starts_with('_') || value.is_null() {
            continue;
        }
        let label = match numbers(&value) {
            Some(numbers) => Ok(Vector::new(Array::vector(numbers)).into()),
            None => from_json(value),
        };
        match label {
            Ok(label) => {
                labels.insert(name, label);
            }
            Err(source) => leave_out(RecordError::Label { field: name, source })?,
        }
    }
    Ok(labels)
}

/// The numbers of a list of nothing but numbers.
fn numbers(value: &Value) -> Option<Vec<f32>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    list.iter()
        .map(|number| number.as_f64().map(|number| number as f32))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ImageMetadata, VideoMetadata};
    use modelzoo_plugin_api::label::{Classification, Keypoint, PlainValue};
    use serde_json::json;

    fn read(value: Value) -> Result<SampleRecord, RecordError> {
        SampleRecord::from_json(value)
    }

    #[test]
    fn a_sample_comes_out_as_it_went_in() {
        let fields: BTreeMap<String, Label> = [
            ("seen".to_owned(), Classification::new("cat").into()),
            ("note".to_owned(), PlainValue::new("dark").into()),
            (
                "points".to_owned(),
                Keypoint::new(vec![[0.5, f64::INFINITY]]).into(),
            ),
            (
                "vector".to_owned(),
                Vector::new(Array::vector(vec![0.1f32, -2.5])).into(),
            ),
        ]
        .into();
        let image = SampleRecord {
            metadata: Some(Metadata::Image(ImageMetadata {
                width: 4,
                height: 3,
                ..ImageMetadata::default()
            })),
            tags: vec!["night".to_owned()],
            labels: Fields {
                sample: fields.clone(),
                ..Fields::default()
            },
            ..SampleRecord::image("a.jpg")
        };
        let video = SampleRecord {
            metadata: Some(Metadata::Video(VideoMetadata {
                frame_width: 4,
                frame_height: 3,
                ..VideoMetadata::default()
            })),
            labels: Fields {
                frames: [(1, fields.clone()), (7, fields)].into(),
                ..Fields::default()
            },
            ..SampleRecord::video("a")
        };
        let failed = SampleRecord {
            error: Some("broken".to_owned()),
            ..SampleRecord::image("b.jpg")
        };
        let damaged = SampleRecord {
            warnings: vec!["the lower half is missing".to_owned()],
            ..SampleRecord::image("c.jpg")
        };
        for record in [image, video, failed, damaged] {
            assert_eq!(read(serde_json::to_value(&record).unwrap()).unwrap(), record);
        }
    }

    #[test]
    fn what_fiftyone_says_beside_labels_is_passed_over() {
        let record = read(json!({
            "_id": {"$oid": "66f0"}, "id": "66f0", "filepath": "a.jpg", "_media_type": "image", "tags": [],
            "metadata": {"_cls": "ImageMetadata", "width": null, "height": null},
            "created_at": {"$date": 1}, "last_modified_at": {"$date": 1}, "seen": null,
        }));
        assert_eq!(record.unwrap(), SampleRecord::image("a.jpg"));
    }

    #[test]
    fn the_medium_is_guessed_where_it_is_not_said() {
        let media_type = |value| read(value).unwrap().media_type;
        assert_eq!(media_type(json!({"filepath": "a.mp4"})), MediaType::Video);
        assert_eq!(media_type(json!({"filepath": "a.png"})), MediaType::Image);
        assert_eq!(
            media_type(json!({"filepath": "a", "frames": {}})),
            MediaType::Video
        );
        let metadata = json!({"_cls": "ImageMetadata", "width": 1, "height": 1});
        assert_eq!(
            media_type(json!({"filepath": "a.mp4", "metadata": metadata})),
            MediaType::Image
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |value| modelzoo_base::error::in_one_line(&read(value).unwrap_err());
        assert_eq!(error(json!([])), "expected a sample as an object");
        assert_eq!(error(json!({"filepath": 3})), "the sample has no `filepath`");
        assert_eq!(
            error(json!({"filepath": "a", "tags": "b"})),
            "`tags` should be a list of texts"
        );
        assert_eq!(
            error(json!({"filepath": "a", "frames": {"0": {}}})),
            "`frames` should be counted from 1"
        );
        let label = json!({"_cls": "Classification", "label": 3});
        let told = error(json!({"filepath": "a", "seen": label}));
        assert!(told.starts_with("field `seen` holds no label: label: "), "{told}");
    }
}
