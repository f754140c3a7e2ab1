//! FiftyOne's `FiftyOneDataset`, in the form without a `version` that FiftyOne reads by inferring the schema:
//! `samples.json`, `metadata.json`, `data/` with the media, and for videos `frames/` with a file of labels each.

use super::{
    ExportOptions, FormatError, Losses, Media, RecordWriter, SampleRecord, Summary, folder::new_folder,
    media::MediaFolder,
};
use crate::{
    format::{Format, non_finite::write_json},
    label::{Fields, LabelJson},
    output::{AtomicFile, OutputError},
};
use modelzoo_base::file::{AtomicFolder, absolute};
use modelzoo_plugin_api::{MediaType, label::Label};
use serde::{Serialize, ser::SerializeMap};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

pub(super) struct FiftyOneWriter {
    folder: AtomicFolder,
    samples: AtomicFile,
    media: MediaFolder,
    options: ExportOptions,
    media_type: Option<MediaType>,
    losses: Losses,
    count: u64,
}

impl FiftyOneWriter {
    pub fn create(path: &Path, options: &ExportOptions) -> Result<Self, FormatError> {
        let folder = new_folder(path)?;
        let mut samples = AtomicFile::create(folder.path().join("samples.json"))?;
        samples
            .write_all(b"{\"samples\": [")
            .map_err(|source| OutputError::new(path, source))?;
        Ok(Self {
            media: MediaFolder::create(folder.path().join("data"), options.media)?,
            folder,
            samples,
            options: options.clone(),
            media_type: None,
            losses: Losses::default(),
            count: 0,
        })
    }

    /// The path that the sample gets, and its name among the exported files.
    fn place(&mut self, record: &SampleRecord) -> Result<(PathBuf, String), FormatError> {
        let file = record.path();
        let name = self.media.name(&file);
        let placed = self.media.place(&file, &name)?;
        let path = match (self.options.media, &placed) {
            (Media::Copy | Media::Link, Ok(())) => Path::new("data").join(&name),
            _ => absolute(&file),
        };
        // What failed before has been told.
        if let (Err(problem), None) = (placed, &record.error) {
            self.losses.add(problem);
        }
        Ok((path, name))
    }

    fn write_frames(&self, name: &str, labels: &Fields) -> Result<String, FormatError> {
        let relative = format!("frames/{name}.json");
        let mut file = AtomicFile::create(self.folder.path().join(&relative))?;
        write_json(&mut file, &FrameFile(labels)).map_err(|error| OutputError::new(file.path(), error))?;
        file.commit()?;
        Ok(relative)
    }

    fn write_sample(&mut self, sample: &SampleJson<'_>) -> io::Result<()> {
        if self.count > 0 {
            self.samples.write_all(b",")?;
        }
        self.samples.write_all(b"\n")?;
        write_json(&mut self.samples, sample)
    }
}

impl RecordWriter for FiftyOneWriter {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        if *self.media_type.get_or_insert(record.media_type) != record.media_type {
            let problem =
                "a FiftyOne dataset holds images or videos, not both; export each media type by itself";
            return Err(FormatError::unsuitable(Format::FiftyOne, problem));
        }
        let (filepath, name) = self.place(record)?;
        let frames = match record.media_type {
            MediaType::Video => Some(self.write_frames(&name, &record.labels)?),
            _ => None,
        };
        let sample = SampleJson {
            record,
            filepath: &filepath.to_string_lossy(),
            frames: frames.as_deref(),
        };
        self.write_sample(&sample)
            .map_err(|source| OutputError::new(self.folder.target(), source))?;
        self.count += 1;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, FormatError> {
        self.samples
            .write_all(b"\n]}\n")
            .map_err(|source| OutputError::new(self.folder.target(), source))?;
        self.samples.commit()?;
        let name = self.folder.target().file_name().unwrap_or_default();
        let mut info: Map<String, Value> = Map::new();
        if !self.options.classes.is_empty() {
            info.insert("default_classes".to_owned(), self.options.classes.clone().into());
        }
        for (name, fact) in &self.options.facts {
            info.insert(name.clone(), fact.clone().into());
        }
        let metadata = json!({
            "name": name.to_string_lossy(),
            "media_type": self.media_type.unwrap_or_default(),
            "info": info,
        });
        let mut file = AtomicFile::create(self.folder.path().join("metadata.json"))?;
        serde_json::to_writer_pretty(&mut file, &metadata)
            .map_err(|error| OutputError::new(file.path(), error))?;
        file.commit()?;
        self.folder.commit()?;
        Ok(Summary {
            samples: self.count,
            losses: self.losses,
            ..Summary::default()
        })
    }
}

/// An entry of `samples.json`.
struct SampleJson<'a> {
    record: &'a SampleRecord,
    filepath: &'a str,
    frames: Option<&'a str>,
}

impl Serialize for SampleJson<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("filepath", self.filepath)?;
        map.serialize_entry("tags", &self.record.tags)?;
        if let Some(metadata) = &self.record.metadata {
            map.serialize_entry("metadata", metadata)?;
        }
        serialize_labels(&mut map, self.record.labels.sample.iter())?;
        if !self.record.warnings.is_empty() {
            map.serialize_entry("warnings", &self.record.warnings)?;
        }
        if let Some(frames) = self.frames {
            map.serialize_entry("frames", frames)?;
        }
        map.end()
    }
}

/// A file of `frames/`.
struct FrameFile<'a>(&'a Fields);

impl Serialize for FrameFile<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("frames", &FrameMap(self.0))?;
        map.end()
    }
}

struct FrameMap<'a>(&'a Fields);

impl Serialize for FrameMap<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let frames = &self.0.frames;
        serializer.collect_map(
            frames
                .iter()
                .map(|(&number, labels)| (number, FrameJson { number, labels })),
        )
    }
}

struct FrameJson<'a> {
    number: u64,
    labels: &'a BTreeMap<String, Label>,
}

impl Serialize for FrameJson<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("frame_number", &self.number)?;
        serialize_labels(&mut map, self.labels.iter())?;
        map.end()
    }
}

fn serialize_labels<'a, M: SerializeMap>(
    map: &mut M,
    mut labels: impl Iterator<Item = (&'a String, &'a Label)>,
) -> Result<(), M::Error> {
    labels.try_for_each(|(name, label)| map.serialize_entry(name, &LabelJson(label)))
}
