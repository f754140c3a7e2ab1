//! `modelzoo embed`: embeddings of pictures, frames, videos, objects and texts.

use super::{
    plan::Plan,
    run::{self, Command, Content, Destination},
};
use crate::{
    arguments::{EmbedArguments, Global},
    exit::Exit,
    terminal::{Terminal, count},
};
use modelzoo_data::{
    format::{
        Format,
        export::{self, ExportOptions},
    },
    output::JsonLinesWriter,
    record::SampleRecord,
};
use modelzoo_engine::{EngineError, PromptEmbedding, Task, embed_prompts};
use modelzoo_plugin_api::label::Vector;
use serde::Serialize;
use std::path::Path;

pub fn run(arguments: &EmbedArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let prompts = arguments.all_prompts();
    if !prompts.is_empty() {
        return embed_texts(arguments, &prompts, global, terminal);
    }
    let (task, content) = match arguments.patch_options() {
        Some(options) => (Task::EmbedPatches(options), Content::PatchEmbeddings),
        None => (Task::Embed(arguments.options()), Content::Embeddings),
    };
    let command = Command {
        task,
        content,
        label: "embedding",
        model: &arguments.model,
        input: &arguments.input,
    };
    if arguments.input.dry_run.dry_run {
        return run::plan(&command, [], global, terminal);
    }
    run::run(command, |_| None, global, terminal)
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

/// Embeds texts: an object a line, or a matrix with a row for each.
fn embed_texts(
    arguments: &EmbedArguments,
    prompts: &[String],
    global: &Global,
    terminal: &Terminal,
) -> anyhow::Result<Exit> {
    let destination = Destination::of(&arguments.input, Content::Embeddings, false)?;
    let lines = match &destination {
        Destination::Stdout => Some(JsonLinesWriter::stdout()),
        Destination::Path {
            path,
            format: Format::JsonLines,
        } => Some(JsonLinesWriter::create(path)?),
        Destination::Path {
            format: Format::Npy, ..
        } => None,
        _ => {
            let problem = "embeddings of texts are written as JSON Lines or .npy".to_owned();
            let hint = "end the name in .jsonl or .npy".to_owned();
            return Err(EngineError::InvalidOption { problem, hint }.into());
        }
    };
    if arguments.input.dry_run.dry_run {
        let plan = Plan::of_model(
            &arguments.model.choice,
            &arguments.model.options,
            global,
            terminal,
        )?
        .and(format!("embed {}", count(prompts.len() as u64, "text")))
        .and(destination.describe());
        plan.print(false)?;
        return Ok(Exit::Done);
    }
    let model = super::model::load(&arguments.model, global, terminal)?.model;
    let embeddings = embed_prompts(model.as_ref(), prompts)?;
    let failed = embeddings
        .iter()
        .filter(|embedding| embedding.result.is_err())
        .count();
    match (lines, &destination) {
        (Some(lines), _) => write_lines(lines, &embeddings)?,
        (None, Destination::Path { path, .. }) => write_matrix(path, embeddings)?,
        (None, _) => {}
    }
    if failed == 0 {
        return Ok(Exit::Done);
    }
    terminal.warn(format!("{failed} of {} texts failed", prompts.len()));
    Ok(Exit::Partial)
}

fn write_lines(mut lines: JsonLinesWriter, embeddings: &[PromptEmbedding]) -> anyhow::Result<()> {
    for PromptEmbedding { prompt, result, .. } in embeddings {
        lines.write(&Line {
            prompt,
            embeddings: result.as_ref().ok().map(|embedding| embedding.to_f32()),
            error: result.as_ref().err().map(ToString::to_string),
        })?;
    }
    Ok(lines.finish()?)
}

fn write_matrix(path: &Path, embeddings: Vec<PromptEmbedding>) -> anyhow::Result<()> {
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
