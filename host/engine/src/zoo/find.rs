use super::{Event, Zoo, ZooError, services::DownloadProgress};
use modelzoo_sources::{
    git::FetchProgress,
    manifest::ModelEntry,
    reference::Forges,
    source::{ResolveOptions, ResolvedSource, SourceManifest, resolve},
};

/// A model and the source that declares it. Nothing of the source has run yet.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundModel {
    /// The source.
    pub source: ResolvedSource,
    /// The manifest that declares the model, and its folder.
    pub manifest: SourceManifest,
    /// What it says of the model.
    pub entry: ModelEntry,
}

impl Zoo {
    /// Gets the source that `reference` names, unless the store has it.
    ///
    /// # Errors
    /// When the reference makes no sense or the source cannot be had.
    pub fn find_source(&self, reference: &str) -> Result<ResolvedSource, ZooError> {
        let forges = Forges::with_enterprise_hosts(self.settings.config.github.hosts.iter().cloned());
        let reference = forges.parse(reference)?;
        let identity = reference.identity();
        let observer = &self.settings.observer;
        let progress = |progress: FetchProgress| {
            let total = Some(progress.total_objects as u64).filter(|&total| total > 0);
            observer.notice(Event::Fetching {
                source: &identity,
                done: progress.received_objects as u64,
                total,
            });
        };
        let resolved = resolve(
            &reference,
            &ResolveOptions {
                store: &self.settings.store,
                mirrors: &self.settings.config.mirrors,
                credentials: &self.credentials,
                offline: self.settings.offline,
                refresh: false,
                cancellation: &self.settings.cancellation,
                progress: Some(&progress),
                downloader: &self.downloader,
                download_progress: &DownloadProgress::new(observer.as_ref()),
            },
        );
        observer.notice(Event::Over);
        Ok(resolved?)
    }

    /// Finds a model of the source that `reference` names: the one called `name`, or the only one.
    ///
    /// # Errors
    /// As for [`Zoo::find_source`]; also when there is no such model, or several and no name.
    pub fn find_model(&self, reference: &str, name: Option<&str>) -> Result<FoundModel, ZooError> {
        let source = self.find_source(reference)?;
        let (manifest, entry) = source.select(name)?;
        let (manifest, entry) = (manifest.clone(), entry.clone());
        Ok(FoundModel {
            source,
            manifest,
            entry,
        })
    }
}
