use crate::{
    plan::{Plan, PlannedStep},
    results::{facts, names_dataset, unknown_format},
};
use modelzoo_data::{
    dataset::Dataset,
    format::{
        Format, FormatError,
        export::{self, ExportOptions, RecordWriter, Summary},
    },
    output::{OutputError, OutputFile},
    record::SampleRecord,
    shard::{ShardError, ShardRecord, ShardSet},
};
use modelzoo_engine::EngineError;
use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

/// The results of all shards of an input in one file or folder, as one run would have written them; gives how many samples
/// there are, and what the format could not hold.
#[derive(Debug)]
pub struct ShardMerge<F> {
    shards: ShardSet,
    /// None for a dataset.
    format: Option<Format>,
    path: PathBuf,
    progress: F,
}

impl<F: FnMut()> ShardMerge<F> {
    /// Writes to `path` in `format`, or as the ending of `path` says, a new dataset included. `progress` is called for each
    /// sample.
    ///
    /// # Errors
    /// When the format cannot be told.
    pub fn new(
        shards: ShardSet,
        path: impl Into<PathBuf>,
        format: Option<Format>,
        progress: F,
    ) -> Result<Self, EngineError> {
        let path = path.into();
        let is_dataset = format.is_none() && names_dataset(&path);
        let format = format.or_else(|| Format::from_path(&path));
        if format.is_none() && !is_dataset {
            return Err(unknown_format(&path));
        }
        Ok(Self {
            shards,
            format,
            path,
            progress,
        })
    }

    /// The shards.
    pub fn shards(&self) -> &ShardSet {
        &self.shards
    }

    /// The lines as they are: what they hold need not be understood.
    fn copy(mut self) -> Result<Summary, FormatError> {
        let mut file = OutputFile::create(&self.path)?;
        let path = &self.path;
        let progress = &mut self.progress;
        self.shards.lines(|_, line| {
            file.write_all(line)
                .map_err(|source| OutputError::new(path, source))?;
            progress();
            Ok::<(), FormatError>(())
        })?;
        file.commit()?;
        Ok(self.summary())
    }

    fn summary(&self) -> Summary {
        Summary {
            samples: self.shards.samples(),
            ..Summary::default()
        }
    }

    /// Hands each sample to `take`.
    fn records(
        &mut self,
        mut take: impl FnMut(SampleRecord) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        let progress = &mut self.progress;
        self.shards.lines(|path, line| {
            take(record(path, line)?)?;
            progress();
            Ok(())
        })
    }
}

impl<F: FnMut()> Plan for ShardMerge<F> {
    type Step = PlannedStep;
    type Outcome = Summary;
    type Error = FormatError;

    fn steps(&self) -> Result<Vec<PlannedStep>, FormatError> {
        let (path, samples) = (self.path.clone(), self.shards.samples());
        Ok(vec![match self.format {
            Some(format) => PlannedStep::Export {
                replaces: path.is_file(),
                path,
                format: format.name(),
                samples,
            },
            None => PlannedStep::CreateDataset { path, samples },
        }])
    }

    fn execute(mut self) -> Result<Summary, FormatError> {
        let path = self.path.clone();
        let format = match self.format {
            Some(Format::JsonLines) => return self.copy(),
            Some(format) => format,
            None => {
                Dataset::create_filled(&path, |dataset| {
                    let mut writer = dataset.writer()?;
                    self.records(|record| Ok(writer.add(record).map(drop)?))?;
                    Ok::<_, FormatError>(writer.finish()?)
                })?;
                return Ok(self.summary());
            }
        };
        let mut writer: Box<dyn RecordWriter> = export::create(format, &path, &self.options(format))?;
        self.records(|record| writer.write(&record))?;
        writer.finish()
    }
}

impl<F> ShardMerge<F> {
    /// What the format is told of the model, which every record says alike.
    fn options(&self, format: Format) -> ExportOptions {
        let Some(record) = self.shards.records().next() else {
            return ExportOptions::default();
        };
        let ShardRecord {
            classes,
            keypoints,
            skeleton,
            provenance,
            ..
        } = record.clone();
        ExportOptions {
            classes,
            keypoints,
            skeleton,
            confidences: true,
            facts: facts(&provenance, format),
            ..ExportOptions::default()
        }
    }
}

/// The sample on a line of the shard at `path`.
fn record(path: &Path, line: &[u8]) -> Result<SampleRecord, ShardError> {
    let problem = |error: &dyn std::fmt::Display| ShardError::Content {
        path: path.to_owned(),
        problem: format!("a line holds no sample: {error}"),
    };
    let value = serde_json::from_slice(line).map_err(|error| problem(&error))?;
    SampleRecord::from_json(value).map_err(|error| problem(&error))
}
