//! Reading samples in order.

use super::{
    SampleId,
    database::Database,
    encoding::{decode_label, decode_vector},
    error::{DatasetError, Reason},
    media_type_name,
    store::WHOLE_SAMPLE,
    tags,
};
use crate::record::SampleRecord;
use modelzoo_plugin_api::{MediaType, label::Label};
use rusqlite::{Connection, params};
use std::{collections::HashMap, vec};

/// How many samples are asked for at a time; their labels are read one sample at a time.
const PAGE: u64 = 512;

/// Which samples to read, and how much of them.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    fields: SelectedFields,
    tags: Vec<String>,
    media_type: Option<MediaType>,
    skip: u64,
    limit: Option<u64>,
}

#[derive(Clone, Debug, Default)]
enum SelectedFields {
    #[default]
    All,
    Named(Vec<String>),
}

impl Selection {
    /// All samples with all of their labels.
    pub fn all() -> Self {
        Self::default()
    }

    /// All samples without labels.
    pub fn without_labels() -> Self {
        Self::default().with_fields(Vec::<String>::new())
    }

    /// Only these fields, of samples and of frames alike.
    pub fn with_fields<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.fields = SelectedFields::Named(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Whether it includes a field of this name.
    pub fn has_field(&self, name: &str) -> bool {
        match &self.fields {
            SelectedFields::All => true,
            SelectedFields::Named(names) => names.iter().any(|selected| selected == name),
        }
    }

    /// Only samples that have one of these tags, if there are any.
    pub fn with_tags<S: Into<String>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Only images, or only videos.
    pub fn with_media_type(mut self, media_type: MediaType) -> Self {
        self.media_type = Some(media_type);
        self
    }

    /// Without the first so many of the samples that it chooses.
    pub fn skip(mut self, samples: u64) -> Self {
        self.skip = samples;
        self
    }

    /// At most so many samples.
    pub fn limit(mut self, samples: u64) -> Self {
        self.limit = Some(samples);
        self
    }

    /// The tags as SQL wants them: a JSON list, or nothing where samples need none.
    fn tags_parameter(&self) -> Option<String> {
        (!self.tags.is_empty()).then(|| serde_json::Value::from(self.tags.as_slice()).to_string())
    }
}

/// What chooses samples, apart from `skip` and `limit`: behind which id, tags, media type, not done by which run.
const CHOSEN: &str = "FROM samples
    WHERE id > ?1
      AND (?2 IS NULL OR EXISTS (SELECT 1 FROM tags
           WHERE sample_id = samples.id AND tag IN (SELECT value FROM json_each(?2))))
      AND (?3 IS NULL OR media_type = ?3)
      AND (?4 IS NULL OR NOT EXISTS
           (SELECT 1 FROM run_samples WHERE run_id = ?4 AND sample_id = samples.id))";

/// How many samples a selection chooses.
pub(super) fn count(connection: &Connection, selection: &Selection) -> Result<u64, Reason> {
    let media_type = selection.media_type.map(media_type_name);
    let chosen: u64 = connection.query_row(
        &format!("SELECT count(*) {CHOSEN}"),
        params![0, selection.tags_parameter(), media_type, None::<i64>],
        |row| row.get(0),
    )?;
    let rest = chosen.saturating_sub(selection.skip);
    Ok(selection.limit.map_or(rest, |limit| rest.min(limit)))
}

/// A sample of a dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its number in the dataset.
    pub id: SampleId,
    /// What is known about it.
    pub record: SampleRecord,
}

/// Samples in the order in which they were added. It has a connection of its own, so it may be read on one thread
/// while another writes; and it holds no more than a page of samples.
#[derive(Debug)]
pub struct Samples {
    database: Database,
    fields: HashMap<i64, Field>,
    tags: Option<String>,
    media_type: Option<MediaType>,
    /// How many to pass over before the first.
    skip: u64,
    /// How many may still come.
    left: u64,
    /// Leave out those that this run has done.
    not_done_by: Option<i64>,
    page: vec::IntoIter<Row>,
    last: SampleId,
    ended: bool,
}

#[derive(Debug)]
struct Field {
    name: String,
    label_type: String,
}

impl Field {
    /// That what the field has of `sample` is no such label.
    fn unreadable(&self, sample: SampleId, source: serde_json::Error) -> Reason {
        Reason::Label {
            field: self.name.clone(),
            sample: sample.to_string(),
            source,
        }
    }
}

#[derive(Debug)]
struct Row {
    id: SampleId,
    filepath: String,
    media_type: String,
    metadata: Option<String>,
}

impl Samples {
    /// Reads what stands in the dataset now; what others write meanwhile is not seen.
    pub(super) fn snapshot(database: Database, selection: &Selection) -> Result<Self, DatasetError> {
        database.with(|connection| Ok(connection.execute_batch("BEGIN")?))?;
        Self::new(database, selection, None)
    }

    /// Reads samples that a run has not done. Each page is read as it stands then: a run may take days, and a
    /// snapshot would keep SQLite from reusing the log for as long.
    pub(super) fn pending(database: Database, selection: &Selection, run: i64) -> Result<Self, DatasetError> {
        Self::new(database, selection, Some(run))
    }

    fn new(
        database: Database,
        selection: &Selection,
        not_done_by: Option<i64>,
    ) -> Result<Self, DatasetError> {
        Ok(Self {
            fields: database.with(|connection| selected_fields(connection, &selection.fields))?,
            database,
            tags: selection.tags_parameter(),
            media_type: selection.media_type,
            skip: selection.skip,
            left: selection.limit.unwrap_or(u64::MAX),
            not_done_by,
            page: Vec::new().into_iter(),
            last: SampleId(0),
            ended: false,
        })
    }

    fn next_sample(&mut self) -> Result<Option<Sample>, DatasetError> {
        if self.page.as_slice().is_empty() {
            self.page = self
                .database
                .with(|connection| self.read_page(connection))?
                .into_iter();
            self.skip = 0;
            self.left -= self.page.len() as u64;
        }
        let Some(row) = self.page.next() else {
            return Ok(None);
        };
        self.last = row.id;
        let record = self
            .database
            .with(|connection| self.read_record(connection, &row))?;
        Ok(Some(Sample { id: row.id, record }))
    }

    fn read_page(&self, connection: &Connection) -> Result<Vec<Row>, Reason> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT id, filepath, media_type, metadata {CHOSEN} ORDER BY id LIMIT ?5 OFFSET ?6"
        ))?;
        let rows = statement.query_map(
            params![
                self.last.0,
                self.tags,
                self.media_type.map(media_type_name),
                self.not_done_by,
                self.left.min(PAGE),
                self.skip
            ],
            |row| {
                Ok(Row {
                    id: SampleId(row.get(0)?),
                    filepath: row.get(1)?,
                    media_type: row.get(2)?,
                    metadata: row.get(3)?,
                })
            },
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn read_record(&self, connection: &Connection, row: &Row) -> Result<SampleRecord, Reason> {
        let metadata = row
            .metadata
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(|source| Reason::Corrupt {
                what: "a file's metadata",
                source,
            })?;
        let mut record = SampleRecord {
            filepath: row.filepath.clone(),
            media_type: match row.media_type.as_str() {
                "video" => MediaType::Video,
                _ => MediaType::Image,
            },
            metadata,
            tags: tags::of_sample(connection, row.id)?,
            ..SampleRecord::default()
        };
        if self.not_done_by.is_none() {
            record.warnings = warnings_of(connection, row.id)?;
        }
        if !self.fields.is_empty() {
            self.read_labels(connection, row.id, &mut record)?;
            self.read_vectors(connection, row.id, &mut record)?;
        }
        Ok(record)
    }

    fn read_labels(
        &self,
        connection: &Connection,
        sample: SampleId,
        record: &mut SampleRecord,
    ) -> Result<(), Reason> {
        let mut statement =
            connection.prepare_cached("SELECT field_id, frame, label FROM labels WHERE sample_id = ?")?;
        let mut rows = statement.query([sample.0])?;
        while let Some(row) = rows.next()? {
            if let Some(field) = self.fields.get(&row.get(0)?) {
                let text = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
                let label = decode_label(&field.label_type, text)
                    .map_err(|source| field.unreadable(sample, source))?;
                put(record, row.get(1)?, field, label);
            }
        }
        Ok(())
    }

    fn read_vectors(
        &self,
        connection: &Connection,
        sample: SampleId,
        record: &mut SampleRecord,
    ) -> Result<(), Reason> {
        let mut statement = connection
            .prepare_cached("SELECT field_id, frame, shape, vector FROM embeddings WHERE sample_id = ?")?;
        let mut rows = statement.query([sample.0])?;
        while let Some(row) = rows.next()? {
            if let Some(field) = self.fields.get(&row.get(0)?) {
                let shape: Option<String> = row.get(2)?;
                let bytes = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
                let label = decode_vector(shape.as_deref(), bytes)
                    .map_err(|source| field.unreadable(sample, source))?;
                put(record, row.get(1)?, field, label);
            }
        }
        Ok(())
    }
}

impl Iterator for Samples {
    type Item = Result<Sample, DatasetError>;

    /// The next sample. After an error there is none.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_sample().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// What runs have found wrong with the file of a sample.
fn warnings_of(connection: &Connection, sample: SampleId) -> Result<Vec<String>, Reason> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT warning FROM run_samples
         WHERE run_id IN (SELECT id FROM runs) AND sample_id = ? AND warning IS NOT NULL",
    )?;
    let warnings = statement.query_map([sample.0], |row| row.get(0))?;
    Ok(warnings.collect::<Result<_, _>>()?)
}

fn put(record: &mut SampleRecord, frame: u64, field: &Field, label: Label) {
    let fields = if frame == WHOLE_SAMPLE {
        &mut record.labels.sample
    } else {
        record.labels.frames.entry(frame).or_default()
    };
    fields.insert(field.name.clone(), label);
}

fn selected_fields(
    connection: &Connection,
    selected: &SelectedFields,
) -> Result<HashMap<i64, Field>, Reason> {
    let mut fields = HashMap::new();
    let mut statement = connection.prepare("SELECT id, name, type FROM fields")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let field = Field {
            name: row.get(1)?,
            label_type: row.get(2)?,
        };
        fields.insert(row.get(0)?, field);
    }
    if let SelectedFields::Named(names) = selected {
        if let Some(missing) = names
            .iter()
            .find(|name| fields.values().all(|field| field.name != **name))
        {
            let mut known: Vec<String> = fields.into_values().map(|field| field.name).collect();
            known.sort();
            known.dedup();
            return Err(Reason::NoSuchField {
                name: missing.clone(),
                known,
            });
        }
        fields.retain(|_, field| names.contains(&field.name));
    }
    Ok(fields)
}
