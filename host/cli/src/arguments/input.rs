//! What is run over, and where the results go: the same for every command that asks a model.

use super::{DryRunArgument, format, number};
use clap::{Args, ValueEnum};
use modelzoo::{
    Content, Destination, EngineError, MemoryBudget, RunOptions, Shard,
    dataset::Existing,
    format::Format,
    input::InputOptions,
    media::{Decoder, Rescale},
    video::{FrameRange, Rate, Sampling},
};
use std::{
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
};

/// What to run over, and where the results go.
#[derive(Clone, Debug, Default, Args)]
pub struct InputArguments {
    /// Pictures and videos (folders, globs, files, .txt files that list them, .tar archives, .parquet tables; each may be a
    /// URL: s3://, gs://, az://, https://), a dataset, or a file with labels (JSON Lines, COCO, FiftyOne); then the field
    /// that the results go to
    #[arg(value_name = "INPUT]... [FIELD")]
    inputs_and_field: Vec<String>,

    /// Where the results go: .jsonl, .csv, .parquet, .npy, .sqlite (a new dataset), or as --format says; files may be URLs
    #[arg(short, long, value_name = "PATH", help_heading = "Output")]
    pub output: Option<PathBuf>,

    /// The output's format where its name does not tell: jsonl, csv, parquet, coco, coco-results, yolo, fiftyone,
    /// label-studio, npy
    #[arg(long, value_name = "FORMAT", value_parser = format, help_heading = "Output", requires = "output")]
    pub format: Option<Format>,

    /// Replace what the dataset has in the field, or do the shard again, whatever made it
    #[arg(long, help_heading = "Output")]
    pub overwrite: bool,

    #[command(flatten)]
    pub dry_run: DryRunArgument,

    /// Write what failed to this file: a line of JSON for each sample, frame or patch
    #[arg(long, value_name = "FILE", help_heading = "Failures")]
    pub failures: Option<PathBuf>,

    /// Do this part of the input alone: 3/32 is the third of 32. OUTPUT gets the shard's number; `dataset merge` puts
    /// all of them together
    #[arg(
        long,
        value_name = "I/N",
        requires = "output",
        help_heading = "Several machines"
    )]
    pub shard: Option<Shard>,

    /// Stop at the first failure instead of passing it over
    #[arg(long, help_heading = "Failures")]
    pub no_skip_failures: bool,

    /// How many pictures the model gets at once
    #[arg(short, long, value_name = "N", value_parser = number::batch_size, help_heading = "Speed")]
    pub batch_size: Option<NonZeroUsize>,

    /// How many threads decode pictures (default: every core)
    #[arg(long, value_name = "N", value_parser = number::threads, help_heading = "Speed")]
    pub workers: Option<NonZeroUsize>,

    /// How much memory files, pictures and frames may take, such as 500MB or 2GiB (default: a quarter of what there is); the
    /// model's own comes on top
    #[arg(
        long,
        value_name = "SIZE",
        allow_negative_numbers = true,
        help_heading = "Speed"
    )]
    pub memory: Option<MemoryBudget>,

    /// Refuse pictures with more pixels than this
    #[arg(long, value_name = "N", help_heading = "Speed")]
    pub max_pixels: Option<u64>,

    /// The column of .parquet inputs that holds the pictures, their paths or their URLs (default: the one that clearly does)
    #[arg(long, value_name = "NAME", help_heading = "Pictures")]
    pub column: Option<String>,

    /// How samples of more than 8 bits become 8 bits: by their range (the default), or stretched from the least to the
    /// greatest, or the same without 2 per cent at either end
    #[arg(long, value_name = "HOW", value_enum, help_heading = "Pictures")]
    pub rescale: Option<RescaleArgument>,

    /// Take this page of TIFF files that have several, counted from 1
    #[arg(long, value_name = "N", value_parser = number::counted::<NonZeroU32>, help_heading = "Pictures")]
    pub page: Option<NonZeroU32>,

    /// Take so many frames of each second of a video
    #[arg(long, value_name = "N", value_parser = number::frame_rate, conflicts_with = "every", help_heading = "Videos")]
    pub fps: Option<f64>,

    /// Take each Nth frame of a video
    #[arg(long, value_name = "N", value_parser = number::counted::<NonZeroU64>, help_heading = "Videos")]
    pub every: Option<NonZeroU64>,

    /// Take these frames of a video alone: 10-20, 10- or 10, counted from 1
    #[arg(long, value_name = "A-B", help_heading = "Videos")]
    pub frames: Option<FrameRange>,
}

impl InputArguments {
    /// The inputs, without the field.
    pub fn inputs(&self) -> &[String] {
        self.split().0
    }

    /// How the inputs are read.
    pub fn input_options(&self) -> InputOptions {
        InputOptions {
            column: self.column.clone(),
        }
    }

    /// The field that the results go to, where the user names one.
    pub fn field(&self) -> Option<&str> {
        self.split().1
    }

    /// Where the results go.
    ///
    /// # Errors
    /// When the format cannot be told, or cannot hold what is to be written.
    pub fn destination(&self, content: Content, from_dataset: bool) -> Result<Destination, EngineError> {
        let destination = Destination::of(self.output.as_deref(), self.format, content, from_dataset)?;
        match self.shard {
            Some(shard) => destination.of_shard(shard),
            None => Ok(destination),
        }
    }

    /// The file that tells what failed, where the user names one.
    pub fn failures(&self) -> Option<PathBuf> {
        let named = self.failures.as_deref()?;
        Some(match self.shard {
            Some(shard) => shard.path_of(named),
            None => named.to_owned(),
        })
    }

    /// What to do about values that there are already.
    pub fn existing(&self) -> Existing {
        if self.overwrite {
            Existing::Replace
        } else {
            Existing::Resume
        }
    }

    /// Which frames of videos are looked at.
    pub fn sampling(&self) -> Sampling {
        Sampling {
            frames: self.frames.unwrap_or_default(),
            rate: match (self.fps, self.every) {
                (Some(rate), _) => Rate::PerSecond(rate),
                (None, Some(step)) => Rate::Every(step),
                (None, None) => Rate::All,
            },
        }
    }

    /// How samples go through the model.
    pub fn run_options(&self) -> RunOptions {
        RunOptions {
            batch_size: self.batch_size,
            workers: self.workers,
            memory: self.memory,
            decoder: self.decoder(),
            sampling: self.sampling(),
            shard: self.shard,
            skip_failures: !self.no_skip_failures,
            ..RunOptions::default()
        }
    }

    fn decoder(&self) -> Decoder {
        let mut decoder = Decoder::default();
        if let Some(rescale) = self.rescale {
            decoder = decoder.with_rescale(rescale.into());
        }
        if let Some(page) = self.page {
            decoder = decoder.with_page(page);
        }
        if let Some(limit) = self.max_pixels {
            decoder = decoder.with_max_pixels(limit);
        }
        decoder
    }

    /// The last of several words is the field, if it looks like a field's name and there is no such file.
    fn split(&self) -> (&[String], Option<&str>) {
        match self.inputs_and_field.split_last() {
            Some((last, inputs))
                if !inputs.is_empty() && is_field_name(last) && !Path::new(last).exists() =>
            {
                (inputs, Some(last))
            }
            _ => (&self.inputs_and_field, None),
        }
    }
}

/// As [`Rescale`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RescaleArgument {
    Bits,
    MinMax,
    Percentile,
}

impl From<RescaleArgument> for Rescale {
    fn from(argument: RescaleArgument) -> Self {
        match argument {
            RescaleArgument::Bits => Self::Bits,
            RescaleArgument::MinMax => Self::MinMax,
            RescaleArgument::Percentile => Self::Percentile,
        }
    }
}

/// Whether `text` can name a field: letters, digits and `_`, no digit first; `frames.` before it names one of frames.
fn is_field_name(text: &str) -> bool {
    let name = text.strip_prefix("frames.").unwrap_or(text);
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(words: &[&str]) -> (Vec<String>, Option<String>) {
        let arguments = InputArguments {
            inputs_and_field: words.iter().map(|&word| word.to_owned()).collect(),
            ..InputArguments::default()
        };
        (arguments.inputs().to_vec(), arguments.field().map(str::to_owned))
    }

    #[test]
    fn the_last_word_is_the_field_unless_it_is_an_input() {
        assert_eq!(split(&["photos"]), (vec!["photos".to_owned()], None));
        assert_eq!(
            split(&["photos", "people"]),
            (vec!["photos".to_owned()], Some("people".to_owned()))
        );
        assert_eq!(split(&["a.jpg", "b.jpg"]).1, None);
        assert_eq!(
            split(&["a.mp4", "frames.people"]).1,
            Some("frames.people".to_owned())
        );
        // A folder of the package is an input, though it looks like a field.
        assert_eq!(split(&["Cargo.toml", "src"]).1, None);
    }
}
