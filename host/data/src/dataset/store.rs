//! Writing labels, inside of a transaction.

use super::{
    SampleId,
    encoding::{Encoded, encode},
    error::Reason,
};
use crate::{
    label::Fields,
    record::{field_name_problem, label_type},
};
use modelzoo_plugin_api::label::Label;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::BTreeMap;

/// Stands for the sample as a whole where a frame's number is asked for.
pub(super) const WHOLE_SAMPLE: u64 = 0;

/// On whose behalf labels are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Writer<'a> {
    /// An import: it may write every field.
    Import,
    /// A run: it may write the fields that it has made, and the one that it adds to.
    Run { id: i64, adds_to: Option<&'a str> },
}

/// Writes labels of one sample; each field that is given replaces what the sample has there. Does all or nothing.
pub(super) fn store(
    connection: &Connection,
    writer: Writer<'_>,
    sample: SampleId,
    labels: &Fields,
) -> Result<(), Reason> {
    connection.prepare_cached("SAVEPOINT sample")?.execute([])?;
    let result = store_labels(connection, writer, sample, labels);
    if result.is_err() {
        connection.prepare_cached("ROLLBACK TO sample")?.execute([])?;
    }
    connection.prepare_cached("RELEASE sample")?.execute([])?;
    result
}

fn store_labels(
    connection: &Connection,
    writer: Writer<'_>,
    sample: SampleId,
    labels: &Fields,
) -> Result<(), Reason> {
    for (name, label) in &labels.sample {
        let field = Field::obtain(connection, writer, name, false, label)?;
        field.clear(connection, sample)?;
        field.insert(connection, sample, WHOLE_SAMPLE, label)?;
    }
    let mut cleared: BTreeMap<&str, Field<'_>> = BTreeMap::new();
    for (&frame, fields) in &labels.frames {
        for (name, label) in fields {
            let field = Field::obtain(connection, writer, name, true, label)?;
            if !cleared.contains_key(name.as_str()) {
                field.clear(connection, sample)?;
            }
            field.insert(connection, sample, frame, label)?;
            cleared.insert(name, field);
        }
    }
    Ok(())
}

#[derive(Debug)]
struct Field<'a> {
    id: i64,
    name: &'a str,
}

impl<'a> Field<'a> {
    /// Finds the field, or makes it if there is none, and checks that `writer` may put `label` there.
    fn obtain(
        connection: &Connection,
        writer: Writer<'_>,
        name: &'a str,
        of_frames: bool,
        label: &Label,
    ) -> Result<Self, Reason> {
        let found = label_type(label).ok_or_else(|| Reason::UnknownType {
            field: name.to_owned(),
        })?;
        let field: Option<(i64, String, Option<i64>)> = connection
            .prepare_cached("SELECT id, type, run_id FROM fields WHERE name = ? AND of_frames = ?")?
            .query_row(params![name, of_frames], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((id, expected, owner)) = field else {
            return Self::make(connection, writer, name, of_frames, found);
        };
        if let Writer::Run { id, adds_to } = writer
            && owner != Some(id)
            && adds_to != Some(name)
        {
            return Err(Reason::NotOwned {
                field: name.to_owned(),
            });
        }
        if expected != found {
            return Err(Reason::OtherType {
                field: name.to_owned(),
                expected,
                found: found.to_owned(),
            });
        }
        Ok(Self { id, name })
    }

    fn make(
        connection: &Connection,
        writer: Writer<'_>,
        name: &'a str,
        of_frames: bool,
        label_type: &str,
    ) -> Result<Self, Reason> {
        if let Some(problem) = field_name_problem(name) {
            return Err(Reason::InvalidFieldName(problem));
        }
        let run = match writer {
            Writer::Import => None,
            Writer::Run { id, .. } => Some(id),
        };
        connection
            .prepare_cached("INSERT INTO fields (name, of_frames, type, run_id) VALUES (?, ?, ?, ?)")?
            .execute(params![name, of_frames, label_type, run])?;
        Ok(Self {
            id: connection.last_insert_rowid(),
            name,
        })
    }

    fn clear(&self, connection: &Connection, sample: SampleId) -> Result<(), Reason> {
        for statement in [
            "DELETE FROM labels WHERE sample_id = ? AND field_id = ?",
            "DELETE FROM embeddings WHERE sample_id = ? AND field_id = ?",
        ] {
            connection
                .prepare_cached(statement)?
                .execute(params![sample.0, self.id])?;
        }
        Ok(())
    }

    fn insert(
        &self,
        connection: &Connection,
        sample: SampleId,
        frame: u64,
        label: &Label,
    ) -> Result<(), Reason> {
        let encoded = encode(label).map_err(|source| Reason::Label {
            field: self.name.to_owned(),
            sample: sample.to_string(),
            source,
        })?;
        match encoded {
            Encoded::Label(label) => connection
                .prepare_cached("INSERT INTO labels (sample_id, field_id, frame, label) VALUES (?, ?, ?, ?)")?
                .execute(params![sample.0, self.id, frame, label])?,
            Encoded::Vector { shape, bytes } => connection
                .prepare_cached(
                    "INSERT INTO embeddings (sample_id, field_id, frame, shape, vector) VALUES (?, ?, ?, ?, ?)",
                )?
                .execute(params![sample.0, self.id, frame, shape, bytes])?,
        };
        Ok(())
    }
}
