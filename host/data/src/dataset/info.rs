//! What a dataset holds, and where it comes from.

use super::{
    Dataset, SampleId,
    error::{DatasetError, Reason},
    lease,
    provenance::Provenance,
    reader::{self, Selection},
};
use modelzoo_plugin_api::MediaType;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An overview of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DatasetInfo {
    /// When it was made: UTC, RFC 3339.
    pub created_at: String,
    /// How many images.
    pub images: u64,
    /// How many videos.
    pub videos: u64,
    /// Its fields, by name.
    pub fields: Vec<FieldInfo>,
    /// Its tags with the number of samples that have each, by name.
    pub tags: BTreeMap<String, u64>,
    /// What has filled its fields, or is doing so, by the name that the user gave.
    pub runs: Vec<RunInfo>,
}

/// A field of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FieldInfo {
    /// Its name.
    pub name: String,
    /// Whether the frames of videos have it, rather than samples.
    pub of_frames: bool,
    /// The type of its labels: their `_cls`, `Vector` or `Value`.
    pub label_type: String,
    /// How many samples or frames have a value.
    pub values: u64,
    /// The length of its vectors, where they are vectors of one length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<usize>,
    /// What its labels are about.
    pub description: FieldDescription,
    /// Which run has made it ([`RunInfo::field`]); `None` for imported ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// What the labels of a field are about; formats such as COCO and YOLO want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldDescription {
    /// The classes, by index.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// The names of the points, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keypoints: Vec<String>,
    /// The lines between points, as pairs of indices into `keypoints`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skeleton: Vec<[usize; 2]>,
    /// The points of each class, where classes have points of their own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub skeletons: BTreeMap<String, Skeleton>,
}

/// The keypoints of a class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Skeleton {
    /// Their names, in order.
    pub keypoints: Vec<String>,
    /// The lines between them, as pairs of indices.
    pub edges: Vec<[usize; 2]>,
}

/// A run over a dataset.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunInfo {
    /// What the user called it.
    pub field: String,
    /// What makes the values.
    pub provenance: Provenance,
    /// When it began: UTC, RFC 3339.
    pub started_at: String,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// Whether a process works on it now.
    pub active: bool,
    /// How many samples have succeeded.
    pub done: u64,
    /// How many samples have failed.
    pub failed: u64,
    /// How many samples have damaged files.
    pub damaged: u64,
}

/// A sample whose file is damaged although it could be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The sample.
    pub id: SampleId,
    /// Its file.
    pub filepath: String,
    /// What is wrong with it, on one line.
    pub warning: String,
}

/// A sample on which a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedSample {
    /// The sample.
    pub id: SampleId,
    /// Its file.
    pub filepath: String,
    /// Why, on one line.
    pub error: String,
}

impl Dataset {
    /// How many samples there are.
    pub fn len(&self) -> Result<u64, DatasetError> {
        self.database.with(|connection| {
            Ok(connection.query_row("SELECT count(*) FROM samples", [], |row| row.get(0))?)
        })
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> Result<bool, DatasetError> {
        Ok(self.len()? == 0)
    }

    /// An overview. It counts all values: seconds for millions of samples.
    pub fn info(&self) -> Result<DatasetInfo, DatasetError> {
        Ok(DatasetInfo {
            created_at: self.database.with(|connection| {
                Ok(connection.query_row("SELECT created_at FROM dataset", [], |row| row.get(0))?)
            })?,
            images: self.count(&Selection::all().with_media_type(MediaType::Image))?,
            videos: self.count(&Selection::all().with_media_type(MediaType::Video))?,
            fields: self.fields()?,
            tags: self.tag_counts()?.into_iter().collect(),
            runs: self.runs()?,
        })
    }

    /// How many samples a selection chooses.
    pub fn count(&self, selection: &Selection) -> Result<u64, DatasetError> {
        self.database
            .with(|connection| reader::count(connection, selection))
    }

    /// The fields, by name.
    pub fn fields(&self) -> Result<Vec<FieldInfo>, DatasetError> {
        self.database.with(|connection| {
            let mut statement = connection.prepare(
                "SELECT fields.name, of_frames, type, description, runs.field,
                    (SELECT count(*) FROM labels WHERE field_id = fields.id)
                    + (SELECT count(*) FROM embeddings WHERE field_id = fields.id),
                    (SELECT CASE WHEN min(length(vector)) = max(length(vector)) AND count(shape) = 0
                                 THEN max(length(vector)) / 4 END
                     FROM embeddings WHERE field_id = fields.id)
                 FROM fields LEFT JOIN runs ON runs.id = fields.run_id
                 ORDER BY fields.name, of_frames",
            )?;
            let mut fields = Vec::new();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                fields.push(FieldInfo {
                    name: row.get(0)?,
                    of_frames: row.get(1)?,
                    label_type: row.get(2)?,
                    description: json(row, 3, "a field's description")?,
                    run: row.get(4)?,
                    values: row.get(5)?,
                    dimensions: row.get(6)?,
                });
            }
            Ok(fields)
        })
    }

    /// Deletes a field with all of its values, of samples and of frames, and what is known of its run once that has no
    /// fields left.
    pub fn delete_field(&mut self, name: &str) -> Result<(), DatasetError> {
        let known = self.fields()?.into_iter().map(|field| field.name).collect();
        self.database.write(|transaction| {
            let deleted = transaction.execute("DELETE FROM fields WHERE name = ?", [name])?;
            if deleted == 0 {
                return Err(Reason::NoSuchField {
                    name: name.to_owned(),
                    known,
                });
            }
            transaction.execute(
                "DELETE FROM runs WHERE finished_at IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM fields WHERE run_id = runs.id)",
                [],
            )?;
            Ok(())
        })
    }

    /// Says what the labels of a field are about.
    pub fn describe_field(&mut self, name: &str, description: &FieldDescription) -> Result<(), DatasetError> {
        self.database
            .with(|connection| describe_field(connection, name, description))
    }

    /// The runs, by the name that the user gave.
    pub fn runs(&self) -> Result<Vec<RunInfo>, DatasetError> {
        let path = self.path();
        self.database.with(|connection| {
            let mut statement = connection.prepare(
                "SELECT field, provenance, started_at, finished_at, lease,
                    (SELECT count(*) FROM run_samples WHERE run_id = runs.id AND error IS NULL),
                    (SELECT count(*) FROM run_samples WHERE run_id = runs.id AND error IS NOT NULL),
                    (SELECT count(warning) FROM run_samples WHERE run_id = runs.id)
                 FROM runs ORDER BY field",
            )?;
            let mut runs = Vec::new();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let lease: Option<String> = row.get(4)?;
                runs.push(RunInfo {
                    field: row.get(0)?,
                    provenance: json(row, 1, "a run's provenance")?,
                    started_at: row.get(2)?,
                    finished_at: row.get(3)?,
                    active: lease.is_some_and(|lease| lease::is_held(path, &lease)),
                    done: row.get(5)?,
                    failed: row.get(6)?,
                    damaged: row.get(7)?,
                });
            }
            Ok(runs)
        })
    }

    /// Facts about the dataset as a whole, under any name; `default_classes` is FiftyOne's for its classes.
    pub fn facts(&self) -> Result<Map<String, Value>, DatasetError> {
        self.database.with(|connection| {
            let mut statement = connection.prepare("SELECT info FROM dataset")?;
            let mut rows = statement.query([])?;
            match rows.next()? {
                Some(row) => json(row, 0, "the dataset's facts"),
                None => Ok(Map::new()),
            }
        })
    }

    /// Replaces the facts about the dataset as a whole.
    pub fn set_facts(&mut self, facts: &Map<String, Value>) -> Result<(), DatasetError> {
        self.database.with(|connection| {
            let text = Value::Object(facts.clone()).to_string();
            connection.execute("UPDATE dataset SET info = ?", [text])?;
            Ok(())
        })
    }

    /// The samples on which the run of `field` failed, in order.
    pub fn failures(&self, field: &str) -> Result<Vec<FailedSample>, DatasetError> {
        self.database.with(|connection| {
            let run: Option<i64> = connection
                .query_row("SELECT id FROM runs WHERE field = ?", [field], |row| row.get(0))
                .optional()?;
            run.map_or(Ok(Vec::new()), |run| failures(connection, run))
        })
    }
}

impl Dataset {
    /// The samples whose files the run of `field` found damaged, in order.
    pub fn damages(&self, field: &str) -> Result<Vec<Damage>, DatasetError> {
        self.database.with(|connection| {
            let mut statement = connection.prepare(
                "SELECT samples.id, filepath, warning FROM runs
                 JOIN run_samples ON run_id = runs.id JOIN samples ON samples.id = sample_id
                 WHERE field = ? AND warning IS NOT NULL ORDER BY samples.id",
            )?;
            let damages = statement.query_map([field], |row| {
                Ok(Damage {
                    id: SampleId(row.get(0)?),
                    filepath: row.get(1)?,
                    warning: row.get(2)?,
                })
            })?;
            Ok(damages.collect::<Result<_, _>>()?)
        })
    }
}

pub(super) fn describe_field(
    connection: &Connection,
    name: &str,
    description: &FieldDescription,
) -> Result<(), Reason> {
    let text = serde_json::to_string(description).map_err(|source| Reason::Corrupt {
        what: "a field's description",
        source,
    })?;
    connection.execute(
        "UPDATE fields SET description = ? WHERE name = ?",
        params![text, name],
    )?;
    Ok(())
}

pub(super) fn failures(connection: &Connection, run: i64) -> Result<Vec<FailedSample>, Reason> {
    let mut statement = connection.prepare(
        "SELECT samples.id, filepath, error FROM run_samples JOIN samples ON samples.id = sample_id
         WHERE run_id = ? AND error IS NOT NULL ORDER BY samples.id",
    )?;
    let failures = statement.query_map([run], |row| {
        Ok(FailedSample {
            id: SampleId(row.get(0)?),
            filepath: row.get(1)?,
            error: row.get(2)?,
        })
    })?;
    Ok(failures.collect::<Result<_, _>>()?)
}

/// Reads a column of JSON.
fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
    what: &'static str,
) -> Result<T, Reason> {
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    serde_json::from_str(text).map_err(|source| Reason::Corrupt { what, source })
}
