//! JSON Lines: an object a line, a line a sample.

use super::{OutputError, OutputFile};
use crate::label::{Fields, LabelJson, Number};
use modelzoo_plugin_api::{Array, label::Label};
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

/// Adds labels to the object of their sample.
pub(crate) fn serialize_fields<M: SerializeMap>(map: &mut M, fields: &Fields) -> Result<(), M::Error> {
    for (name, label) in &fields.sample {
        map.serialize_entry(name, &Value(label))?;
    }
    if !fields.frames.is_empty() {
        map.serialize_entry("frames", &Frames(&fields.frames))?;
    }
    Ok(())
}

struct Frames<'a>(&'a BTreeMap<u64, BTreeMap<String, Label>>);

impl Serialize for Frames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(number, labels)| {
            let labels: BTreeMap<_, _> = labels.iter().map(|(name, label)| (name, Value(label))).collect();
            (number, labels)
        }))
    }
}

/// A label as FiftyOne's JSON; a vector that is a field of its own as a plain list of numbers.
struct Value<'a>(&'a Label);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Label::Vector(vector) => serialize_numbers(&vector.values, serializer),
            label => LabelJson(label).serialize(serializer),
        }
    }
}

/// Single precision is written with its own, shorter digits.
fn serialize_numbers<S: Serializer>(array: &Array, serializer: S) -> Result<S::Ok, S::Error> {
    match array.as_f32() {
        Some(values) if values.iter().all(|value| value.is_finite()) => serializer.collect_seq(values),
        _ => serializer.collect_seq(array.to_f64().into_iter().map(Number)),
    }
}

/// Writes records as they come, to a file that appears when all are written, or to standard output.
#[derive(Debug)]
pub struct JsonLinesWriter {
    target: Target,
    line: Vec<u8>,
}

#[derive(Debug)]
enum Target {
    File(OutputFile),
    Stdout(io::Stdout),
}

impl JsonLinesWriter {
    /// Writes to a file, which takes its place in [`JsonLinesWriter::finish`]; missing folders are made.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, OutputError> {
        Ok(Self {
            target: Target::File(OutputFile::create(path)?),
            line: Vec::new(),
        })
    }

    /// Writes to standard output, each line at once.
    pub fn stdout() -> Self {
        Self {
            target: Target::Stdout(io::stdout()),
            line: Vec::new(),
        }
    }

    /// Writes one line: what became of a sample, mostly a [`SampleRecord`](crate::record::SampleRecord).
    pub fn write(&mut self, record: &impl Serialize) -> Result<(), OutputError> {
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, record)
            .map_err(io::Error::from)
            .and_then(|()| {
                self.line.push(b'\n');
                match &mut self.target {
                    Target::File(file) => file.write_all(&self.line),
                    Target::Stdout(stdout) => stdout.write_all(&self.line).and_then(|()| stdout.flush()),
                }
            });
        written.map_err(|source| match &self.target {
            Target::File(file) => OutputError::new(file.path(), source),
            Target::Stdout(_) => OutputError::of_stdout(source),
        })
    }

    /// Puts the file in its place. A writer that is dropped instead leaves nothing behind.
    pub fn finish(self) -> Result<(), OutputError> {
        match self.target {
            Target::File(file) => file.commit(),
            Target::Stdout(mut stdout) => stdout.flush().map_err(OutputError::of_stdout),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{media::Metadata, record::SampleRecord};
    use modelzoo_plugin_api::{
        Array, Output,
        label::{Classification, Vector},
    };

    fn line(record: &SampleRecord) -> String {
        serde_json::to_string(record).expect("serialisable")
    }

    #[test]
    fn a_record_holds_file_facts_and_labels() {
        let metadata = Metadata {
            size_bytes: 1234,
            mime_type: "image/jpeg".to_owned(),
            width: 640,
            height: 480,
            num_channels: 3,
        };
        let output = Output::from(Classification::new("cat").with_confidence(0.75));
        let mut record = SampleRecord::image("photos/cat.jpg");
        record.metadata = Some(metadata.into());
        record.labels = Fields::from_output(output, "predictions").expect("valid");
        let embedding = Array::vector(vec![0.1f32, -1.0, 1e-8]);
        record
            .labels
            .sample
            .insert("embeddings".to_owned(), Vector::new(embedding).into());
        let expected = concat!(
            r#"{"filepath":"photos/cat.jpg","#,
            r#""metadata":{"_cls":"ImageMetadata","size_bytes":1234,"mime_type":"image/jpeg","#,
            r#""width":640,"height":480,"num_channels":3},"embeddings":[0.1,-1.0,1e-8],"#,
            r#""predictions":{"_cls":"Classification","tags":[],"label":"cat","confidence":0.75}}"#
        );
        assert_eq!(line(&record), expected);
    }

    #[test]
    fn an_error_stands_where_labels_would() {
        let mut record = SampleRecord::image("a.jpg");
        record.error = Some("the file is empty".to_owned());
        assert_eq!(
            line(&record),
            r#"{"filepath":"a.jpg","error":"the file is empty"}"#
        );
    }

    #[test]
    fn frames_stand_under_their_numbers() {
        let frames = [
            (2, Classification::new("b").into()),
            (1, Classification::new("a").into()),
        ];
        let mut record = SampleRecord::video("a.mp4");
        record.labels = Fields::from_output(Output::Frames(frames.into()), "predictions").expect("valid");
        let expected = concat!(
            r#"{"filepath":"a.mp4","media_type":"video","frames":{"#,
            r#""1":{"predictions":{"_cls":"Classification","tags":[],"label":"a"}},"#,
            r#""2":{"predictions":{"_cls":"Classification","tags":[],"label":"b"}}}}"#
        );
        assert_eq!(line(&record), expected);
    }

    #[test]
    fn lines_appear_together_at_the_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("out.jsonl");
        let mut writer = JsonLinesWriter::create(&path).expect("writable");
        for name in ["a.jpg", "b\n.jpg"] {
            writer.write(&SampleRecord::image(name)).expect("writable");
        }
        assert!(!path.exists());
        writer.finish().expect("writable");
        let text = std::fs::read_to_string(&path).expect("readable");
        assert_eq!(text, "{\"filepath\":\"a.jpg\"}\n{\"filepath\":\"b\\n.jpg\"}\n");
    }
}
