//! `--dry-run`: what a command would do, said on standard output instead of done.

use super::{model::load_settings, zoo::open_offline};
use crate::{
    arguments::{Global, ModelChoice, ModelOptions, PluginRunArguments},
    terminal::{Terminal, print_json, print_line},
};
use indicatif::HumanBytes;
use modelzoo::{PlannedStep, ZooError};
use modelzoo_sources::source::SourceError;

/// What would be done, a sentence without its beginning each: `download weights.pt`.
#[derive(Debug, Default)]
pub struct Plan(Vec<String>);

impl Plan {
    /// What it takes to have this model ready. The network is not used: of a source that is not here yet, it only
    /// says that it would be fetched.
    pub fn of_model(
        choice: &ModelChoice,
        options: &ModelOptions,
        global: &Global,
        terminal: &Terminal,
    ) -> anyhow::Result<Self> {
        let zoo = open_offline(global, terminal)?;
        let settings = load_settings(options, &PluginRunArguments::default(), &zoo)?;
        let steps = match zoo.find_model(&choice.model, choice.name.as_deref()) {
            Ok(model) => zoo.plan_model(&model, &settings)?,
            Err(ZooError::Source(SourceError::Offline { reference })) if !global.offline => {
                let fetch = format!("fetch {reference}, which tells what else there is to do");
                return Ok(Self(vec![fetch]));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self(steps.iter().map(describe).collect()))
    }

    /// With one more thing to do.
    pub fn and(mut self, step: impl Into<String>) -> Self {
        self.0.push(step.into());
        self
    }

    /// Prints it.
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return print_json(&serde_json::json!({ "dry_run": true, "would": self.0 }));
        }
        if self.0.is_empty() {
            print_line("there is nothing to do")?;
        }
        for step in &self.0 {
            print_line(format_args!("would {step}"))?;
        }
        Ok(())
    }
}

fn describe(step: &PlannedStep) -> String {
    match step {
        PlannedStep::Ask { source, command } => {
            format!("ask whether the code of {source} may run (`{command}` allows it)")
        }
        PlannedStep::Build { source } => format!("build the plugin of {source}"),
        PlannedStep::Download {
            file,
            from,
            size_bytes,
        } => {
            let size = size_bytes.map_or("of unknown size".to_owned(), |size| HumanBytes(size).to_string());
            match from.first() {
                Some(url) => format!("download {file} ({size}) from {url}"),
                None => format!("let the plugin download {file} ({size})"),
            }
        }
        // A step that was added to the engine later is still a step.
        _ => "prepare the model".to_owned(),
    }
}
