use super::{InputArguments, ModelArguments, Setting, number};
use clap::{Args, ValueEnum};
use modelzoo::{
    ApplyOptions, RunOptions, is_url,
    slicing::{Merging, SliceOverlap, SliceSize, Slicing},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[derive(Clone, Debug, Args)]
pub struct ApplyArguments {
    #[command(flatten)]
    pub model: ModelArguments,

    #[command(flatten)]
    pub input: InputArguments,

    /// Leave out what the model is less sure of, 0 to 1
    #[arg(short = 't', long, value_name = "T", value_parser = number::confidence, help_heading = "Labels")]
    pub confidence_thresh: Option<f64>,

    /// Keep only these classes
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Labels")]
    pub classes: Option<Vec<String>>,

    /// Store the raw scores of all classes
    #[arg(long, help_heading = "Labels")]
    pub store_logits: bool,

    /// Look at slices of N x N pixels of larger pictures as well, and put together what is found: for small objects
    #[arg(long, value_name = "N", help_heading = "Labels")]
    pub slice: Option<SliceSize>,

    /// How much slices overlap, as a part of their size (default: 0.2)
    #[arg(long, value_name = "PART", requires = "slice", help_heading = "Labels")]
    pub slice_overlap: Option<SliceOverlap>,

    /// What becomes of an object that is found in several slices: one around all of them, or the surest of them
    /// (default: unite)
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        requires = "slice",
        help_heading = "Labels"
    )]
    pub slice_merge: Option<MergingArgument>,

    /// Number each object through the frames of a video (ByteTrack): the index of detections
    #[arg(long, help_heading = "Labels")]
    pub track: bool,

    /// Set an option of the model for its calls; VALUE is JSON, or text as it stands
    #[arg(long = "set-call", value_name = "KEY=VALUE", help_heading = "Model")]
    pub call_settings: Vec<Setting>,

    /// Give the model a field of the samples under the name that it knows
    #[arg(long = "sample-field", value_name = "NAME=FIELD", value_parser = sample_field, help_heading = "Model")]
    pub sample_fields: Vec<(String, String)>,

    /// Draw the labels on copies of the pictures and videos in this folder
    #[arg(long, value_name = "DIR", value_parser = local_folder, help_heading = "Output")]
    pub annotate: Option<PathBuf>,

    /// Write masks and maps as pictures to this folder; labels hold their paths
    #[arg(long, value_name = "DIR", value_parser = local_folder, conflicts_with = "shard", help_heading = "Output")]
    pub output_dir: Option<PathBuf>,

    /// Keep the pictures' sub-folders below this folder in --output-dir
    #[arg(long, value_name = "DIR", requires = "output_dir", help_heading = "Output")]
    pub rel_dir: Option<PathBuf>,
}

impl ApplyArguments {
    /// What the model is to do.
    pub fn options(&self) -> ApplyOptions {
        let mut options = ApplyOptions {
            confidence_threshold: self.confidence_thresh,
            classes: self.classes.clone(),
            store_logits: self.store_logits,
            slicing: self.slicing(),
            tracking: self.track,
            call_settings: self
                .call_settings
                .iter()
                .map(|setting| (setting.key.clone(), setting.value.clone()))
                .collect(),
            sample_fields: BTreeMap::from_iter(self.sample_fields.iter().cloned()),
            run: RunOptions {
                output_dir: self.output_dir.clone(),
                rel_dir: self.rel_dir.clone(),
                ..self.input.run_options()
            },
            ..ApplyOptions::default()
        };
        if let Some(field) = self.input.field() {
            field.clone_into(&mut options.label_field);
        }
        options
    }

    fn slicing(&self) -> Option<Slicing> {
        Some(Slicing {
            size: self.slice?,
            overlap: self.slice_overlap.unwrap_or_default(),
            merging: self.slice_merge.map(Merging::from).unwrap_or_default(),
        })
    }
}

/// As [`Merging`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MergingArgument {
    Unite,
    Suppress,
}

impl From<MergingArgument> for Merging {
    fn from(argument: MergingArgument) -> Self {
        match argument {
            MergingArgument::Unite => Self::Unite,
            MergingArgument::Suppress => Self::Suppress,
        }
    }
}

/// A folder that files are written to one by one.
fn local_folder(text: &str) -> Result<PathBuf, String> {
    match is_url(Path::new(text)) {
        true => Err("folders are written on this machine alone, not to a URL".to_owned()),
        false => Ok(text.into()),
    }
}

fn sample_field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, field)) if !name.is_empty() && !field.is_empty() => {
            Ok((name.to_owned(), field.to_owned()))
        }
        _ => Err("it has the form NAME=FIELD, for example prompt=caption".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_goes_to_a_name() {
        assert_eq!(sample_field("a=b"), Ok(("a".to_owned(), "b".to_owned())));
        assert!(sample_field("a").is_err() && sample_field("=b").is_err());
    }
}
