use super::JsonArgument;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Clone, Debug, Args)]
pub struct WeightsArguments {
    #[command(subcommand)]
    pub action: WeightsAction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum WeightsAction {
    /// Write PyTorch's or NumPy's weights as a safetensors file; nothing of a pickle is run
    Convert(ConvertArguments),
}

#[derive(Clone, Debug, Args)]
pub struct ConvertArguments {
    /// A file of PyTorch's (.pth, .pt, .bin), of any age, NumPy's arrays (.npz), or a safetensors file
    pub file: PathBuf,

    /// The safetensors file (default: the file's name with the ending .safetensors, in the current folder)
    #[arg(short, long, value_name = "FILE.safetensors")]
    pub output: Option<PathBuf>,

    /// Write half precision: half the size, and rounded to 11 bits
    #[arg(long)]
    pub half: bool,

    /// Replace the safetensors file where it is there already
    #[arg(long)]
    pub overwrite: bool,

    #[command(flatten)]
    pub facts: JsonArgument,
}
