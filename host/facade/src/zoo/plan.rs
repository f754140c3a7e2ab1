//! What it would take to run a model, without doing any of it.

use super::{FoundModel, LoadSettings, Zoo, ZooError, weights::url_of};
use modelzoo_sources::trust::{Subject, Verdict, check};
use serde::Serialize;
use std::time::SystemTime;

/// A step that has to be taken before a model can run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
#[non_exhaustive]
pub enum PlannedStep {
    /// The user is asked whether the source's code may run; where nobody can be asked, this is where it ends.
    Ask {
        /// The source.
        source: String,
        /// The command that answers beforehand.
        command: String,
    },
    /// The plugin is built.
    Build {
        /// The source.
        source: String,
    },
    /// A file of weights is downloaded.
    Download {
        /// Its name.
        file: String,
        /// From where, in the order in which the places are tried; empty when only the plugin knows.
        from: Vec<String>,
        /// Its size, where the manifest says it.
        size_bytes: Option<u64>,
    },
}

impl Zoo {
    /// What [`prepare_model`](Self::prepare_model) would have to do; nothing when the model is ready.
    ///
    /// # Errors
    /// Where it is known already that the model cannot be prepared.
    pub fn plan_model(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
    ) -> Result<Vec<PlannedStep>, ZooError> {
        self.require_plugin(model, settings)?;
        let mut steps = Vec::new();
        let source = &model.source.identity;
        let (policy, decisions) = (&self.settings.config.trust, self.decisions());
        if let Verdict::Undecided(undecided) =
            check(&Subject::of(&model.source), policy, &decisions, SystemTime::now())?
        {
            steps.push(PlannedStep::Ask {
                source: source.clone(),
                command: undecided.command,
            });
        }
        let (builder, request) = self.builder(model, settings)?;
        if builder.find(&request)?.is_none() {
            steps.push(PlannedStep::Build {
                source: source.clone(),
            });
        }
        steps.extend(self.plan_weights(model));
        Ok(steps)
    }

    /// The download of the model's weights, unless they are here or there are none.
    fn plan_weights(&self, model: &FoundModel) -> Option<PlannedStep> {
        if self.is_downloaded(model) != Some(false) {
            return None;
        }
        let manager = model.entry.manager.as_ref();
        let origins = manager.map(|manager| manager.origins.as_slice());
        Some(PlannedStep::Download {
            file: model.entry.weights_name().to_owned(),
            from: origins.unwrap_or_default().iter().filter_map(url_of).collect(),
            size_bytes: manager
                .and_then(|manager| manager.size_bytes)
                .or(model.entry.size_bytes),
        })
    }
}
