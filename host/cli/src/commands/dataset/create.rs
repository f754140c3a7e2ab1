//! `modelzoo dataset create`.

use super::Added;
use crate::{
    arguments::CreateArguments,
    commands::plan::carry_out,
    exit::Exit,
    terminal::{Hinted, Step, Terminal},
};
use anyhow::bail;
use modelzoo::{
    dataset::DatasetCreation,
    format::import::{ImportOptions, detect},
};
use std::path::Path;

pub fn run(arguments: &CreateArguments, terminal: &Terminal) -> anyhow::Result<Exit> {
    let CreateArguments { path, inputs, adding } = arguments;
    for input in inputs {
        refuse_labels(path, input)?;
    }
    let options = ImportOptions {
        tags: adding.tags.clone(),
        metadata: adding.metadata,
        ..ImportOptions::default()
    };
    let bar = terminal.bar(Step::Pictures, "adding", None);
    let plan = DatasetCreation::new(path, inputs.clone(), options, || bar.advance())?;
    let summary = carry_out(plan, adding.dry_run, adding.facts.json)?;
    bar.clear();
    if let Some(summary) = summary {
        Added::new(path, summary).tell(adding.facts.json, terminal)?;
    }
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
