//! All models at one moment.
use super::{Registry, RegistryError, ZooManifest, ZooSource};
use crate::{
    SourceRef,
    manifest::{ModelEntry, ModelName, resolve_name},
    store::Store,
    weights::WeightsPlace,
};
use modelzoo_base::suggest;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// All models of all registered sources and configured manifests.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Sorted by name, then by source.
    models: Vec<CatalogModel>,
    problems: Vec<String>,
}

/// A model and the source that declares it.
#[derive(Clone, Debug)]
pub struct CatalogModel {
    source: Arc<ZooSource>,
    manifest_index: usize,
    model_index: usize,
    name: String,
}

/// Which models of a [`Catalog`] are wanted. The default wants all.
#[derive(Clone, Debug, Default)]
pub struct ModelFilter<'a> {
    /// Tags that a model must all have.
    pub tags: Vec<String>,
    /// Licences of which a model must have one.
    pub licenses: Vec<String>,
    /// The source that must declare it, in any spelling and at any revision.
    pub source: Option<&'a SourceRef>,
    /// The store that must have its weights.
    pub downloaded_in: Option<&'a Store>,
}

impl Catalog {
    /// All models of `registry` and of the manifests at `manifest_paths`. What is wrong with single manifests is told by
    /// [`Catalog::problems`], and hides no other model.
    ///
    /// # Errors
    /// The register cannot be read.
    pub fn load(registry: &Registry, manifest_paths: &[PathBuf]) -> Result<Self, RegistryError> {
        let mut catalog = Self::default();
        let mut sources = registry.sources()?;
        for path in manifest_paths {
            match ZooSource::of_manifest_file(path) {
                Ok(source) => sources.push(source),
                Err(error) => catalog.problems.push(error.to_string()),
            }
        }
        for source in sources {
            catalog.add(Arc::new(source));
        }
        catalog
            .models
            .sort_by(|a, b| (&a.name, &a.source.identity).cmp(&(&b.name, &b.source.identity)));
        Ok(catalog)
    }

    fn add(&mut self, source: Arc<ZooSource>) {
        self.problems.extend(source.problems());
        let mut names = std::collections::HashSet::new();
        for (manifest_index, known) in source.manifests.iter().enumerate() {
            for (model_index, model) in known.manifest.models.iter().enumerate() {
                let name = model.name();
                if names.insert(name.clone()) {
                    let source = Arc::clone(&source);
                    self.models.push(CatalogModel {
                        source,
                        manifest_index,
                        model_index,
                        name,
                    });
                }
            }
        }
    }

    /// What is wrong with single manifests and entries.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The models that fit `filter`, sorted by name, then by source.
    pub fn list(&self, filter: &ModelFilter<'_>) -> Vec<&CatalogModel> {
        let identity = filter.source.map(SourceRef::identity);
        self.models
            .iter()
            .filter(|model| {
                identity
                    .as_ref()
                    .is_none_or(|identity| *identity == model.source.identity)
                    && model.entry().has_tags(&filter.tags)
                    && model.entry().has_any_license(&filter.licenses)
                    && filter
                        .downloaded_in
                        .is_none_or(|store| model.is_downloaded(store))
            })
            .collect()
    }

    /// The model that `name` (`base_name[@version]`, the newest version by default) means.
    ///
    /// # Errors
    /// No source has it, with suggestions; several have it, with their names.
    pub fn find(&self, name: &str) -> Result<&CatalogModel, RegistryError> {
        let found = resolve_name(name, self.models.iter(), CatalogModel::model_name).ok_or_else(|| {
            let suggestions = suggest::nearest(name, self.models.iter().map(CatalogModel::name));
            RegistryError::UnknownModel {
                name: name.to_owned(),
                suggestions,
            }
        })?;
        let same: Vec<_> = self
            .models
            .iter()
            .filter(|model| model.name == found.name)
            .collect();
        if same.len() > 1 {
            let sources = same
                .iter()
                .map(|model| model.source.reference.to_string())
                .collect();
            return Err(RegistryError::AmbiguousModel {
                name: name.to_owned(),
                sources,
            });
        }
        Ok(found)
    }
}

impl CatalogModel {
    /// `base_name`, or `base_name@version`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its manifest says of it.
    pub fn entry(&self) -> &ModelEntry {
        &self.manifest().manifest.models[self.model_index]
    }

    /// The manifest that declares it.
    pub fn manifest(&self) -> &ZooManifest {
        &self.source.manifests[self.manifest_index]
    }

    /// The source that declares it.
    pub fn source(&self) -> &ZooSource {
        &self.source
    }

    /// Whether its weights are on this machine: in the store, or in the source's own files.
    pub fn is_downloaded(&self, store: &Store) -> bool {
        self.weights(store).is_some()
    }

    /// The file or folder of its weights, if they are on this machine.
    pub fn weights(&self, store: &Store) -> Option<PathBuf> {
        let folder = self.source.folder(store);
        if self.manifest().is_published {
            // Where it is not used in place, its files are put together in the store.
            let place = match &self.source.folder_in_tree {
                Some(_) => Some(store.model_dir(&self.source.identity, self.name())),
                None => folder,
            };
            return place.filter(|place| place.is_dir());
        }
        let folder = folder.map(|folder| folder.join(&self.manifest().folder));
        let place = WeightsPlace::of(store, &self.source.identity, self.entry(), folder.as_deref());
        place.path().map(Path::to_owned)
    }

    fn model_name(&self) -> ModelName<'_> {
        self.entry().model_name()
    }
}
