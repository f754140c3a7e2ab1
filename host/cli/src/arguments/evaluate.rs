use super::{JsonArgument, ModelArguments, number};
use clap::Args;
use modelzoo::{DEFAULT_TRUTH, EvaluateOptions, MemoryBudget, RunOptions};
use std::{num::NonZeroUsize, path::PathBuf};

#[derive(Clone, Debug, Args)]
pub struct EvaluateArguments {
    #[command(flatten)]
    pub model: ModelArguments,

    /// A folder with a folder of pictures for each class, a dataset, or labels with their pictures (COCO, YOLO, Pascal VOC,
    /// JSON Lines, FiftyOne)
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,

    /// The field that says what is true
    #[arg(long, value_name = "FIELD", default_value = DEFAULT_TRUTH)]
    pub truth: String,

    /// Leave out what the model is less sure of, 0 to 1 (default: as the model does; COCO's evaluation expects unlikely
    /// boxes as well, so 0.001 suits detectors)
    #[arg(short = 't', long, value_name = "T", value_parser = number::confidence)]
    pub confidence_thresh: Option<f64>,

    /// How many pictures the model gets at once
    #[arg(short, long, value_name = "N", value_parser = number::batch_size)]
    pub batch_size: Option<NonZeroUsize>,

    /// How many threads decode pictures (default: every core)
    #[arg(long, value_name = "N", value_parser = number::threads)]
    pub workers: Option<NonZeroUsize>,

    /// How much memory files, pictures and frames may take, such as 500MB or 2GiB (default: a quarter of what there is); the
    /// model's own comes on top
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true)]
    pub memory: Option<MemoryBudget>,

    #[command(flatten)]
    pub facts: JsonArgument,
}

impl EvaluateArguments {
    /// How the model is evaluated.
    pub fn options(&self) -> EvaluateOptions {
        EvaluateOptions {
            truth: self.truth.clone(),
            confidence_threshold: self.confidence_thresh,
            run: RunOptions {
                batch_size: self.batch_size,
                workers: self.workers,
                memory: self.memory,
                ..RunOptions::default()
            },
        }
    }
}
