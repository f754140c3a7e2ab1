//! What is left out unless the user asks for something else.

use crate::{repository::Repository, settings::Settings};
use modelzoo_plugin_api::{PredictOptions, Result};

/// The threshold and the classes of a manifest, of FiftyOne's keys, or of `--set`.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    threshold: Option<f64>,
    classes: Option<Vec<String>>,
}

impl Defaults {
    /// # Errors
    /// When the manifest's are malformed.
    pub(super) fn read(repository: &Repository, settings: &Settings) -> Result<Self> {
        let config = &repository.config;
        let classes = config.value("filter_classes").map(|value| {
            serde_json::from_value(value.clone())
                .map_err(|_| config.wrong("filter_classes", "a list of names"))
        });
        Ok(Self {
            threshold: match settings.score_threshold {
                Some(threshold) => Some(f64::from(threshold)),
                None => config.number("confidence_thresh")?,
            },
            classes: classes.transpose()?,
        })
    }

    /// What the user asks for, completed.
    pub(super) fn complete(&self, options: &PredictOptions) -> PredictOptions {
        let mut options = options.clone();
        options.confidence_threshold = options.confidence_threshold.or(self.threshold);
        options.classes = options.classes.or_else(|| self.classes.clone());
        options
    }
}
