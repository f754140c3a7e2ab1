//! `modelzoo dataset import`.

use super::Added;
use crate::{
    arguments::ImportArguments,
    commands::plan::carry_out,
    exit::Exit,
    terminal::{Hinted, Result, Step, Terminal},
};
use modelzoo::{
    dataset::DatasetImport,
    diagnosis::ErrorClass,
    format::{
        Format,
        import::{ImportOptions, detect},
    },
    input::MediaKind,
};
use std::path::Path;

pub fn run(arguments: &ImportArguments, terminal: &Terminal) -> Result<Exit> {
    let ImportArguments {
        path, input, adding, ..
    } = arguments;
    let format = match arguments.format {
        Some(format) => Some(format),
        None => detected(input)?,
    };
    let options = ImportOptions {
        images: arguments.images.clone(),
        field: arguments.field.clone(),
        tags: adding.tags.clone(),
        metadata: adding.metadata,
        strict: arguments.strict,
    };
    let bar = terminal.bar(Step::Pictures, "importing", None);
    let plan = DatasetImport::new(path, input, format, options, || bar.advance());
    let summary = carry_out(plan, adding.dry_run, adding.facts.json)?;
    bar.clear();
    match summary {
        Some(summary) => Added::new(path, &summary).tell(adding.facts.json, terminal),
        None => Ok(Exit::Done),
    }
}

/// The format that the input's name tells. A file whose name tells nothing would be taken for a picture.
fn detected(input: &Path) -> Result<Option<Format>> {
    let format = detect(input);
    let is_list = input.extension().is_some_and(|ending| ending == "txt");
    if format.is_none() && input.is_file() && !is_list && MediaKind::from_path(input).is_none() {
        return Err(Hinted {
            message: format!("{}: its ending does not say what it holds", input.display()),
            hint: "`--format` tells: jsonl, coco, fiftyone, yolo, voc, cvat or label-studio".to_owned(),
            class: ErrorClass::Usage,
        }
        .into());
    }
    Ok(format)
}
