use super::{DryRunArgument, JsonArgument, ModelOptions, PluginRunArguments, number};
use clap::{Args, Subcommand, ValueEnum};
use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

#[derive(Clone, Debug, Args)]
pub struct PluginArguments {
    #[command(subcommand)]
    pub action: PluginAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum PluginAction {
    /// Write a source to start from: a model that works, in a folder of its own
    New(NewArguments),
    /// Let cargo and editors work in a source: give it the API crates of this program, and Cargo.lock
    Dev(DevArguments),
    /// Check that a source builds, loads and does what it says, as it will for its users
    Check(CheckArguments),
    /// Measure how fast a model loads and predicts, and the memory that it takes
    Bench(BenchArguments),
    /// Pack a source into an archive that is the same wherever it is packed, or its compiled plugin for a release
    Pack(PackArguments),
    /// Print the text that the author of a source signs with minisign
    SignedText(SignedTextArguments),
}

#[derive(Clone, Debug, Args)]
pub struct NewArguments {
    /// The folder; its last part becomes the model's name
    pub folder: PathBuf,

    /// What the model finds
    #[arg(short, long, value_enum, default_value_t = TaskArgument::Classification)]
    pub task: TaskArgument,

    #[command(flatten)]
    pub dry_run: DryRunArgument,
}

/// What a model of a new source finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TaskArgument {
    /// A class for the picture
    Classification,
    /// Boxes around objects
    Detection,
    /// A class for each pixel
    Segmentation,
    /// Points on objects
    Keypoints,
    /// A vector for the picture
    Embedding,
    /// A value for each pixel
    Heatmap,
    /// A class for each frame of a video
    Video,
    /// Several labels, each in a field of its own
    Custom,
}

#[derive(Clone, Debug, Args)]
pub struct DevArguments {
    /// The source: a folder with Cargo.toml
    #[arg(default_value = ".")]
    pub folder: PathBuf,

    #[command(flatten)]
    pub dry_run: DryRunArgument,
}

#[derive(Clone, Debug, Args)]
pub struct CheckArguments {
    /// The source: a folder with manifest.json and Cargo.toml
    #[arg(default_value = ".")]
    pub folder: PathBuf,

    /// Check this model alone
    #[arg(short = 'n', long = "model-name", value_name = "NAME")]
    pub name: Option<String>,

    /// The picture to predict on (default: one that is made up)
    #[arg(short, long, value_name = "PICTURE")]
    pub input: Option<PathBuf>,

    /// Compare the model's answers with those in this file, which `apply` or `embed` has written as JSON Lines (default: the
    /// file that the manifest names)
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,

    #[command(flatten)]
    pub options: ModelOptions,

    /// Print what sources are checked for, and nothing else
    #[arg(long)]
    pub rules: bool,

    #[command(flatten)]
    pub facts: JsonArgument,
}

#[derive(Clone, Debug, Args)]
pub struct BenchArguments {
    /// A model's name or a source (default: the source in the current folder)
    #[arg(default_value = ".", hide_default_value = true)]
    pub model: String,

    /// Pictures to predict on: a folder, a glob, a file (default: one that is made up, 640 x 480)
    pub input: Option<PathBuf>,

    /// Which model of the source
    #[arg(short = 'n', long = "model-name", value_name = "NAME")]
    pub name: Option<String>,

    /// The batch sizes to measure
    #[arg(
        short,
        long,
        value_name = "N,N",
        value_delimiter = ',',
        value_parser = number::batch_size,
        default_value = "1,2,4,8"
    )]
    pub batch_sizes: Vec<NonZeroUsize>,

    /// How long to measure each batch size, in seconds
    #[arg(long, value_name = "S", default_value = "2", value_parser = seconds)]
    pub seconds: Duration,

    #[command(flatten)]
    pub options: ModelOptions,

    #[command(flatten)]
    pub run: PluginRunArguments,

    #[command(flatten)]
    pub facts: JsonArgument,
}

#[derive(Clone, Debug, Args)]
pub struct PackArguments {
    /// The source: a folder with manifest.json and Cargo.toml
    #[arg(default_value = ".")]
    pub folder: PathBuf,

    /// Compile the plugin, and pack it for the release of a tag: its users need no compiler then
    #[arg(long)]
    pub prebuilt: bool,

    /// What the plugin is compiled for beside the processor; `cuda` and `metal` are features of the crate
    #[arg(
        long,
        requires = "prebuilt",
        value_name = "WHAT",
        value_parser = ["cpu", "cuda", "metal"],
        default_value = "cpu"
    )]
    pub variant: String,

    /// The archive (default: the crate's NAME-VERSION.tar.gz, or NAME-TARGET-VARIANT.tar.gz, in the current folder)
    #[arg(short, long, value_name = "FILE.tar.gz")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub facts: JsonArgument,

    #[command(flatten)]
    pub dry_run: DryRunArgument,
}

#[derive(Clone, Debug, Args)]
pub struct SignedTextArguments {
    /// The root of what is published: a source, or a repository with several
    #[arg(default_value = ".")]
    pub folder: PathBuf,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "it is a number of seconds".to_owned())
}
