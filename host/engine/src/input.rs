//! From what the user named to samples.

use crate::{
    EngineError,
    sample::{Beside, Sample, SampleError, folder_of, sample_in, sample_of_file, samples_of},
};
use modelzoo_base::{
    error::NextStep,
    file::{about, absolute},
};
use modelzoo_data::{
    dataset::{Dataset, Selection},
    format::{
        Format, Losses,
        import::{ImportOptions, detect, import_dataset},
    },
    input::{Content, InputOptions, Inputs, MediaKind},
    output::Temporary,
    record::path_to_text,
    shard::Shard,
    video::{Sampling, Video},
};
use modelzoo_plugin_api::MediaType;
use modelzoo_storage::is_url;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Samples to work on: files, a dataset, or a file with labels that another program or an earlier run has written.
#[derive(Debug)]
pub struct Input {
    kind: Kind,
    losses: Losses,
    notes: Vec<String>,
}

#[derive(Debug)]
enum Kind {
    Files {
        named: Vec<PathBuf>,
        options: InputOptions,
        inputs: Inputs,
    },
    /// A file with labels, read into a dataset for the time of the run: so it may be of any length. Or a dataset that is
    /// only read.
    Read {
        samples: Dataset,
        folder: PathBuf,
        beside: Beside,
        _temporary: Option<(TempDir, Temporary)>,
    },
    Dataset(Dataset),
}

/// How much there is to work on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// How many pictures.
    pub pictures: u64,
    /// How many videos.
    pub videos: u64,
    /// How many frames these have together, about; `None` where some do not tell, or there are too many to ask.
    pub frames: Option<u64>,
    /// Whether there are more, in archives that would have to be fetched to know how many.
    pub is_least: bool,
}

impl Extent {
    /// How many frames of the videos are looked at, as far as the files tell. `first_videos` are the first of them.
    fn frames_of(&self, first_videos: &[PathBuf], sampling: &Sampling) -> Option<u64> {
        if self.videos > first_videos.len() as u64 {
            return None;
        }
        let frames = |path: &PathBuf| {
            let video = Video::open(path).ok()?;
            let metadata = video.metadata();
            sampling.count_of(metadata.total_frame_count?, metadata.frame_rate)
        };
        first_videos.iter().map(frames).sum()
    }
}

/// Why a sample cannot be in a dataset, which leads to its files by their paths.
const CONTAINED: &str = "it is in an archive or a table, which a dataset cannot lead back to";

/// At most so many videos are asked for their frames: each costs the start of a program.
const ASKED_VIDEOS: u64 = 64;

/// Samples, each with its place among all of the input.
pub(crate) type PlacedSamples<'a> = Box<dyn Iterator<Item = (u64, Result<Sample, SampleError>)> + Send + 'a>;

/// Samples, one after the other.
pub(crate) type SampleIterator<'a> = Box<dyn Iterator<Item = Result<Sample, SampleError>> + Send + 'a>;

impl Input {
    /// Finds out what is named: a dataset, known by its content; a JSON Lines file, a COCO dataset's JSON file or a
    /// FiftyOne dataset's folder; or else folders, globs, files, list files, archives and tables, in any number, here or
    /// behind URLs.
    ///
    /// # Errors
    /// When there is nothing of the name, or it cannot be read.
    pub fn resolve<P: AsRef<Path>>(named: &[P]) -> Result<Self, EngineError> {
        Self::resolve_with(named, &InputOptions::default())
    }

    /// The same, read as `options` say.
    ///
    /// # Errors
    /// As for [`Input::resolve`].
    pub fn resolve_with<P: AsRef<Path>>(named: &[P], options: &InputOptions) -> Result<Self, EngineError> {
        if let [one] = named {
            let path = one.as_ref();
            if Dataset::is_at(path) {
                return Ok(Self::of(Kind::Dataset(Dataset::open(path)?)));
            }
            match detect(path) {
                Some(format) if format.has_bare_pictures(path) => {
                    let inputs = Inputs::resolve_with(named, &MediaKind::ALL, options)?;
                    let named = vec![path.to_owned()];
                    return Ok(Self {
                        notes: vec![format!(
                            "{}: its labels ({format}) are passed over; `modelzoo dataset import` reads them",
                            path.display()
                        )],
                        ..Self::of(Kind::Files {
                            named,
                            options: options.clone(),
                            inputs,
                        })
                    });
                }
                // A table is one of pictures; labels are not read of it.
                Some(format) if format != Format::Parquet && path.exists() => return Self::import(path),
                _ => {}
            }
        }
        if let Some(dataset) = named.iter().find(|path| Dataset::is_at(path)) {
            return Err(EngineError::InvalidOption {
                problem: format!(
                    "{} is a dataset, which cannot be one of several inputs",
                    dataset.as_ref().display()
                ),
                next_step: NextStep::AddToDataset {
                    path: dataset.as_ref().to_owned(),
                },
            });
        }
        Ok(Self::of(Kind::Files {
            inputs: Inputs::resolve_with(named, &MediaKind::ALL, options)?,
            options: options.clone(),
            named: named.iter().map(|path| path.as_ref().to_owned()).collect(),
        }))
    }

    /// As [`Input::resolve`], where what a model says is to be compared with the labels that are there: these are read also
    /// where they lie beside pictures, as those of YOLO and Pascal VOC do, and a dataset is left as it is.
    ///
    /// # Errors
    /// As for [`Input::resolve`].
    pub fn resolve_labeled(path: &Path) -> Result<Self, EngineError> {
        if Dataset::is_at(path) {
            return Ok(Self::of(Kind::Read {
                samples: Dataset::open(path)?,
                folder: folder_of(path).to_owned(),
                beside: Beside::Folder,
                _temporary: None,
            }));
        }
        match detect(path) {
            Some(_) if path.exists() => Self::import(path),
            _ => Self::resolve(&[path]),
        }
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            losses: Losses::default(),
            notes: Vec::new(),
        }
    }

    fn import(path: &Path) -> Result<Self, EngineError> {
        let folder = std::env::temp_dir();
        let made = Temporary::make(|| tempfile::tempdir_in(&folder));
        let (registered, temporary) = made.map_err(|error| EngineError::Temporary {
            source: about(&folder, error),
            folder,
        })?;
        let mut samples = Dataset::create(temporary.path().join("samples.sqlite"))?;
        let summary = import_dataset(&mut samples, detect(path), path, &ImportOptions::default())?;
        let folder = if path.is_dir() { path } else { folder_of(path) };
        Ok(Self {
            kind: Kind::Read {
                samples,
                folder: folder.to_owned(),
                beside: Beside::CurrentFolder,
                _temporary: Some((temporary, registered)),
            },
            losses: summary.losses,
            notes: summary.notes,
        })
    }

    /// What is wrong with the input itself, apart from its samples: labels and lines that could not be read, and folders
    /// where their samples were put into a dataset.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// What is doubtful about the input, a line each: files that were passed over (once all were looked at), that are not
    /// there, that are elsewhere than expected.
    pub fn notes(&self) -> Vec<String> {
        match &self.kind {
            Kind::Files { inputs, .. } => [self.notes.clone(), inputs.passed_over()].concat(),
            _ => self.notes.clone(),
        }
    }

    /// The dataset, where it is one.
    pub fn dataset(&self) -> Option<&Dataset> {
        match &self.kind {
            Kind::Dataset(dataset) => Some(dataset),
            _ => None,
        }
    }

    /// The dataset, where it is one, to be written.
    pub(crate) fn dataset_mut(&mut self) -> Option<&mut Dataset> {
        match &mut self.kind {
            Kind::Dataset(dataset) => Some(dataset),
            _ => None,
        }
    }

    /// Puts the samples into a new dataset at `path`, with the labels that they have, and makes that the input.
    ///
    /// # Errors
    /// When there is a file at `path`, the dataset cannot be written, or this is one already.
    pub fn into_dataset(self, path: &Path) -> Result<Self, EngineError> {
        let dataset = Dataset::create(path)?;
        let mut writer = dataset.writer()?;
        let mut losses = self.losses.clone();
        for sample in self.all_samples()? {
            let Sample {
                mut record,
                path,
                content,
                ..
            } = match sample {
                Ok(sample) => sample,
                // A folder or a line costs itself alone.
                Err(SampleError::Input(error)) => {
                    losses.add(error.to_string());
                    continue;
                }
                Err(SampleError::Dataset(error)) => return Err(error.into()),
            };
            if content != Content::AtPath {
                losses.add(format!("{}: {CONTAINED}", path.display()));
                continue;
            }
            record.filepath = match is_url(&path) {
                true => path_to_text(&path),
                false => path_to_text(&absolute(&path)),
            };
            writer.add(record)?;
        }
        writer.finish()?;
        Ok(Self {
            kind: Kind::Dataset(dataset),
            losses,
            notes: self.notes(),
        })
    }

    /// Leaves out what is none of the model's: pictures, where it takes whole videos.
    pub(crate) fn restrict_to(&mut self, media_type: MediaType) -> Result<(), EngineError> {
        if let (
            Kind::Files {
                named,
                options,
                inputs,
            },
            MediaType::Video,
        ) = (&mut self.kind, media_type)
        {
            *inputs = Inputs::resolve_with(named, &[MediaKind::Video], options)?;
        }
        Ok(())
    }

    /// How many samples there are for a model that takes `media_type`; `None` where that would take as long as reading all
    /// of them. Walks all files.
    ///
    /// # Errors
    /// When a dataset cannot be read.
    pub fn count(&self, media_type: MediaType) -> Result<Option<u64>, EngineError> {
        Ok(Some(match &self.kind {
            Kind::Files { inputs, .. } => return Ok(inputs.count().map(|count| count as u64)),
            Kind::Dataset(dataset) if media_type == MediaType::Video => {
                dataset.count(&Selection::without_labels().with_media_type(media_type))?
            }
            Kind::Read { samples, .. } | Kind::Dataset(samples) => samples.len()?,
        }))
    }

    /// How much there is of each kind, for what the user is told beforehand. Walks all files, and asks a few videos how
    /// many frames they have.
    ///
    /// # Errors
    /// When a dataset cannot be read.
    pub fn extent(&self, sampling: &Sampling) -> Result<Extent, EngineError> {
        let (mut extent, mut first_videos) = (Extent::default(), Vec::new());
        let (samples, folder, beside) = match &self.kind {
            Kind::Files { inputs, .. } => {
                let mut files = inputs.names();
                for file in files.by_ref() {
                    match file {
                        Ok(file) if file.kind == MediaKind::Video => {
                            extent.videos += 1;
                            if extent.videos <= ASKED_VIDEOS {
                                first_videos.push(file.path);
                            }
                        }
                        // What cannot be found is told by the run.
                        Ok(_) | Err(_) => extent.pictures += 1,
                    }
                }
                extent.is_least = files.has_left_out();
                extent.frames = extent.frames_of(&first_videos, sampling);
                return Ok(extent);
            }
            Kind::Read {
                samples,
                folder,
                beside,
                ..
            } => (samples, folder.as_path(), *beside),
            Kind::Dataset(dataset) => (dataset, folder_of(dataset.path()), Beside::Folder),
        };
        let videos = Selection::without_labels().with_media_type(MediaType::Video);
        extent.videos = samples.count(&videos)?;
        extent.pictures = samples.len()?.saturating_sub(extent.videos);
        for sample in samples.samples(&videos.limit(ASKED_VIDEOS))? {
            first_videos.push(sample_in(folder, sample?, beside).path);
        }
        extent.frames = extent.frames_of(&first_videos, sampling);
        Ok(extent)
    }

    /// The samples of one shard with all of their labels, each with its place in the whole input, counted from 0. An error
    /// that there is no going on after is every shard's.
    pub(crate) fn samples_of_shard(&self, shard: Shard) -> Result<PlacedSamples<'_>, EngineError> {
        let samples: SampleIterator<'_> = match &self.kind {
            Kind::Files { inputs, .. } => Box::new(
                inputs
                    .iter_with_contents_of(move |name| shard.takes(name))
                    .map(|file| Ok(sample_of_file(file?))),
            ),
            _ => self.all_samples()?,
        };
        let placed = (0..).zip(samples);
        Ok(Box::new(placed.filter(move |(_, sample)| is_of(sample, shard))))
    }

    /// How many samples of one shard there are, as [`Input::count`] has it of all.
    ///
    /// # Errors
    /// When a dataset cannot be read.
    pub(crate) fn count_of_shard(&self, shard: Shard) -> Result<Option<u64>, EngineError> {
        let Kind::Files { inputs, .. } = &self.kind else {
            return Ok(Some(self.samples_of_shard(shard)?.count() as u64));
        };
        let mut names = inputs.names();
        let samples = names.by_ref().map(|file| Ok(sample_of_file(file?)));
        let count = samples.filter(|sample| is_of(sample, shard)).count();
        Ok((!names.has_left_out()).then_some(count as u64))
    }

    /// All samples with all of their labels.
    pub(crate) fn all_samples(&self) -> Result<SampleIterator<'_>, EngineError> {
        Ok(match &self.kind {
            Kind::Files { inputs, .. } => Box::new(inputs.iter().map(|file| Ok(sample_of_file(file?)))),
            Kind::Read {
                samples,
                folder,
                beside,
                ..
            } => {
                let (folder, beside) = (folder.clone(), *beside);
                let samples = samples.samples(&Selection::all())?;
                Box::new(samples.map(move |sample| {
                    // Its number is that of a passing dataset, and means nothing to anybody.
                    let mut sample = sample_in(&folder, sample?, beside);
                    sample.id = None;
                    Ok(sample)
                }))
            }
            Kind::Dataset(dataset) => {
                Box::new(samples_of(dataset.path(), dataset.samples(&Selection::all())?))
            }
        })
    }
}

/// Whether a sample is one of the shard's.
fn is_of(sample: &Result<Sample, SampleError>, shard: Shard) -> bool {
    match sample {
        Ok(sample) if sample.relative_path.as_os_str().is_empty() => shard.takes(&sample.path),
        Ok(sample) => shard.takes(&sample.relative_path),
        Err(SampleError::Input(error)) => shard.takes(error.path().unwrap_or(Path::new(""))),
        Err(SampleError::Dataset(_)) => true,
    }
}
