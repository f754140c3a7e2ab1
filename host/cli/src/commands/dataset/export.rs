//! `modelzoo dataset export`.

use crate::{
    arguments::{ExportArguments, MasksArgument, MediaArgument, MediaTypeArgument},
    commands::plan::carry_out,
    exit::Exit,
    terminal::{Context, Hinted, Result, Step, Terminal, count, print_json},
};
use modelzoo::{
    dataset::{Dataset, DatasetExport, Selection},
    diagnosis::ErrorClass,
    format::{
        Format,
        export::{ExportOptions, Masks, Media},
    },
    plugin_api::MediaType,
};
use serde::Serialize;
use std::path::Path;

/// What was exported, for programs.
#[derive(Serialize)]
struct Exported<'a> {
    output: &'a Path,
    format: &'static str,
    samples: u64,
    notes: Vec<String>,
    /// The samples that are not there, or not whole, because of their files.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    left_out: &'a [String],
}

pub fn run(arguments: &ExportArguments, terminal: &Terminal) -> Result<Exit> {
    let format = output_format(arguments)?;
    let options = options(arguments)?;
    let selection = selection(arguments);
    let dataset = Dataset::open(&arguments.path)?;
    let (json, output) = (arguments.facts.json, &arguments.output);
    let replaced = output
        .is_file()
        .then(|| format!("{}: the file that was there is replaced", output.display()));
    let bar = terminal.bar(Step::Pictures, "exporting", Some(0));
    let plan = DatasetExport::new(&dataset, selection, format, output, options, || bar.advance())?;
    bar.set_total(plan.samples());
    let summary = carry_out(plan, arguments.dry_run, json)?;
    bar.clear();
    let Some(summary) = summary else {
        return Ok(Exit::Done);
    };
    let exported = Exported {
        output,
        format: format.name(),
        samples: summary.samples,
        notes: replaced.into_iter().chain(summary.notes).collect(),
        left_out: summary.losses.named(),
    };
    let exit = match summary.losses.is_empty() {
        true => Exit::Done,
        false => Exit::Partial,
    };
    if json {
        print_json(&exported)?;
    } else {
        for note in &exported.notes {
            terminal.warn(note);
        }
        terminal.tell_losses([&summary.losses]);
        let written = count(exported.samples, "sample");
        terminal.say(format!("{}: {written} as {format}", output.display()));
    }
    Ok(exit)
}

fn output_format(arguments: &ExportArguments) -> Result<Format> {
    let Some(format) = arguments.format.or_else(|| Format::from_path(&arguments.output)) else {
        return Err(Hinted {
            message: format!(
                "{}: its ending does not say which format to write",
                arguments.output.display()
            ),
            hint: format!("`--format` tells: {}", written().join(", ")),
            class: ErrorClass::Usage,
        }
        .into());
    };
    Ok(format)
}

/// The names of the formats that can be written.
fn written() -> Vec<&'static str> {
    let formats = Format::ALL.into_iter().filter(|format| format.is_written());
    formats.map(Format::name).collect()
}

fn selection(arguments: &ExportArguments) -> Selection {
    let mut selection = Selection::all()
        .with_tags(arguments.tags.iter().cloned())
        .skip(arguments.skip);
    if let Some(fields) = &arguments.fields {
        selection = selection.with_fields(fields.iter().cloned());
    }
    if let Some(media_type) = arguments.media_type {
        selection = selection.with_media_type(match media_type {
            MediaTypeArgument::Image => MediaType::Image,
            MediaTypeArgument::Video => MediaType::Video,
        });
    }
    match arguments.limit {
        Some(limit) => selection.limit(limit),
        None => selection,
    }
}

fn options(arguments: &ExportArguments) -> Result<ExportOptions> {
    Ok(ExportOptions {
        classes: match &arguments.classes {
            Some(classes) => class_names(classes)?,
            None => Vec::new(),
        },
        media: match arguments.media {
            MediaArgument::Copy => Media::Copy,
            MediaArgument::Link => Media::Link,
            MediaArgument::Reference => Media::Reference,
        },
        masks: match arguments.masks {
            MasksArgument::Polygons => Masks::Polygons,
            MasksArgument::RunLengths => Masks::RunLengths,
        },
        confidences: arguments.confidences,
        coco_reference: arguments.coco_reference.clone(),
        ..ExportOptions::default()
    })
}

/// The lines of a file, or the names themselves.
fn class_names(text: &str) -> Result<Vec<String>> {
    let is_file = Path::new(text).is_file();
    let content = match is_file {
        true => std::fs::read_to_string(text).with_context(|| format!("{text}: cannot be read"))?,
        false => text.to_owned(),
    };
    let names = content.split(if is_file { '\n' } else { ',' });
    let names = names.map(|name| name.trim().to_owned());
    Ok(names.filter(|name| !name.is_empty()).collect())
}
