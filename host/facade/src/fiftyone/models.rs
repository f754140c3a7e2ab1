//! Models by name.

use super::user_zoo;
use crate::{
    error::Error,
    plan::Plan as _,
    settings::LoadSettings,
    zoo::{FoundModel, Zoo},
};
use modelzoo_sources::{
    manifest::ModelEntry,
    registry::{CatalogModel, ModelFilter as CatalogFilter},
};
use std::path::PathBuf;

/// Which models [`list_zoo_models`] names. The default is all.
#[derive(Clone, Debug, Default)]
pub struct ModelFilter {
    /// Tags that a model must all have.
    pub tags: Vec<String>,
    /// The source that must declare it, in any spelling.
    pub source: Option<String>,
    /// Licences of which a model must have one.
    pub license: Vec<String>,
}

/// A model that the zoo knows.
#[derive(Clone, Debug, PartialEq)]
pub struct ZooModel {
    /// `base_name`, or `base_name@version`.
    pub name: String,
    /// The source that declares it, however it was spelt: `github.com/user/repo`.
    pub source: String,
    /// What the source's manifest says of it.
    pub entry: ModelEntry,
}

/// How [`download_zoo_model`] downloads.
#[derive(Clone, Debug, Default)]
pub struct DownloadOptions {
    /// Which model of the source, where a source with several was named.
    pub model_name: Option<String>,
    /// Whether weights that are there are downloaded once more.
    pub overwrite: bool,
    /// For which device the plugin is built.
    pub settings: LoadSettings,
}

impl ZooModel {
    fn of(model: &FoundModel) -> Self {
        Self {
            name: model.entry.name(),
            source: model.source.identity.clone(),
            entry: model.entry.clone(),
        }
    }

    fn known(model: &CatalogModel) -> Self {
        Self {
            name: model.name().to_owned(),
            source: model.source().identity.clone(),
            entry: model.entry().clone(),
        }
    }
}

/// The names of the models of all registered sources and configured manifests, sorted. A name that several sources
/// have is there once for each.
///
/// # Errors
/// When the register cannot be read, or `filter.source` makes no sense. A source that is not registered has no models.
pub fn list_zoo_models(filter: &ModelFilter) -> Result<Vec<String>, Error> {
    let zoo = user_zoo()?;
    let source = match &filter.source {
        Some(spelling) => Some(zoo.parse_reference(spelling)?),
        None => None,
    };
    let filter = CatalogFilter {
        tags: filter.tags.clone(),
        licenses: filter.license.clone(),
        source: source.as_ref(),
        downloaded_in: None,
    };
    let catalog = zoo.catalog()?;
    Ok(catalog
        .list(&filter)
        .iter()
        .map(|model| model.name().to_owned())
        .collect())
}

/// The models whose weights are on this machine, with the file or folder of each, sorted by name.
///
/// # Errors
/// When the register or a source cannot be read.
pub fn list_downloaded_zoo_models() -> Result<Vec<(ZooModel, PathBuf)>, Error> {
    let zoo = user_zoo()?;
    let store = zoo.store();
    let filter = CatalogFilter {
        downloaded_in: Some(store),
        ..CatalogFilter::default()
    };
    let catalog = zoo.catalog()?;
    let downloaded = catalog.list(&filter);
    Ok(downloaded
        .iter()
        .filter_map(|model| Some((ZooModel::known(model), model.weights(store)?)))
        .collect())
}

/// What the zoo knows of a model: a known name, or a source with one model.
///
/// # Errors
/// When there is no such model.
pub fn get_zoo_model(name: &str) -> Result<ZooModel, Error> {
    Ok(ZooModel::of(&find(&user_zoo()?, name)?))
}

/// Whether the weights of a model are on this machine; `None` for a model without weights.
///
/// # Errors
/// When there is no such model.
pub fn is_zoo_model_downloaded(name: &str) -> Result<Option<bool>, Error> {
    let zoo = user_zoo()?;
    Ok(zoo.is_downloaded(&find(&zoo, name)?))
}

/// The file or folder of a model's weights.
///
/// # Errors
/// When there is no such model, or its weights are not on this machine.
pub fn find_zoo_model(name: &str) -> Result<PathBuf, Error> {
    let zoo = user_zoo()?;
    Ok(zoo.find_weights(&find(&zoo, name)?)?)
}

/// Builds a model's plugin and downloads its weights, unless they are there. Afterwards its source is registered. Gives
/// the model and the file or folder of its weights.
///
/// # Errors
/// When there is no such model, its source is not trusted, this machine lacks what it needs, it does not compile, or
/// the weights cannot be had.
pub fn download_zoo_model(
    name_or_source: &str,
    options: &DownloadOptions,
) -> Result<(ZooModel, PathBuf), Error> {
    let zoo = user_zoo()?;
    let model = zoo.parse_model(name_or_source, options.model_name.as_deref())?;
    let plan = zoo.plan_download(&model, &options.settings, options.overwrite)?;
    if plan.steps()?.is_empty() {
        tracing::info!("the model {model} is already downloaded");
    }
    let downloaded = plan.execute()?;
    Ok((ZooModel::of(&downloaded.model), downloaded.weights))
}

/// Deletes the weights of a model; nothing happens when there are none. Weights that are a part of the source stay.
///
/// # Errors
/// When there is no such model, or the store cannot be written to.
pub fn delete_zoo_model(name: &str) -> Result<(), Error> {
    let zoo = user_zoo()?;
    zoo.plan_delete(&zoo.parse_model(name, None)?)?.execute()?;
    Ok(())
}

fn find(zoo: &Zoo, name: &str) -> Result<FoundModel, Error> {
    Ok(zoo.find(&zoo.parse_model(name, None)?)?)
}
