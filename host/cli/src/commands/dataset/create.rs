//! `modelzoo dataset create`.

use super::{Added, AddingArguments};
use crate::{
    commands::plan::Plan,
    exit::Exit,
    terminal::{Hinted, Step, Terminal, count},
};
use anyhow::bail;
use clap::Args;
use modelzoo_data::{
    dataset::Dataset,
    format::{
        FormatError,
        import::{ImportOptions, detect, import_dataset_with_progress},
    },
    input::{Inputs, MediaKind},
};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Args)]
pub struct CreateArguments {
    /// The dataset's file, which does not exist yet
    #[arg(value_name = "DATASET")]
    path: PathBuf,

    /// Pictures and videos: folders, globs, files, .txt files that list them
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,

    #[command(flatten)]
    adding: AddingArguments,
}

pub fn run(arguments: &CreateArguments, terminal: &Terminal) -> anyhow::Result<Exit> {
    for input in &arguments.inputs {
        refuse_labels(&arguments.path, input)?;
    }
    if arguments.adding.dry_run.dry_run {
        let inputs = Inputs::resolve(&arguments.inputs, &[MediaKind::Image, MediaKind::Video])?;
        let samples = count(inputs.count() as u64, "sample");
        let plan = Plan::default().and(format!(
            "make the dataset {} of {samples}",
            arguments.path.display()
        ));
        plan.print(arguments.adding.facts.json)?;
        return Ok(Exit::Done);
    }
    let options = ImportOptions {
        tags: arguments.adding.tags.clone(),
        metadata: arguments.adding.metadata,
        ..ImportOptions::default()
    };
    let bar = terminal.bar(Step::Pictures, "adding", None);
    let summary = Dataset::create_filled(&arguments.path, |dataset| -> Result<_, FormatError> {
        import_dataset_with_progress(dataset, None, &arguments.inputs, &options, || bar.advance())
    })?;
    drop(bar);
    Added::new(&arguments.path, summary).tell(arguments.adding.facts.json, terminal)?;
    Ok(Exit::Done)
}

/// A file of labels would be taken for a picture otherwise.
fn refuse_labels(dataset: &Path, input: &Path) -> anyhow::Result<()> {
    if let Some(format) = detect(input) {
        bail!(Hinted {
            message: format!("{}: this is no picture or video, but {format}", input.display()),
            hint: format!(
                "`modelzoo dataset import {} {}` makes a dataset of it",
                dataset.display(),
                input.display()
            ),
            exit: Exit::Usage,
        });
    }
    Ok(())
}
