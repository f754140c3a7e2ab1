//! Parquet: a row for each sample, its labels in nested columns ([`columns`] says which), embeddings as lists of single
//! precision. The file's metadata holds the export's facts under keys that begin with `modelzoo.`.

mod arrow_schema;
mod columns;
mod schema;
mod shredder;
#[cfg(test)]
mod tests;

use self::{
    columns::{Column, row},
    schema::Field,
    shredder::Shredder,
};
use super::{ExportOptions, FormatError, RecordWriter, SampleRecord, Summary};
use crate::{
    format::{
        Format,
        import::{ImportReport, import_json_lines},
    },
    output::{OutputError, OutputFile},
};
use parquet::{
    basic::Compression,
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties, writer::SerializedFileWriter},
};
use std::{
    fs::File,
    io::{BufWriter, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// How many bytes of samples are kept before they are written, roughly.
const ROW_GROUP_BYTES: usize = 32 << 20;

pub(super) struct ParquetWriter {
    path: PathBuf,
    columns: Vec<Column>,
    file: SerializedFileWriter<OutputFile>,
    rows: Shredder,
    samples: u64,
}

impl ParquetWriter {
    /// Writes these columns; labels of other fields are not written.
    fn create(path: &Path, columns: Vec<Column>, options: &ExportOptions) -> Result<Self, FormatError> {
        let schema = columns::schema(&columns);
        let file = OutputFile::create(path)?;
        let file = begin(file, &schema, options).map_err(|error| failure(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            columns,
            file,
            rows: Shredder::new(&schema),
            samples: 0,
        })
    }

    fn write_rows(&mut self) -> Result<(), FormatError> {
        self.rows
            .write(&mut self.file)
            .map_err(|error| failure(&self.path, error))
    }
}

/// Begins the file, with the export's facts among its metadata.
fn begin(
    file: OutputFile,
    schema: &[Field],
    options: &ExportOptions,
) -> Result<SerializedFileWriter<OutputFile>, ParquetError> {
    let facts = options.facts.iter();
    let facts = facts.map(|(name, fact)| KeyValue::new(format!("modelzoo.{name}"), fact.clone()));
    let mut facts: Vec<KeyValue> = facts.collect();
    let arrow = arrow_schema::encode(schema, &facts);
    facts.push(KeyValue::new(arrow_schema::KEY.to_owned(), arrow));
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(facts))
        .build();
    SerializedFileWriter::new(file, schema::to_parquet(schema)?, Arc::new(properties))
}

impl RecordWriter for ParquetWriter {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        self.samples += 1;
        self.rows
            .push(&row(record, &self.columns))
            .map_err(|error| FormatError::unsuitable(Format::Parquet, error.to_string()))?;
        if self.rows.bytes() >= ROW_GROUP_BYTES {
            self.write_rows()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, FormatError> {
        if self.rows.bytes() > 0 {
            self.write_rows()?;
        }
        let file = self
            .file
            .into_inner()
            .map_err(|error| failure(&self.path, error))?;
        file.commit()?;
        Ok(Summary {
            samples: self.samples,
            ..Summary::default()
        })
    }
}

/// Begins a file. Where the fields are not known yet, the samples wait in a temporary file until all of them are.
pub(super) fn create(path: &Path, options: &ExportOptions) -> Result<Box<dyn RecordWriter>, FormatError> {
    Ok(match &options.fields {
        Some(fields) => Box::new(ParquetWriter::create(path, columns::of_fields(fields), options)?),
        None => Box::new(Waiting::create(path, options)?),
    })
}

struct Waiting {
    path: PathBuf,
    options: ExportOptions,
    columns: columns::Found,
    file: tempfile::NamedTempFile,
    lines: BufWriter<File>,
}

impl Waiting {
    fn create(path: &Path, options: &ExportOptions) -> Result<Self, FormatError> {
        let make = || -> std::io::Result<_> {
            let file = tempfile::NamedTempFile::new()?;
            let lines = BufWriter::new(file.reopen()?);
            Ok((file, lines))
        };
        let (file, lines) = make().map_err(|source| OutputError::new(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            columns: columns::Found::default(),
            file,
            lines,
        })
    }
}

impl RecordWriter for Waiting {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        self.columns.see(record);
        serde_json::to_writer(&mut self.lines, record)
            .map_err(std::io::Error::from)
            .and_then(|()| self.lines.write_all(b"\n"))
            .map_err(|source| OutputError::new(&self.path, source).into())
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, FormatError> {
        self.lines
            .flush()
            .and_then(|()| self.lines.seek(SeekFrom::Start(0)))
            .map_err(|source| OutputError::new(&self.path, source))?;
        let columns = self.columns.into_columns();
        let mut writer = Box::new(ParquetWriter::create(&self.path, columns, &self.options)?);
        let mut report = ImportReport::strict();
        import_json_lines(self.file.path(), &mut report, &mut |record, _, _| {
            writer.write(&record)
        })?;
        writer.finish()
    }
}

fn failure(path: &Path, error: ParquetError) -> FormatError {
    let source = match error {
        ParquetError::External(source) => source
            .downcast::<std::io::Error>()
            .map_or_else(std::io::Error::other, |source| *source),
        other => std::io::Error::other(other),
    };
    OutputError::new(path, source).into()
}
