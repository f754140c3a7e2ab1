//! A model, loaded in `f32` or on bytes.

use super::kept::KeptCalibration;
use modelzoo_engine::{Calibrated, Provenance};
use modelzoo_plugin_api::{Calibration, LoadOptions, ModelInfo, Precision, message};
use modelzoo_runtime::{LoadedModel, PluginRunner, RuntimeError};
use modelzoo_sources::store::Store;
use std::path::PathBuf;

/// How a model is loaded, to do it once more.
#[derive(Debug)]
pub(crate) struct Loader {
    runner: PluginRunner,
    name: String,
    weights: PathBuf,
    options: LoadOptions,
    pub(super) kept: KeptCalibration,
}

/// What became of it that a model was to be computed on bytes.
#[derive(Clone, Debug)]
pub(crate) enum OnBytes {
    /// It was not asked for, or the model does not know how.
    No,
    /// It is not known yet what bytes stand for: the model computes with `f32` and takes note of what it sees.
    NotYet,
    /// It is computed so.
    Yes(Calibrated),
    /// It would say something else, so it computes with `f32`.
    Refused(Calibrated),
}

impl Loader {
    /// Of a model whose plugin and weights are here; `origin` says where it comes from.
    pub(crate) fn new(
        runner: PluginRunner,
        name: String,
        weights: PathBuf,
        options: LoadOptions,
        (store, origin): (&Store, &Provenance),
    ) -> Self {
        Self {
            kept: KeptCalibration::of(store, origin, &options.settings),
            runner,
            name,
            weights,
            options,
        }
    }

    /// Loads the model as it was asked for, on bytes with what is kept.
    pub(crate) fn load(&self) -> Result<(Box<dyn LoadedModel>, OnBytes), RuntimeError> {
        let asked = self.options.precision;
        if asked != Precision::Int8 {
            let loaded = self.load_with(asked, Calibration::default())?;
            warn_of_precision(asked, loaded.info());
            return Ok((loaded, OnBytes::No));
        }
        if let Some((calibrated, calibration)) = self.kept.read() {
            if !calibrated.agreement.is_good() {
                return Ok((self.load_plain()?, OnBytes::Refused(calibrated)));
            }
            let loaded = self.load_with(Precision::Int8, calibration)?;
            if is_on_bytes(loaded.info()) {
                return Ok((loaded, OnBytes::Yes(calibrated)));
            }
        }
        let loaded = self.load_to_calibrate()?;
        if loaded.info().knows(message::CALIBRATE) {
            return Ok((loaded, OnBytes::NotYet));
        }
        warn_of_precision(asked, loaded.info());
        Ok((loaded, OnBytes::No))
    }

    /// Loads the model such that it takes note of what it sees.
    pub(super) fn load_to_calibrate(&self) -> Result<Box<dyn LoadedModel>, RuntimeError> {
        self.load_with(Precision::Int8, Calibration::default())
    }

    /// Loads the model on bytes; `None` where it takes others than those of `calibration`.
    pub(super) fn load_on_bytes(
        &self,
        calibration: &Calibration,
    ) -> Result<Option<Box<dyn LoadedModel>>, RuntimeError> {
        let loaded = self.load_with(Precision::Int8, calibration.clone())?;
        Ok(is_on_bytes(loaded.info()).then_some(loaded))
    }

    /// Loads the model in `f32`.
    pub(super) fn load_plain(&self) -> Result<Box<dyn LoadedModel>, RuntimeError> {
        self.load_with(Precision::F32, Calibration::default())
    }

    fn load_with(
        &self,
        precision: Precision,
        calibration: Calibration,
    ) -> Result<Box<dyn LoadedModel>, RuntimeError> {
        let mut options = self.options.clone();
        options.precision = precision;
        options.calibration = calibration;
        self.runner.load_model(&self.name, &self.weights, options)
    }
}

fn is_on_bytes(info: &ModelInfo) -> bool {
    info.precision == Some(Precision::Int8)
}

/// Says so where a model does not compute with what was asked for.
fn warn_of_precision(asked: Precision, info: &ModelInfo) {
    let used = info.precision.unwrap_or_default();
    if asked != Precision::Auto && used != asked {
        tracing::warn!(
            "the model computes with {used}, not with {asked}: its plugin or device knows no other way"
        );
    }
}
