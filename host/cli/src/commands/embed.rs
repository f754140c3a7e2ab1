//! `modelzoo embed`: embeddings of pictures, frames, videos, objects and texts.

use super::{
    loading::load_settings,
    open::{named, open_to_plan},
    plan::{Sentence as _, carry_out},
    run::{self, Command},
};
use crate::{
    arguments::{EmbedArguments, Global},
    exit::Exit,
    terminal::{Failure, Result, Terminal, count},
};
use modelzoo::{
    Content, Destination, EngineError, LoadPlan, Plan, PromptEmbedding, Task,
    diagnosis::NextStep,
    format::{
        Format,
        export::{self, ExportOptions},
    },
    label::Vector,
    output::JsonLinesWriter,
    record::SampleRecord,
};
use serde::Serialize;
use std::path::Path;

pub fn run(arguments: &EmbedArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let prompts = arguments.all_prompts();
    if !prompts.is_empty() {
        return embed_texts(arguments, &prompts, global, terminal);
    }
    let task = match arguments.patch_options() {
        Some(options) => Task::EmbedPatches(options),
        None => Task::Embed(arguments.options()),
    };
    let command = Command {
        task,
        label: "embedding",
        model: &arguments.model,
        input: &arguments.input,
        annotate: None,
        label_images: None,
    };
    run::run(command, global, terminal)
}

fn embed_texts(
    arguments: &EmbedArguments,
    prompts: &[String],
    global: &Global,
    terminal: &Terminal,
) -> Result<Exit> {
    let (input, model) = (&arguments.input, &arguments.model);
    let destination = TextDestination::of(input.destination(Content::Embeddings, false)?)?;
    let zoo = open_to_plan(input.dry_run, global, terminal)?;
    let settings = load_settings(&model.options, &model.run)?;
    let plan = TextPlan {
        load: zoo.plan_load(&named(&model.choice, &zoo)?, &settings)?,
        prompts,
        destination,
        terminal,
    };
    Ok(carry_out(plan, input.dry_run, false)?.unwrap_or(Exit::Done))
}

/// Where embeddings of texts go.
enum TextDestination {
    /// An object a line, to standard output or to a file.
    Lines(Destination),
    /// A matrix with a row for each.
    Matrix(Destination),
}

impl TextDestination {
    fn of(destination: Destination) -> Result<Self, EngineError> {
        match destination {
            Destination::Stdout
            | Destination::Path {
                format: Format::JsonLines,
                ..
            } => Ok(Self::Lines(destination)),
            Destination::Path {
                format: Format::Npy, ..
            } => Ok(Self::Matrix(destination)),
            _ => Err(EngineError::InvalidOption {
                problem: "embeddings of texts are written as JSON Lines or .npy".to_owned(),
                next_step: NextStep::advice("end the name in .jsonl or .npy"),
            }),
        }
    }
}

/// Texts through the model, and their embeddings to where they belong.
struct TextPlan<'a> {
    load: LoadPlan<'a>,
    prompts: &'a [String],
    destination: TextDestination,
    terminal: &'a Terminal,
}

impl Plan for TextPlan<'_> {
    type Step = String;
    type Outcome = Exit;
    type Error = Failure;

    fn steps(&self) -> Result<Vec<String>> {
        let (TextDestination::Lines(destination) | TextDestination::Matrix(destination)) = &self.destination;
        let mut steps: Vec<String> = self.load.steps()?.iter().map(|step| step.sentence()).collect();
        steps.push(format!("embed {}", count(self.prompts.len() as u64, "text")));
        steps.push(destination.describe());
        Ok(steps)
    }

    fn execute(self) -> Result<Exit> {
        let Self {
            load,
            prompts,
            destination,
            terminal,
        } = self;
        // That it can be written is known before anything is built.
        let lines = match &destination {
            TextDestination::Lines(Destination::Path { path, .. }) => Some(JsonLinesWriter::create(path)?),
            TextDestination::Lines(_) => Some(JsonLinesWriter::stdout()),
            TextDestination::Matrix(_) => None,
        };
        let embeddings = load.execute()?.embed_prompts(prompts)?;
        let failed = embeddings
            .iter()
            .filter(|embedding| embedding.result.is_err())
            .count();
        match (lines, destination) {
            (Some(lines), _) => write_lines(lines, &embeddings)?,
            (None, TextDestination::Matrix(Destination::Path { path, .. })) => {
                write_matrix(&path, embeddings)?
            }
            (None, _) => {}
        }
        if failed == 0 {
            return Ok(Exit::Done);
        }
        terminal.warn(format!("{failed} of {} texts failed", prompts.len()));
        Ok(Exit::Partial)
    }
}

/// A line of the results of texts.
#[derive(Serialize)]
struct Line<'a> {
    prompt: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    embeddings: Option<Vec<f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn write_lines(mut lines: JsonLinesWriter, embeddings: &[PromptEmbedding]) -> Result<()> {
    for PromptEmbedding { prompt, result, .. } in embeddings {
        lines.write(&Line {
            prompt,
            embeddings: result.as_ref().ok().map(|embedding| embedding.to_f32()),
            error: result.as_ref().err().map(ToString::to_string),
        })?;
    }
    Ok(lines.finish()?)
}

fn write_matrix(path: &Path, embeddings: Vec<PromptEmbedding>) -> Result<()> {
    let mut writer = export::create(Format::Npy, path, &ExportOptions::default())?;
    for PromptEmbedding { prompt, result, .. } in embeddings {
        let mut row = SampleRecord::image(prompt);
        if let Ok(embedding) = result {
            row.labels
                .sample
                .insert("embeddings".to_owned(), Vector::new(embedding).into());
        }
        writer.write(&row)?;
    }
    writer.finish()?;
    Ok(())
}
