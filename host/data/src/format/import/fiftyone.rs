//! FiftyOne's `FiftyOneDataset`: what FiftyOne itself exports (frames of videos in `frames.json`), and the older form
//! that this program writes (a file of frames for each video).

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::json_array::for_each_element;
use super::{FormatError, SampleRecord, Sink, beside};
use crate::format::non_finite::open_json;

/// What a FiftyOne dataset says beside its samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FiftyOneInfo {
    /// How many samples there are.
    pub samples: u64,
    /// Its `info`, with its default classes under `default_classes`.
    pub info: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetadataFile {
    info: Map<String, Value>,
    default_classes: Vec<Value>,
}

#[derive(Deserialize)]
struct FrameFile {
    frames: Map<String, Value>,
}

/// Reads the samples of the dataset in `folder`, with absolute paths.
///
/// Where all frames are in one file, they are held in memory while the samples are read.
///
/// # Errors
/// When a file is missing or does not hold what it should; it is named.
pub fn import_fiftyone(folder: &Path, sink: Sink<'_>) -> Result<FiftyOneInfo, FormatError> {
    let metadata_path = folder.join("metadata.json");
    let metadata: MetadataFile = if metadata_path.exists() {
        read_json(&metadata_path)?
    } else {
        MetadataFile::default()
    };
    let mut info = metadata.info;
    if !metadata.default_classes.is_empty() {
        info.insert("default_classes".to_owned(), metadata.default_classes.into());
    }
    let mut frames = read_frames(&folder.join("frames.json"))?;
    let file = folder.join("samples.json");
    let mut samples = 0;
    for_each_element(&file, "samples", |mut sample: Map<String, Value>| {
        let place = || format!(": sample {}", samples + 1);
        if let Some(Value::String(path)) = sample.get("frames") {
            let frames: FrameFile = read_json(&folder.join(path))?;
            sample.insert("frames".to_owned(), frames.frames.into());
        } else if let Some(frames) = sample.get("_id").and_then(id).and_then(|id| frames.remove(id)) {
            sample.insert("frames".to_owned(), frames.into());
        }
        let mut record = SampleRecord::from_json(sample.into())
            .map_err(|error| FormatError::content(&file, place(), error))?;
        record.filepath = beside(folder, &record.filepath)?;
        sink(record)?;
        samples += 1;
        Ok(())
    })?;
    Ok(FiftyOneInfo { samples, info })
}

/// All frames, by their sample's id and their number.
fn read_frames(file: &Path) -> Result<HashMap<String, Map<String, Value>>, FormatError> {
    let mut samples: HashMap<String, Map<String, Value>> = HashMap::new();
    if !file.exists() {
        return Ok(samples);
    }
    for_each_element(file, "frames", |frame: Map<String, Value>| {
        let sample = frame.get("_sample_id").and_then(id);
        let number = frame.get("frame_number").and_then(Value::as_u64);
        let (Some(sample), Some(number)) = (sample, number) else {
            let problem = "a frame lacks its `_sample_id` or `frame_number`";
            return Err(FormatError::content(file, "", problem));
        };
        samples
            .entry(sample.to_owned())
            .or_default()
            .insert(number.to_string(), frame.into());
        Ok(())
    })?;
    Ok(samples)
}

/// The text of an id, `{"$oid": "..."}`.
fn id(value: &Value) -> Option<&str> {
    value.get("$oid").unwrap_or(value).as_str()
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, FormatError> {
    serde_json::from_reader(open_json(path)?).map_err(|error| FormatError::json(path, error))
}
