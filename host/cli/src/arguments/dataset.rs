use super::{DryRunArgument, JsonArgument, format};
use clap::{Args, Subcommand, ValueEnum};
use modelzoo::format::Format;
use std::path::PathBuf;

#[derive(Clone, Debug, Args)]
pub struct DatasetArguments {
    #[command(subcommand)]
    pub action: DatasetAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum DatasetAction {
    /// Make a dataset of pictures and videos
    Create(CreateArguments),
    /// Show what a dataset holds, and what made it
    Info(DatasetInfoArguments),
    /// Write a dataset in the format of another program
    Export(ExportArguments),
    /// Add what another program has written to a dataset
    Import(ImportArguments),
    /// Put together what runs with `--shard` have written
    Merge(MergeArguments),
}

/// How samples are added.
#[derive(Clone, Debug, Args)]
pub struct AddingArguments {
    /// Tags that every sample gets
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub tags: Vec<String>,

    /// Read size, format and length of every file now, where they are not known; models that run over them do it
    /// otherwise
    #[arg(long)]
    pub metadata: bool,

    #[command(flatten)]
    pub facts: JsonArgument,

    #[command(flatten)]
    pub dry_run: DryRunArgument,
}

#[derive(Clone, Debug, Args)]
pub struct CreateArguments {
    /// The dataset's file, which does not exist yet
    #[arg(value_name = "DATASET")]
    pub path: PathBuf,

    /// Pictures and videos: folders, globs, files, .txt files that list them
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,

    #[command(flatten)]
    pub adding: AddingArguments,
}

#[derive(Clone, Debug, Args)]
pub struct DatasetInfoArguments {
    /// The dataset's file
    #[arg(value_name = "DATASET")]
    pub path: PathBuf,

    #[command(flatten)]
    pub facts: JsonArgument,
}

#[derive(Clone, Debug, Args)]
pub struct ExportArguments {
    /// The dataset's file
    #[arg(value_name = "DATASET")]
    pub path: PathBuf,

    /// The file to write, or the folder for yolo and fiftyone
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// jsonl, csv, parquet, coco, coco-results, yolo, fiftyone, label-studio or npy (default: by the ending of OUT)
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    pub format: Option<Format>,

    /// Only these fields
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Selection")]
    pub fields: Option<Vec<String>>,

    /// Only samples with one of these tags
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Selection")]
    pub tags: Vec<String>,

    /// Only pictures, or only videos
    #[arg(long, value_enum, value_name = "TYPE", help_heading = "Selection")]
    pub media_type: Option<MediaTypeArgument>,

    /// Pass over the first so many samples
    #[arg(long, value_name = "N", default_value_t, help_heading = "Selection")]
    pub skip: u64,

    /// At most so many samples
    #[arg(long, value_name = "N", help_heading = "Selection")]
    pub limit: Option<u64>,

    /// What to do about the samples' own files, for yolo and fiftyone: copy them, make links to them, or leave them
    /// and write where they are
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "HOW",
        help_heading = "Format"
    )]
    pub media: MediaArgument,

    /// How coco and coco-results write masks: as outlines, which most programs read but which lose holes, or exactly
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "HOW",
        help_heading = "Format"
    )]
    pub masks: MasksArgument,

    /// The classes in the order of their numbers: a file with one a line, or their names (default: the model's own)
    #[arg(long, value_name = "FILE|A,B", help_heading = "Format")]
    pub classes: Option<String>,

    /// Write the confidence behind every box of yolo, as its programs write predictions
    #[arg(long, help_heading = "Format")]
    pub confidences: bool,

    /// A COCO dataset whose ids of images and categories coco and coco-results take over
    #[arg(long, value_name = "FILE", help_heading = "Format")]
    pub coco_reference: Option<PathBuf>,

    #[command(flatten)]
    pub facts: JsonArgument,

    #[command(flatten)]
    pub dry_run: DryRunArgument,
}

#[derive(Clone, Debug, Args)]
pub struct MergeArguments {
    /// The file or folder to write: .jsonl, .csv, .parquet, .npy, .sqlite (a new dataset), or as --format says
    #[arg(value_name = "OUT")]
    pub output: PathBuf,

    /// The files of all shards (default: those beside OUT that have its name and end in .jsonl)
    #[arg(value_name = "SHARD")]
    pub shards: Vec<PathBuf>,

    /// jsonl, csv, parquet, coco, coco-results, yolo, fiftyone, label-studio or npy (default: by the ending of OUT)
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    pub format: Option<Format>,

    #[command(flatten)]
    pub facts: JsonArgument,

    #[command(flatten)]
    pub dry_run: DryRunArgument,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MediaTypeArgument {
    Image,
    Video,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum MediaArgument {
    // Copy them into the folder.
    #[default]
    Copy,
    // Make links to them.
    Link,
    // Leave them, and write where they are.
    Reference,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum MasksArgument {
    // Outlines, which most programs read; holes are lost.
    #[default]
    Polygons,
    // Run lengths, which are exact.
    RunLengths,
}

#[derive(Clone, Debug, Args)]
pub struct ImportArguments {
    /// The dataset's file; it is made if it does not exist
    #[arg(value_name = "DATASET")]
    pub path: PathBuf,

    /// What to add: JSON Lines, a COCO dataset's JSON file, a FiftyOneDataset's folder, a YOLO or Pascal VOC folder, what
    /// CVAT or Label Studio export, pictures and videos
    #[arg(value_name = "IN")]
    pub input: PathBuf,

    /// The format, where IN does not tell: jsonl, coco, fiftyone, yolo, voc, cvat, label-studio
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    pub format: Option<Format>,

    /// The folder that relative names in IN are relative to (default: the current one for JSON Lines, that of IN for
    /// COCO)
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,

    /// The field for boxes of formats without fields, such as COCO (default: ground_truth)
    #[arg(long, value_name = "FIELD")]
    pub field: Option<String>,

    /// Import all of IN or nothing: the first label or sample that cannot be read ends the import
    #[arg(long)]
    pub strict: bool,

    #[command(flatten)]
    pub adding: AddingArguments,
}
