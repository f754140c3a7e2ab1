//! A source to start from: what modelzoo asks of it, and what its users can change. The model is in `model.rs`.

mod model;

use modelzoo_plugin_api::prelude::*;
use std::path::Path;

#[derive(Default)]
struct Source;

export_source!(Source);

impl ModelSource for Source {
    // A model with weights names them in manifest.json: `base_filename`, and a `manager` that says where they are.
    // `path` is where they were downloaded to.
    fn load_model(
        &self,
        _name: &str,
        _path: &Path,
        options: LoadOptions,
    ) -> Result<Box<dyn Model>> {
        let Settings {} = options.settings()?;
        Ok(Box::new(model::Example))
    }
}

/// What users can change by `--set name=value`: a field each. A misspelt one is an error.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {}
