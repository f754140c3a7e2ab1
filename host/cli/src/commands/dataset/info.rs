//! `modelzoo dataset info`.

use crate::{
    arguments::DatasetInfoArguments,
    exit::Exit,
    terminal::{Result, count, print_json, print_line, print_table},
};
use modelzoo::{
    dataset::{Damage, Dataset, DatasetInfo, FailedSample, FieldInfo, RunInfo},
    output::OutputError,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// So many samples of a run are told that something is wrong with; `--json` tells all.
const TOLD_SAMPLES: usize = 10;

/// What a dataset holds, for programs.
#[derive(Serialize)]
struct Info {
    #[serde(flatten)]
    overview: DatasetInfo,
    /// Facts about the dataset as a whole.
    facts: serde_json::Map<String, serde_json::Value>,
    /// The samples on which each run failed, by the run's field.
    failures: BTreeMap<String, Vec<FailedSample>>,
    /// The samples whose files each run found damaged, by the run's field.
    damages: BTreeMap<String, Vec<Damage>>,
}

pub fn run(arguments: &DatasetInfoArguments) -> Result<Exit> {
    let dataset = Dataset::open(&arguments.path)?;
    let overview = dataset.info()?;
    let mut failures = BTreeMap::new();
    for run in overview.runs.iter().filter(|run| run.failed > 0) {
        failures.insert(run.field.clone(), dataset.failures(&run.field)?);
    }
    let mut damages = BTreeMap::new();
    for run in overview.runs.iter().filter(|run| run.damaged > 0) {
        damages.insert(run.field.clone(), dataset.damages(&run.field)?);
    }
    let info = Info {
        overview,
        facts: dataset.facts()?,
        failures,
        damages,
    };
    if arguments.facts.json {
        print_json(&info)?;
    } else {
        print_overview(&info.overview)?;
        print_fields(&info.overview.fields)?;
        for run in &info.overview.runs {
            print_run(run)?;
            let failures = info.failures.get(&run.field).into_iter().flatten();
            print_samples("failed", failures.map(|one| (&one.filepath, &one.error)))?;
            let damages = info.damages.get(&run.field).into_iter().flatten();
            print_samples("damaged", damages.map(|one| (&one.filepath, &one.warning)))?;
        }
    }
    Ok(Exit::Done)
}

fn print_overview(info: &DatasetInfo) -> Result<(), OutputError> {
    let videos = match info.videos {
        0 => String::new(),
        videos => format!(" ({videos} of them videos)"),
    };
    let all = count(info.images + info.videos, "sample");
    print_line(format_args!("{all}{videos}, made {}", info.created_at))?;
    if !info.tags.is_empty() {
        let tags: Vec<_> = info
            .tags
            .iter()
            .map(|(tag, count)| format!("{tag} ({count})"))
            .collect();
        print_line(format_args!("tags: {}", tags.join(", ")))?;
    }
    Ok(())
}

fn print_fields(fields: &[FieldInfo]) -> Result<(), OutputError> {
    let row = |field: &FieldInfo| {
        let name = match field.of_frames {
            true => format!("frames.{}", field.name),
            false => field.name.clone(),
        };
        let label_type = match field.dimensions {
            Some(dimensions) => format!("{} of {dimensions}", field.label_type),
            None => field.label_type.clone(),
        };
        let run = field.run.clone().unwrap_or_else(|| "import".to_owned());
        [name, label_type, field.values.to_string(), run]
    };
    let rows: Vec<_> = fields.iter().map(row).collect();
    if !rows.is_empty() {
        print_line("")?;
    }
    print_table(["field", "type", "values", "made by run"], &rows)
}

fn print_run(run: &RunInfo) -> Result<(), OutputError> {
    let provenance = &run.provenance;
    let state = match (&run.finished_at, run.active) {
        (Some(finished), _) => format!("finished {finished}"),
        (None, true) => "running".to_owned(),
        (None, false) => "ended early; the same command goes on with it".to_owned(),
    };
    print_line(format_args!("\nrun {}: {state}", run.field))?;
    line("model", &provenance.model)?;
    line("source", &provenance.source)?;
    if let Some(commit) = &provenance.commit {
        line("commit", commit)?;
    }
    if let Some(artifact) = &provenance.artifact_sha256 {
        line("plugin", artifact)?;
    }
    if let Some(built_in) = &provenance.built_in {
        line("plugin", &format!("built in: {built_in}"))?;
    }
    for (file, hash) in &provenance.weights_sha256 {
        line("weights", &format!("{hash}  {file}"))?;
    }
    for (name, value) in &provenance.options {
        line("option", &format!("{name} = {value}"))?;
    }
    if let Some(device) = &provenance.device {
        line("device", device)?;
    }
    line("began", &run.started_at)?;
    line("samples", &format!("{} done, {} failed", run.done, run.failed))
}

/// The first samples of a run that something is wrong with, and what that is.
fn print_samples<'a>(
    name: &str,
    samples: impl Iterator<Item = (&'a String, &'a String)>,
) -> Result<(), OutputError> {
    let mut rest = 0;
    for (index, (filepath, problem)) in samples.enumerate() {
        if index < TOLD_SAMPLES {
            line(name, &format!("{filepath}: {problem}"))?;
        } else {
            rest += 1;
        }
    }
    if rest > 0 {
        line("", &format!("and {rest} more: --json tells all"))?;
    }
    Ok(())
}

fn line(name: &str, value: &str) -> Result<(), OutputError> {
    print_line(format_args!("  {name:9} {value}"))
}
