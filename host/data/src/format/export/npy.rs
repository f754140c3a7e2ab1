//! NumPy's `.npy`: a matrix of single precision with a row for each sample, in their order. Samples without an
//! embedding have a row of NaN.

use super::{FormatError, RecordWriter, SampleRecord, Summary};
use crate::{
    format::Format,
    output::{OutputError, OutputFile},
};
use modelzoo_plugin_api::label::{Label, Vector};
use std::{
    io::{self, BufWriter, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

pub(super) struct NpyWriter {
    path: PathBuf,
    file: OutputFile,
    /// The rows wait here until their number is known, which stands in front of them.
    rows: BufWriter<std::fs::File>,
    field: Option<String>,
    dimensions: Option<usize>,
    /// How many samples came before the first embedding, when the length of a row was not known.
    missing_first: u64,
    missing: u64,
    /// How many samples have damaged files.
    damaged: u64,
    samples: u64,
}

impl NpyWriter {
    pub fn create(path: &Path) -> Result<Self, FormatError> {
        let rows = tempfile::tempfile().map_err(|source| OutputError::new(path, source))?;
        Ok(Self {
            file: OutputFile::create(path)?,
            path: path.to_owned(),
            rows: BufWriter::new(rows),
            field: None,
            dimensions: None,
            missing_first: 0,
            missing: 0,
            damaged: 0,
            samples: 0,
        })
    }

    /// The only embedding of a sample, of the same field and length as those before.
    fn embedding(&mut self, record: &SampleRecord) -> Result<Option<Vec<f32>>, FormatError> {
        let mut vectors = record
            .labels
            .sample
            .iter()
            .filter_map(|(field, label)| match label {
                Label::Vector(Vector { values, .. }) => Some((field, values)),
                _ => None,
            });
        let Some((field, values)) = vectors.next() else {
            return Ok(None);
        };
        let other = vectors.next().map(|(other, _)| other);
        if let Some(other) = other.or(self.field.as_ref().filter(|first| *first != field)) {
            let problem = format!("one field of embeddings fits into a file; choose `{field}` or `{other}`");
            return Err(FormatError::unsuitable(Format::Npy, problem));
        }
        self.field.get_or_insert_with(|| field.clone());
        let values = values.to_f32();
        let expected = *self.dimensions.get_or_insert(values.len());
        if values.len() != expected {
            let problem = format!(
                "all embeddings must have one length; that of {} has {} numbers and those before have {expected}",
                record.filepath,
                values.len()
            );
            return Err(FormatError::unsuitable(Format::Npy, problem));
        }
        Ok(Some(values))
    }

    fn write_row(&mut self, values: &[f32]) -> io::Result<()> {
        values
            .iter()
            .try_for_each(|value| self.rows.write_all(&value.to_le_bytes()))
    }

    fn write_missing(&mut self, count: u64) -> io::Result<()> {
        let row = vec![f32::NAN; self.dimensions.unwrap_or(0)];
        (0..count).try_for_each(|_| self.write_row(&row))
    }

    fn write_all(&mut self) -> io::Result<()> {
        self.rows.flush()?;
        let shape = (self.samples, self.dimensions.unwrap_or(0));
        self.file.write_all(&header(shape.0, shape.1))?;
        let rows = self.rows.get_mut();
        rows.seek(SeekFrom::Start(0))?;
        io::copy(rows, &mut self.file)?;
        Ok(())
    }
}

impl RecordWriter for NpyWriter {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        self.samples += 1;
        self.damaged += u64::from(!record.warnings.is_empty());
        let embedding = self.embedding(record)?;
        let written = match embedding {
            Some(values) => {
                let missing = std::mem::take(&mut self.missing_first);
                self.write_missing(missing).and_then(|()| self.write_row(&values))
            }
            None => {
                self.missing += 1;
                if self.dimensions.is_some() {
                    self.write_missing(1)
                } else {
                    self.missing_first += 1;
                    Ok(())
                }
            }
        };
        written.map_err(|source| OutputError::new(&self.path, source).into())
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, FormatError> {
        if self.dimensions.is_none() {
            let problem = "there are no embeddings among the samples";
            return Err(FormatError::unsuitable(Format::Npy, problem));
        }
        self.write_all()
            .map_err(|source| OutputError::new(&self.path, source))?;
        self.file.commit()?;
        let missing = (self.missing > 0)
            .then(|| format!("{} rows are NaN: these samples have no embedding", self.missing));
        let damaged = (self.damaged > 0).then(|| {
            format!(
                "{} rows are of damaged files: NPY has no place to tell so",
                self.damaged
            )
        });
        Ok(Summary {
            samples: self.samples,
            notes: missing.into_iter().chain(damaged).collect(),
            ..Summary::default()
        })
    }
}

/// The header of version 1.0, padded so that the numbers begin at a multiple of 64 bytes
/// (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
fn header(rows: u64, columns: usize) -> Vec<u8> {
    const BEFORE: usize = 10;
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let padding = (64 - (BEFORE + text.len() + 1) % 64) % 64;
    text.push_str(&" ".repeat(padding));
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((text.len() as u16).to_le_bytes());
    header.extend(text.as_bytes());
    header
}
