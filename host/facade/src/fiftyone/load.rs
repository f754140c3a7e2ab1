//! Loading models, with a cache of those that are in use.

use super::{ErrorLevel, cache, user_zoo_with};
use crate::{
    error::{Error, ZooError},
    model::Model,
    settings::LoadSettings,
    zoo::{FoundModel, Zoo},
};
use std::sync::Arc;

/// How [`load_zoo_model`] loads. The default downloads what is missing, refuses what does not fit this machine, and
/// shares one instance.
#[derive(Clone, Debug)]
pub struct LoadZooModelOptions {
    /// Which model of the source, where a source with several was named.
    pub model_name: Option<String>,
    /// Whether weights that are not on this machine are downloaded.
    pub download_if_necessary: bool,
    /// What a requirement that this machine does not meet is; `None` asks the configuration.
    pub error_level: Option<ErrorLevel>,
    /// Whether an instance that is in use already may be given again.
    pub cache: bool,
    /// Where and how it runs, and the model's own options.
    pub settings: LoadSettings,
}

impl Default for LoadZooModelOptions {
    fn default() -> Self {
        Self {
            model_name: None,
            download_if_necessary: true,
            error_level: None,
            cache: true,
            settings: LoadSettings::default(),
        }
    }
}

/// Loads a model: a known name (`base_name[@version]`), or a source and the name of a model in it. While somebody holds
/// the model, the same question gives the same instance; another state of its source, or other settings, are another
/// question. Its name is `model.provenance().model`.
///
/// # Errors
/// When there is no such model, its source is not trusted, this machine lacks what it needs, it does not compile or
/// load, or its weights are missing and may not be downloaded.
pub fn load_zoo_model(name_or_source: &str, options: &LoadZooModelOptions) -> Result<Arc<Model>, Error> {
    let zoo = user_zoo_with(options.error_level)?;
    let named = zoo.parse_model(name_or_source, options.model_name.as_deref())?;
    let found = zoo.find(&named)?;
    if !options.download_if_necessary && zoo.is_downloaded(&found) == Some(false) {
        return Err(ZooError::NotDownloaded(found.entry.name()).into());
    }
    let load = || -> Result<Model, Error> { Ok(zoo.load_with(&named, &options.settings)?) };
    if options.cache {
        cache::loaded(key(&zoo, &found, &options.settings), load)
    } else {
        load().map(Arc::new)
    }
}

/// Everything that decides which model comes out.
fn key(zoo: &Zoo, found: &FoundModel, settings: &LoadSettings) -> String {
    format!(
        "{:?}",
        (
            zoo.store().root(),
            &found.source.identity,
            found.source.tree_hash,
            found.entry.name(),
            settings
        )
    )
}
