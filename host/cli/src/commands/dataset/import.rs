//! `modelzoo dataset import`.

use super::{Added, AddingArguments};
use crate::{
    arguments::format,
    commands::plan::Plan,
    exit::Exit,
    terminal::{Hinted, Step, Terminal},
};
use anyhow::bail;
use clap::Args;
use modelzoo_data::{
    dataset::Dataset,
    format::{
        Format, FormatError,
        import::{ImportOptions, detect, import_dataset_with_progress},
    },
    input::MediaKind,
};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Args)]
pub struct ImportArguments {
    /// The dataset's file; it is made if it does not exist
    #[arg(value_name = "DATASET")]
    path: PathBuf,

    /// What to add: JSON Lines, a COCO dataset's JSON file, a FiftyOneDataset's folder, pictures and videos
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// The format, where the name of IN does not tell: jsonl, coco, fiftyone
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,

    /// The folder that relative names in IN are relative to (default: the current one for JSON Lines, that of IN for
    /// COCO)
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,

    /// The field for COCO's boxes (default: ground_truth)
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,

    #[command(flatten)]
    adding: AddingArguments,
}

pub fn run(arguments: &ImportArguments, terminal: &Terminal) -> anyhow::Result<Exit> {
    let format = match arguments.format {
        Some(format) => Some(format),
        None => detected(&arguments.input)?,
    };
    if arguments.adding.dry_run.dry_run {
        let (path, input) = (arguments.path.display(), arguments.input.display());
        let step = if arguments.path.exists() {
            format!("add {input} to the dataset {path}")
        } else {
            format!("make the dataset {path} of {input}")
        };
        Plan::default().and(step).print(arguments.adding.facts.json)?;
        return Ok(Exit::Done);
    }
    let options = ImportOptions {
        images: arguments.images.clone(),
        field: arguments.field.clone(),
        tags: arguments.adding.tags.clone(),
        metadata: arguments.adding.metadata,
    };
    let bar = terminal.bar(Step::Pictures, "importing", None);
    let import = |dataset: &mut Dataset| -> Result<_, FormatError> {
        let inputs = [&arguments.input];
        import_dataset_with_progress(dataset, format, &inputs, &options, || bar.advance())
    };
    let summary = if arguments.path.exists() {
        import(&mut Dataset::open(&arguments.path)?)?
    } else {
        Dataset::create_filled(&arguments.path, import)?
    };
    drop(bar);
    Added::new(&arguments.path, summary).tell(arguments.adding.facts.json, terminal)?;
    Ok(Exit::Done)
}

/// The format that the input's name tells. A file whose name tells nothing would be taken for a picture.
fn detected(input: &Path) -> anyhow::Result<Option<Format>> {
    let format = detect(input);
    let is_list = input.extension().is_some_and(|ending| ending == "txt");
    if format.is_none() && input.is_file() && !is_list && MediaKind::from_path(input).is_none() {
        bail!(Hinted {
            message: format!("{}: its ending does not say what it holds", input.display()),
            hint: "`--format` tells: jsonl, coco or fiftyone".to_owned(),
            exit: Exit::Usage,
        });
    }
    Ok(format)
}
