//! A folder as a source of one model.

use crate::{
    architectures,
    checkpoint::Checkpoint,
    processing::Processing,
    repository::Repository,
    runner::{self, Runner},
    settings::Settings,
    tasks,
};
use modelzoo_candle::{device::Placement, network::Network};
use modelzoo_plugin_api::{Error, Host, LoadOptions, LogLevel, Model, ModelSource, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// So many surplus tensors are named in a warning.
const NAMED: usize = 3;

/// Published models, each a folder: the source whose code is built in.
#[derive(Clone, Copy, Debug, Default)]
pub struct PublishedModels;

impl ModelSource for PublishedModels {
    /// Loads the model in the folder `path`, whatever `name` it goes by; or the one whose weights are the file `path`
    /// where [`Settings::deployment`] describes it.
    ///
    /// # Errors
    /// Of kind [`Unsupported`](modelzoo_plugin_api::ErrorKind::Unsupported) for an architecture that is not known,
    /// [`Weights`](modelzoo_plugin_api::ErrorKind::Weights) for weights that are not those of the configuration.
    fn load_model(&self, _name: &str, path: &Path, options: LoadOptions) -> Result<Box<dyn Model>> {
        let settings: Settings = options.settings()?;
        let (repository, checkpoint) = match &settings.deployment {
            Some(deployment) => (Repository::described(path, deployment)?, Checkpoint::open(path)?),
            None => (Repository::open(path)?, Checkpoint::find(path)?),
        };
        let architecture = architectures::find(&repository)?;
        architectures::check_size(&repository, architecture.network.as_ref(), &checkpoint)?;
        tell_ignored(architecture.network.ignored().unwrap_or_default(), &options.host);
        let processing = Processing::of(&repository, architecture.kind, settings.image_size)?;
        let size = processing
            .size
            .unwrap_or_else(|| architecture.network.image_size());
        let runner = Runner::new(
            architecture.network,
            checkpoint,
            Placement::from_options(&options),
            embeddings_layer(&repository, &settings)?,
            size,
        )?;
        check_names(&settings, &runner)?;
        tell_missing_processor(&repository, architecture.kind, &options.host);
        tell_surplus(runner.checkpoint(), &options.host);
        tasks::model(&repository, &settings, processing, runner)
    }
}

/// The layer that the user wants for embeddings, or else the manifest.
fn embeddings_layer(repository: &Repository, settings: &Settings) -> Result<Option<String>> {
    match (&settings.embeddings_layer, &settings.deployment) {
        (Some(layer), _) => Ok(Some(layer.clone())),
        (None, Some(_)) => Ok(repository.config.text("embeddings_layer")?.map(str::to_owned)),
        (None, None) => Ok(None),
    }
}

/// Names of classes are for models that know any: who gives them to another one would wait for them in vain.
fn check_names(settings: &Settings, runner: &Runner) -> Result<()> {
    let given = [
        ("classes", settings.classes.is_some()),
        ("prompt", settings.prompt.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) if runner.text().is_none() => Err(Error::invalid_option(format!(
            "this model does not find classes by their names, so `{name}` means nothing"
        ))
        .with_hint("`--classes` keeps some of the classes that a model has")),
        _ => Ok(()),
    }
}

/// Pictures that are prepared otherwise than in training are seen wrongly, which nobody notices.
fn tell_missing_processor(repository: &Repository, kind: &str, host: &Host) {
    if repository.lacks_processor() {
        host.log(
            LogLevel::Warn,
            format!(
                "there is no preprocessor_config.json in {}: pictures are prepared as is usual for {kind}",
                repository.folder.display()
            ),
        );
    }
}

/// The network of the published model in a folder by itself, for a program that makes something else of its outputs:
/// `logits`, `embedding`, `boxes`, `depth` and their like, which
/// [`Network::with_outputs`] chooses from. Its input is `[count, 3, height, width]`, prepared as the folder says; `size` is
/// `[height, width]`, or that of the published preprocessing.
///
/// # Errors
/// As for loading the model.
pub fn network(folder: &Path, size: Option<[usize; 2]>, placement: &Placement) -> Result<Network> {
    let (repository, checkpoint) = (Repository::open(folder)?, Checkpoint::find(folder)?);
    let architecture = architectures::find(&repository)?;
    architectures::check_size(&repository, architecture.network.as_ref(), &checkpoint)?;
    let size = match size {
        Some(size) => size,
        None => Processing::of(&repository, architecture.kind, None)?
            .size
            .unwrap_or_else(|| architecture.network.image_size()),
    };
    let (network, _) = runner::build(architecture.network.as_ref(), &checkpoint, placement, None, size)?;
    Ok(network)
}

/// Makes sure that a model can be run that a manifest describes: see [`Settings::deployment`].
///
/// # Errors
/// As for loading it, but for what its weights are.
pub fn check_deployment(deployment: &Map<String, Value>) -> Result<()> {
    let repository = Repository::described(Path::new("manifest.json"), deployment)?;
    let architecture = architectures::find(&repository)?;
    Processing::of(&repository, architecture.kind, None)?;
    Ok(())
}

/// Makes sure that the model in a folder can be run, by what its files of settings say; its weights need not be there.
///
/// # Errors
/// As for loading it, but for what its weights are.
pub fn check(folder: &Path) -> Result<()> {
    let repository = Repository::open(folder)?;
    let architecture = architectures::find(&repository)?;
    Processing::of(&repository, architecture.kind, None)?;
    Ok(())
}

/// Arguments without a meaning may be a sign of a network that is put together otherwise.
fn tell_ignored(arguments: &[String], host: &Host) {
    if !arguments.is_empty() {
        let names = arguments.join("`, `");
        host.log(
            LogLevel::Warn,
            format!("`entrypoint_args` in manifest.json has `{names}`, which means nothing here"),
        );
    }
}

/// Tensors that the network has no use for may be a sign of a wrong configuration.
fn tell_surplus(checkpoint: &Checkpoint, host: &Host) {
    let unused = checkpoint.unused();
    if unused.is_empty() {
        return;
    }
    let names: Vec<&str> = unused.iter().take(NAMED).copied().collect();
    let more = if unused.len() > NAMED { ", ..." } else { "" };
    host.log(
        LogLevel::Warn,
        format!(
            "the network does not use {} of the tensors in {}: {}{more}",
            unused.len(),
            checkpoint.path().display(),
            names.join(", ")
        ),
    );
}

#[cfg(test)]
mod tests;
