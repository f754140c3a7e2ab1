//! `modelzoo dataset export`.

use crate::{
    arguments::{DryRunArgument, JsonArgument, format},
    commands::plan::Plan,
    exit::Exit,
    terminal::{Hinted, Step, Terminal, count, print_json},
};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use modelzoo_data::{
    dataset::{Dataset, Selection},
    format::{
        Format,
        export::{ExportOptions, Masks, Media, export_dataset_with_progress},
    },
};
use modelzoo_plugin_api::MediaType;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Args)]
pub struct ExportArguments {
    /// The dataset's file
    #[arg(value_name = "DATASET")]
    path: PathBuf,

    /// The file to write, or the folder for yolo and fiftyone
    #[arg(value_name = "OUT")]
    output: PathBuf,

    /// jsonl, csv, parquet, coco, coco-results, yolo, fiftyone, label-studio or npy (default: by the ending of OUT)
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,

    /// Only these fields
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Selection")]
    fields: Option<Vec<String>>,

    /// Only samples with one of these tags
    #[arg(long, value_name = "A,B", value_delimiter = ',', help_heading = "Selection")]
    tags: Vec<String>,

    /// Only pictures, or only videos
    #[arg(long, value_enum, value_name = "TYPE", help_heading = "Selection")]
    media_type: Option<MediaTypeArgument>,

    /// Pass over the first so many samples
    #[arg(long, value_name = "N", default_value_t, help_heading = "Selection")]
    skip: u64,

    /// At most so many samples
    #[arg(long, value_name = "N", help_heading = "Selection")]
    limit: Option<u64>,

    /// What to do about the samples' own files, for yolo and fiftyone: copy them, make links to them, or leave them
    /// and write where they are
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "HOW",
        help_heading = "Format"
    )]
    media: MediaArgument,

    /// How coco and coco-results write masks: as outlines, which most programs read but which lose holes, or exactly
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "HOW",
        help_heading = "Format"
    )]
    masks: MasksArgument,

    /// The classes in the order of their numbers: a file with one a line, or their names (default: the model's own)
    #[arg(long, value_name = "FILE|A,B", help_heading = "Format")]
    classes: Option<String>,

    /// Write the confidence behind every box of yolo, as its programs write predictions
    #[arg(long, help_heading = "Format")]
    confidences: bool,

    /// A COCO dataset whose ids of images and categories coco and coco-results take over
    #[arg(long, value_name = "FILE", help_heading = "Format")]
    coco_reference: Option<PathBuf>,

    #[command(flatten)]
    facts: JsonArgument,

    #[command(flatten)]
    dry_run: DryRunArgument,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MediaTypeArgument {
    Image,
    Video,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum MediaArgument {
    // Copy them into the folder.
    #[default]
    Copy,
    // Make links to them.
    Link,
    // Leave them, and write where they are.
    Reference,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum MasksArgument {
    // Outlines, which most programs read; holes are lost.
    #[default]
    Polygons,
    // Run lengths, which are exact.
    RunLengths,
}

/// What was exported, for programs.
#[derive(Serialize)]
struct Exported<'a> {
    output: &'a Path,
    format: &'static str,
    samples: u64,
    notes: Vec<String>,
}

pub fn run(arguments: &ExportArguments, terminal: &Terminal) -> anyhow::Result<Exit> {
    let format = output_format(arguments)?;
    let options = options(arguments)?;
    let selection = selection(arguments);
    let dataset = Dataset::open(&arguments.path)?;
    let (total, output) = (dataset.count(&selection)?, &arguments.output);
    if arguments.dry_run.dry_run {
        let samples = count(total, "sample");
        let plan = Plan::default().and(format!("write {samples} to {} ({format})", output.display()));
        plan.print(arguments.facts.json)?;
        return Ok(Exit::Done);
    }
    let bar = terminal.bar(Step::Pictures, "exporting", Some(total));
    let summary =
        export_dataset_with_progress(&dataset, &selection, format, output, &options, || bar.advance())?;
    drop(bar);
    let exported = Exported {
        output,
        format: format.name(),
        samples: summary.samples,
        notes: summary.notes,
    };
    if arguments.facts.json {
        print_json(&exported)?;
    } else {
        for note in &exported.notes {
            terminal.warn(note);
        }
        let written = count(exported.samples, "sample");
        terminal.say(format!("{}: {written} as {format}", output.display()));
    }
    Ok(Exit::Done)
}

fn output_format(arguments: &ExportArguments) -> anyhow::Result<Format> {
    let Some(format) = arguments.format.or_else(|| Format::from_path(&arguments.output)) else {
        bail!(Hinted {
            message: format!(
                "{}: its ending does not say which format to write",
                arguments.output.display()
            ),
            hint: format!("`--format` tells: {}", Format::ALL.map(Format::name).join(", ")),
            exit: Exit::Usage,
        });
    };
    Ok(format)
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

fn options(arguments: &ExportArguments) -> anyhow::Result<ExportOptions> {
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
fn class_names(text: &str) -> anyhow::Result<Vec<String>> {
    let is_file = Path::new(text).is_file();
    let content = match is_file {
        true => std::fs::read_to_string(text).with_context(|| format!("{text}: cannot be read"))?,
        false => text.to_owned(),
    };
    let names = content.split(if is_file { '\n' } else { ',' });
    let names = names.map(|name| name.trim().to_owned());
    Ok(names.filter(|name| !name.is_empty()).collect())
}
