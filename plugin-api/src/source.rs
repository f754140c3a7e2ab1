//! A source of models: what FiftyOne's `download_model()` and `load_model()` are there.

use crate::{Calibration, Device, Error, Host, Model, Precision, Result, settings::problem};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::Path;

/// A source of models. One library exports one source, which may hold several models.
pub trait ModelSource: Send + Sync {
    /// Downloads model `name` to `path`, a file or directory of the host's choice, named after the manifest's
    /// `base_filename`. Models whose manifest has a `manager` need none: the host then fetches the file itself.
    ///
    /// `name` is the manifest's `base_name`, followed by `@version` where the manifest gives one.
    ///
    /// # Errors
    /// When the model cannot be had.
    fn download_model(&self, name: &str, _path: &Path, _host: &Host) -> Result<()> {
        Err(Error::unsupported(format!(
            "the source has no download for {name}: its manifest needs a `manager`, or the source a `download_model`"
        )))
    }

    /// Loads model `name` from `path`, where it was downloaded to.
    ///
    /// # Errors
    /// When the weights or the options do not fit.
    fn load_model(&self, name: &str, path: &Path, options: LoadOptions) -> Result<Box<dyn Model>>;
}

/// How a model should be loaded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LoadOptions {
    /// Where it should run.
    pub device: Device,
    /// What it should compute with; a model that cannot says in [`ModelInfo`](crate::ModelInfo) what it does.
    pub precision: Precision,
    /// What is known of the values in its networks, for [`Precision::Int8`].
    #[serde(skip_serializing_if = "Calibration::is_empty")]
    pub calibration: Calibration,
    /// How many threads it may use; `None` leaves it to the model.
    pub threads: Option<usize>,
    /// The source's own options, from `--set key=value`: a map.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The host's services. The host stays reachable for as long as the model lives.
    #[serde(skip)]
    pub host: Host,
}

impl LoadOptions {
    /// Reads the source's own options into a type of its own. Give it `#[serde(default, deny_unknown_fields)]`, so
    /// that a mistyped option is an error and not ignored.
    ///
    /// # Errors
    /// When an option is unknown, and there are these, or has a value of another kind than is expected.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.settings.clone().into())
            .map_err(|error| Error::invalid_option(problem::<T>(&self.settings, &error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Settings {
        top: usize,
    }

    #[test]
    fn settings_are_typed_and_refuse_what_they_do_not_know() {
        let settings = |text| LoadOptions {
            settings: serde_json::from_str(text).unwrap(),
            ..Default::default()
        };
        assert_eq!(settings(r#"{"top": 3}"#).settings::<Settings>().unwrap().top, 3);
        let error = settings(r#"{"tpo": 3}"#).settings::<Settings>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.to_string().contains("tpo"), "{error}");
    }
}
