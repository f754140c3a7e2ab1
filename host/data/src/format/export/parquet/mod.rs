//! Parquet: a row for each sample, its labels in nested columns ([`columns`] says which), embeddings as lists of single
//! precision. The file's metadata holds the export's facts under keys that begin with `modelzoo.`.

mod columns;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_json::ReaderBuilder;
use arrow_json::reader::Decoder;
use arrow_schema::{ArrowError, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use self::columns::{Column, row, schema};
use super::{ExportOptions, FormatError, RecordWriter, SampleRecord, Summary};
use crate::format::import::import_json_lines;
use crate::output::{AtomicFile, OutputError};

/// How many samples are put into columns at once.
const BATCH: usize = 1024;

/// How many bytes of columns are kept before they are written, roughly.
const ROW_GROUP_BYTES: usize = 64 << 20;

pub(super) struct Writer {
    path: PathBuf,
    columns: Vec<Column>,
    file: ArrowWriter<AtomicFile>,
    decoder: Decoder,
    waiting: Vec<Value>,
    samples: u64,
}

impl Writer {
    /// Writes these columns; labels of other fields are not written.
    fn create(path: &Path, columns: Vec<Column>, options: &ExportOptions) -> Result<Self, FormatError> {
        let facts = options.facts.iter();
        let facts = facts.map(|(name, fact)| (format!("modelzoo.{name}"), fact.clone()));
        let schema = Arc::new(Schema::new_with_metadata(
            schema(&columns),
            facts.collect::<HashMap<_, _>>(),
        ));
        let file = AtomicFile::create(path)?;
        let make = || -> Result<_, ArrowError> {
            let properties = WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .build();
            let decoder = ReaderBuilder::new(Arc::clone(&schema))
                .with_batch_size(BATCH)
                .build_decoder()?;
            Ok((ArrowWriter::try_new(file, schema, Some(properties))?, decoder))
        };
        let (file, decoder) = make().map_err(|error| failure(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            columns,
            file,
            decoder,
            waiting: Vec::with_capacity(BATCH),
            samples: 0,
        })
    }

    fn write_batch(&mut self) -> Result<(), ArrowError> {
        self.decoder.serialize(&self.waiting)?;
        self.waiting.clear();
        if let Some(batch) = self.decoder.flush()? {
            self.file.write(&batch)?;
        }
        if self.file.in_progress_size() >= ROW_GROUP_BYTES {
            self.file.flush()?;
        }
        Ok(())
    }
}

impl RecordWriter for Writer {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        self.samples += 1;
        self.waiting.push(row(record, &self.columns));
        if self.waiting.len() >= BATCH {
            self.write_batch().map_err(|error| failure(&self.path, error))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, FormatError> {
        self.write_batch().map_err(|error| failure(&self.path, error))?;
        let file = self
            .file
            .into_inner()
            .map_err(|error| failure(&self.path, error.into()))?;
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
        Some(fields) => Box::new(Writer::create(path, columns::of_fields(fields), options)?),
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
        let mut writer = Box::new(Writer::create(&self.path, columns, &self.options)?);
        import_json_lines(self.file.path(), &mut |record| writer.write(&record))?;
        writer.finish()
    }
}

fn failure(path: &Path, error: ArrowError) -> FormatError {
    let source = match error {
        ArrowError::IoError(_, source) => source,
        other => std::io::Error::other(other.to_string()),
    };
    OutputError::new(path, source).into()
}
