//! Where the results of a task go: standard output, a file or folder in some format, or a dataset.

use modelzoo_base::error::NextStep;
use modelzoo_data::{
    dataset::{Dataset, DatasetError, Provenance, Selection},
    format::{
        Format, FormatError,
        export::{self, ExportOptions, RecordWriter, Summary, export_dataset},
    },
    output::{JsonLinesWriter, OutputError},
    record::SampleRecord,
    shard::Shard,
};
use modelzoo_engine::{EngineError, Task};
use modelzoo_plugin_api::ModelInfo;
use modelzoo_storage::is_url;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// What comes of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Labels.
    Labels,
    /// An embedding for each sample or frame.
    Embeddings,
    /// Labels with an embedding each.
    PatchEmbeddings,
}

impl From<&Task> for Content {
    fn from(task: &Task) -> Self {
        match task {
            Task::Apply(_) => Self::Labels,
            Task::Embed(_) => Self::Embeddings,
            Task::EmbedPatches(_) => Self::PatchEmbeddings,
        }
    }
}

impl Content {
    fn fits(self, format: Format) -> bool {
        match self {
            Self::Labels => format.holds_labels(),
            Self::Embeddings => format.holds_embeddings(),
            Self::PatchEmbeddings => format.holds_labels() && format.holds_embeddings(),
        }
    }
}

/// Where results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To standard output, as JSON Lines.
    Stdout,
    /// To a file or folder.
    Path {
        /// Where it is.
        path: PathBuf,
        /// What is written there.
        format: Format,
    },
    /// To a dataset that is made for them.
    NewDataset(PathBuf),
    /// To the dataset that the samples come from, alone.
    Dataset,
    /// To the dataset that the samples come from, and from there to a file or folder.
    Export {
        /// Where it is.
        path: PathBuf,
        /// What is written there.
        format: Format,
    },
}

impl Destination {
    /// What the user named, before anything is done: the `output`, whose ending tells the format unless that is named as
    /// well. Without one, results go to standard output, or where the samples come from a dataset, into that.
    ///
    /// # Errors
    /// When the format cannot be told, or cannot hold what is to be written.
    pub fn of(
        output: Option<&Path>,
        format: Option<Format>,
        content: Content,
        from_dataset: bool,
    ) -> Result<Self, EngineError> {
        let Some(path) = output else {
            return Ok(if from_dataset { Self::Dataset } else { Self::Stdout });
        };
        let path = path.to_owned();
        if is_url(&path) {
            check_url(&path, format)?;
        }
        if format.is_none() && names_dataset(&path) {
            return if from_dataset {
                Err(EngineError::InvalidOption {
                    problem: format!("{}: results of a dataset stay in that dataset", path.display()),
                    next_step: NextStep::advice("leave it out, or name a file to export to"),
                })
            } else {
                Ok(Self::NewDataset(path))
            };
        }
        let format = match format.or_else(|| Format::from_path(&path)) {
            Some(format) => format,
            None => return Err(unknown_format(&path)),
        };
        check(format, content)?;
        Ok(if from_dataset {
            Self::Export { path, format }
        } else {
            Self::Path { path, format }
        })
    }

    /// The same for one shard of an input, which has a file of its own.
    ///
    /// # Errors
    /// When results do not go to a file, or to one whose rows do not stand by themselves.
    pub fn of_shard(self, shard: Shard) -> Result<Self, EngineError> {
        match self {
            Self::Path { path, format } if format.is_of_rows() => Ok(Self::Path {
                path: shard.path_of(&path),
                format,
            }),
            Self::Path { format, .. } => Err(EngineError::InvalidOption {
                problem: format!("the format {format} cannot be written in shards"),
                next_step: NextStep::advice(
                    "write .jsonl, .csv, .parquet or .npy; shards as .jsonl are put together to any format",
                ),
            }),
            _ => Err(EngineError::InvalidOption {
                problem: "the results of a shard go to a file".to_owned(),
                next_step: NextStep::advice("name one; the shard's number is added to its name"),
            }),
        }
    }

    /// What is written where, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Stdout => "write the results to standard output".to_owned(),
            Self::Path { path, format } => format!("write {} ({format})", path.display()),
            Self::NewDataset(path) => format!("make the dataset {}", path.display()),
            Self::Dataset => "write the results to the dataset".to_owned(),
            Self::Export { path, format } => {
                format!(
                    "write the results to the dataset, and from there to {} ({format})",
                    path.display()
                )
            }
        }
    }

    /// Exports the fields that a task has filled, where that is wanted. Says what the format could not hold.
    ///
    /// # Errors
    /// When the dataset cannot be read, or the export not be written.
    pub fn export(&self, dataset: &Dataset, task: &Task) -> Result<Summary, FormatError> {
        let Self::Export { path, format } = self else {
            return Ok(Summary::default());
        };
        let selection = Selection::all().with_fields(fields_of(dataset, task)?);
        let options = ExportOptions {
            confidences: true,
            ..ExportOptions::default()
        };
        export_dataset(dataset, &selection, *format, path, &options)
    }
}

/// Refuses what is not written in one go to a URL: datasets and folders.
fn check_url(path: &Path, format: Option<Format>) -> Result<(), EngineError> {
    let is_file = match format {
        Some(format) => !format.is_folder(),
        None => !names_dataset(path),
    };
    match is_file {
        true => Ok(()),
        false => Err(EngineError::InvalidOption {
            problem: format!(
                "{}: datasets and folders cannot be written to a URL",
                path.display()
            ),
            next_step: NextStep::advice(
                "write .jsonl, .csv, .parquet or .npy there, or name a place on this machine",
            ),
        }),
    }
}

/// Whether a path is one of a dataset, going by its ending.
pub(crate) fn names_dataset(path: &Path) -> bool {
    path.extension().is_some_and(|ending| {
        ["sqlite", "sqlite3", "db"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

pub(crate) fn unknown_format(path: &Path) -> EngineError {
    let written = Format::ALL.into_iter().filter(|format| format.is_written());
    EngineError::InvalidOption {
        problem: format!("{}: the name does not tell the format", path.display()),
        next_step: NextStep::NameFormat {
            formats: written.map(Format::name).collect(),
            endings: vec![".jsonl", ".csv", ".parquet", ".npy", ".sqlite"],
        },
    }
}

/// Refuses formats that cannot hold what is to be written.
fn check(format: Format, content: Content) -> Result<(), EngineError> {
    if content.fits(format) {
        return Ok(());
    }
    let others: Vec<&str> = Format::ALL
        .into_iter()
        .filter(|other| content.fits(*other))
        .map(Format::name)
        .collect();
    let what = match content {
        Content::Labels => "no labels, only embeddings",
        Content::Embeddings => "no embeddings",
        Content::PatchEmbeddings => "no labels with embeddings",
    };
    Err(EngineError::InvalidOption {
        problem: format!("the format {format} holds {what}"),
        next_step: NextStep::advice(format!("these formats do: {}", others.join(", "))),
    })
}

/// The fields that a task has filled.
fn fields_of(dataset: &Dataset, task: &Task) -> Result<Vec<String>, DatasetError> {
    let run = task.run_name();
    let patched = run.split_once('.').map(|(field, _)| field.to_owned());
    let mut fields: Vec<String> = dataset
        .fields()?
        .into_iter()
        .filter(|field| field.run.as_deref() == Some(&run) || patched.as_ref() == Some(&field.name))
        .map(|field| field.name)
        .collect();
    fields.dedup();
    Ok(fields)
}

/// Writes the results of samples that come from no dataset.
pub struct ResultWriter(Writer);

enum Writer {
    /// Results are stored elsewhere.
    None,
    /// To standard output.
    Stdout(JsonLinesWriter),
    /// To a file or folder.
    Format(Box<dyn RecordWriter>),
}

impl fmt::Debug for ResultWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ResultWriter")
    }
}

impl ResultWriter {
    /// Begins to write. `info` and `provenance` are what made the results, of which formats tell as much as they have a place
    /// for.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn create(
        destination: &Destination,
        info: &ModelInfo,
        provenance: &Provenance,
    ) -> Result<Self, FormatError> {
        Ok(Self(match destination {
            Destination::Stdout => Writer::Stdout(JsonLinesWriter::stdout()),
            Destination::Path { path, format } => Writer::Format(export::create(
                *format,
                path,
                &options(info, provenance, *format),
            )?),
            Destination::NewDataset(_) | Destination::Dataset | Destination::Export { .. } => Writer::None,
        }))
    }

    /// A writer that writes nothing.
    pub fn none() -> Self {
        Self(Writer::None)
    }

    /// Writes a sample.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        match &mut self.0 {
            Writer::None => Ok(()),
            Writer::Stdout(lines) => Ok(lines.write(record)?),
            Writer::Format(writer) => writer.write(record),
        }
    }

    /// Puts the results in their place, and says what the format could not hold.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn finish(self) -> Result<Summary, FormatError> {
        match self.0 {
            Writer::None => Ok(Summary::default()),
            Writer::Stdout(lines) => {
                let finished: Result<(), OutputError> = lines.finish();
                finished?;
                Ok(Summary::default())
            }
            Writer::Format(writer) => writer.finish(),
        }
    }
}

/// What formats want to know of the model.
fn options(info: &ModelInfo, provenance: &Provenance, format: Format) -> ExportOptions {
    ExportOptions {
        classes: info.classes.clone(),
        keypoints: info.keypoints.clone(),
        skeleton: info.skeleton.clone(),
        confidences: true,
        facts: facts(provenance, format),
        ..ExportOptions::default()
    }
}

/// What a format tells of where labels come from: Parquet, whose metadata nobody has to look at, all that would make them
/// again, as JSON.
pub(crate) fn facts(provenance: &Provenance, format: Format) -> BTreeMap<String, String> {
    let whole = || {
        // What was around the plugin changes no value, and not the bytes of what holds them either.
        let without_sandbox = Provenance {
            sandbox: Vec::new(),
            ..provenance.clone()
        };
        serde_json::to_string(&without_sandbox).ok()
    };
    let facts = [
        ("source", Some(provenance.source.clone())),
        ("model", Some(provenance.model.clone())),
        ("commit", provenance.commit.clone()),
        ("provenance", (format == Format::Parquet).then(whole).flatten()),
    ];
    let known = |(name, fact): (&str, Option<String>)| Some((name.to_owned(), fact?));
    facts.into_iter().filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(output: &str, format: Option<Format>, content: Content) -> Result<Destination, String> {
        Destination::of(Some(Path::new(output)), format, content, false).map_err(|error| error.to_string())
    }

    #[test]
    fn the_ending_tells_the_format_unless_it_is_named() {
        let path = |path: &str, format| Destination::Path {
            path: path.into(),
            format,
        };
        assert_eq!(
            of("a.jsonl", None, Content::Labels),
            Ok(path("a.jsonl", Format::JsonLines))
        );
        assert_eq!(
            of("a.npy", None, Content::Embeddings),
            Ok(path("a.npy", Format::Npy))
        );
        assert_eq!(
            of("a.json", Some(Format::Coco), Content::Labels),
            Ok(path("a.json", Format::Coco))
        );
        assert_eq!(
            of("a.DB", None, Content::Labels),
            Ok(Destination::NewDataset("a.DB".into()))
        );
        assert_eq!(
            of("a.json", None, Content::Labels).unwrap_err(),
            "a.json: the name does not tell the format"
        );
    }

    #[test]
    fn formats_that_cannot_hold_it_are_refused() {
        assert_eq!(
            of("a.npy", None, Content::Labels).unwrap_err(),
            "the format npy holds no labels, only embeddings"
        );
        assert_eq!(
            of("a.csv", None, Content::Embeddings).unwrap_err(),
            "the format csv holds no embeddings"
        );
        assert!(of("a.npy", None, Content::PatchEmbeddings).is_err());
        assert!(of("a.parquet", None, Content::PatchEmbeddings).is_ok());
    }
}
