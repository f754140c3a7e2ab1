//! FiftyOne's `FiftyOneDataset`: what FiftyOne itself exports (frames of videos in `frames.json`), its form with a file for
//! each sample (`use_dirs`), and the older form that this program writes (a file of frames for each video).

use super::{
    FormatError, ImportReport, Place, Sink, json_array::for_each_element, place::beside, sample::read_sample,
};
use crate::format::non_finite::open_json;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    path::{Component, Path, PathBuf},
};

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

/// Reads the samples of the dataset in `folder`, with absolute paths.
///
/// Where all frames are in one file, they are held in memory while the samples are read.
///
/// # Errors
/// When a file is missing or is no JSON; it is named. What is wrong with samples is reported.
pub fn import_fiftyone(
    folder: &Path,
    report: &mut ImportReport,
    sink: Sink<'_>,
) -> Result<FiftyOneInfo, FormatError> {
    let info = read_info(&folder.join("metadata.json"), report)?;
    let mut samples = Samples {
        folder,
        frames: read_frames(&folder.join("frames.json"), report)?,
        count: 0,
    };
    let file = folder.join("samples.json");
    if file.is_file() {
        let mut index = 0;
        for_each_element(&file, &["samples"], |_, sample: Value| {
            index += 1;
            let place = Place::new(&file, format!(": sample {index}"));
            samples.take(sample, &place, report, sink)
        })?;
    } else {
        for file in files_in(&folder.join("samples"))? {
            let place = Place::new(&file, "");
            match read_json(&file) {
                Ok(sample) => samples.take(sample, &place, report, sink)?,
                Err(error) => report.lose(error)?,
            }
        }
    }
    Ok(FiftyOneInfo {
        samples: samples.count,
        info,
    })
}

fn read_info(file: &Path, report: &mut ImportReport) -> Result<Map<String, Value>, FormatError> {
    let metadata = match file.exists().then(|| read_json::<MetadataFile>(file)) {
        None => MetadataFile::default(),
        Some(Ok(metadata)) => metadata,
        Some(Err(error)) => {
            report.lose(error)?;
            MetadataFile::default()
        }
    };
    let mut info = metadata.info;
    if !metadata.default_classes.is_empty() {
        info.insert("default_classes".to_owned(), metadata.default_classes.into());
    }
    Ok(info)
}

/// The JSON files of a folder, by name.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, FormatError> {
    let failure = |source| FormatError::read(folder, source);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Frames of samples by their number.
type Frames = Map<String, Value>;

struct Samples<'a> {
    folder: &'a Path,
    /// By the sample's id, where all are in one file.
    frames: HashMap<String, Frames>,
    count: u64,
}

impl Samples<'_> {
    fn take(
        &mut self,
        mut sample: Value,
        place: &Place<'_>,
        report: &mut ImportReport,
        sink: Sink<'_>,
    ) -> Result<(), FormatError> {
        if let Some(fields) = sample.as_object_mut() {
            match self.frames_of(fields, place) {
                Ok(Some(frames)) => {
                    fields.insert("frames".to_owned(), frames.into());
                }
                Ok(None) => {}
                Err(error) => {
                    fields.remove("frames");
                    report.lose(error)?;
                }
            }
        }
        if let Some(mut record) = read_sample(sample, place, report)? {
            record.filepath = beside(self.folder, &record.filepath)?;
            sink(record, place, report)?;
            self.count += 1;
        }
        Ok(())
    }

    /// The frames of a sample, wherever they are, but for those that stand in the sample itself.
    fn frames_of(
        &mut self,
        sample: &Map<String, Value>,
        place: &Place<'_>,
    ) -> Result<Option<Frames>, FormatError> {
        if let Some(Value::String(path)) = sample.get("frames") {
            let path = Path::new(path);
            // The name comes from a stranger: it leads to a file of the dataset, or nowhere.
            if path
                .components()
                .any(|part| !matches!(part, Component::Normal(_)))
            {
                let problem = format!("its frames are outside of the dataset: {}", path.display());
                return Err(place.error(problem));
            }
            return read_frame_file(&self.folder.join(path)).map(Some);
        }
        let Some(id) = sample.get("_id").and_then(id) else {
            return Ok(None);
        };
        if let Some(frames) = self.frames.remove(id) {
            return Ok(Some(frames));
        }
        let is_name = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let file = self.folder.join("frames").join(format!("{id}.json"));
        if is_name && file.is_file() {
            return read_frame_file(&file).map(Some);
        }
        Ok(None)
    }
}

/// The frames of one sample: an object by their numbers, or a list.
fn read_frame_file(file: &Path) -> Result<Frames, FormatError> {
    #[derive(Deserialize)]
    struct FrameFile {
        frames: Value,
    }
    let place = Place::new(file, "");
    match read_json::<FrameFile>(file)?.frames {
        Value::Object(frames) => Ok(frames),
        Value::Array(frames) => {
            let numbered = frames.into_iter().map(|frame| {
                let number = frame.get("frame_number").and_then(Value::as_u64);
                number.map(|number| (number.to_string(), frame))
            });
            let frames: Option<Frames> = numbered.collect();
            frames.ok_or_else(|| place.error("a frame lacks its `frame_number`"))
        }
        _ => Err(place.error("`frames` should be a list or an object")),
    }
}

/// All frames, by their sample's id and their number.
fn read_frames(file: &Path, report: &mut ImportReport) -> Result<HashMap<String, Frames>, FormatError> {
    let mut samples: HashMap<String, Frames> = HashMap::new();
    if !file.exists() {
        return Ok(samples);
    }
    let mut index = 0;
    for_each_element(file, &["frames"], |_, frame: Value| {
        index += 1;
        let sample = frame.get("_sample_id").and_then(id).map(str::to_owned);
        let number = frame.get("frame_number").and_then(Value::as_u64);
        let (Some(sample), Some(number)) = (sample, number) else {
            let place = Place::new(file, format!(": frame {index}"));
            return report.lose(place.error("it lacks its `_sample_id` or `frame_number`"));
        };
        let frames = samples.entry(sample).or_default();
        frames.insert(number.to_string(), frame);
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
