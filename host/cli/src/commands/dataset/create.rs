//! `modelzoo dataset create`.

use super::Added;
use crate::{
    arguments::CreateArguments,
    commands::plan::carry_out,
    exit::Exit,
    terminal::{Hinted, Result, Step, Terminal},
};
use modelzoo::{
    dataset::DatasetCreation,
    diagnosis::ErrorClass,
    format::import::{ImportOptions, detect},
};
use std::path::Path;

pub fn run(arguments: &CreateArguments, terminal: &Terminal) -> Result<Exit> {
    let CreateArguments { path, inputs, adding } = arguments;
    for input in inputs {
        refuse_labels(path, input, terminal)?;
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
    match summary {
        Some(summary) => Added::new(path, &summary).tell(adding.facts.json, terminal),
        None => Ok(Exit::Done),
    }
}

/// A file of labels would be taken for a picture otherwise. In a folder of pictures with labels, these are passed over.
fn refuse_labels(dataset: &Path, input: &Path, terminal: &Terminal) -> Result<()> {
    let Some(format) = detect(input) else {
        return Ok(());
    };
    let hint = format!(
        "`modelzoo dataset import {} {}` makes a dataset of it",
        dataset.display(),
        input.display()
    );
    if format.has_bare_pictures(input) {
        terminal.warn(format!(
            "{}: its labels ({format}) are passed over",
            input.display()
        ));
        terminal.hint(&hint);
        return Ok(());
    }
    Err(Hinted {
        message: format!("{}: this is no picture or video, but {format}", input.display()),
        hint,
        class: ErrorClass::Usage,
    }
    .into())
}
