//! Taking the plugin that the author of a source compiled, instead of building it.

use super::{FoundModel, Zoo};
use crate::{error::ZooError, settings::LoadSettings};
use modelzoo_base::{Sha256Digest, Voucher, error::in_one_line, progress::Event};
use modelzoo_plugin_api::Device;
use modelzoo_runtime::{
    ArtifactRecord, BuiltPlugin, Installation, PrebuiltRecord, PrebuiltStore, TARGET, UnfitPrebuilt,
};
use modelzoo_sources::{
    config::PluginOrigin,
    prebuilt::{Offer, Offered, PrebuiltError, Proof, fetch},
    trust::PrebuiltFacts,
};

impl Zoo {
    /// Whether the plugin is taken as its author compiled it, or built.
    pub(super) fn origin(&self, settings: &LoadSettings) -> PluginOrigin {
        settings.origin.unwrap_or(self.settings.config.plugin.origin)
    }

    /// The prebuilt plugins of `model` that may be taken, the best first. Nothing is downloaded to find out.
    ///
    /// # Errors
    /// When only a prebuilt plugin may be taken, and there is none.
    pub(super) fn prebuilt_offers(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
    ) -> Result<Vec<Offer>, ZooError> {
        self.prebuilt_offers_for(model, settings, TARGET)
    }

    /// The same for another machine.
    pub(super) fn prebuilt_offers_for(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
        target: &str,
    ) -> Result<Vec<Offer>, ZooError> {
        let origin = self.origin(settings);
        let key = model.lock_key();
        let is_built = match origin {
            PluginOrigin::Build => true,
            PluginOrigin::Prebuilt => false,
            // A folder that the user named is his own code, which he works on; what is locked stays as it is.
            PluginOrigin::Auto => key
                .as_ref()
                .is_none_or(|key| self.lock().is_locked_as_built(key, target)),
        };
        if is_built {
            return Ok(Vec::new());
        }
        let variants = self.variants(settings);
        let Some(crate_name) = model.manifest.crate_name() else {
            return Ok(Vec::new());
        };
        let offered = Offered {
            source: &model.source,
            manifest: &model.manifest,
            crate_name: &crate_name,
            target,
            policy: &self.settings.config.trust,
        };
        let offers = variants.iter().filter_map(|variant| {
            let locked = key
                .as_ref()
                .and_then(|key| self.lock().expected_prebuilt(key, target, variant));
            offered.find(variant, locked)
        });
        let offers = Vec::from_iter(offers);
        if offers.is_empty() && origin == PluginOrigin::Prebuilt {
            return Err(PrebuiltError::NotOffered {
                identity: model.source.identity.clone(),
                target: format!("{target} ({})", variants.join(" or ")),
                others: offered.elsewhere(),
            }
            .into());
        }
        Ok(offers)
    }

    /// What a plugin may be compiled for, the best first. The one for CPUs runs everywhere.
    fn variants(&self, settings: &LoadSettings) -> Vec<&'static str> {
        match self.device(settings) {
            Device::Cuda(_) => vec!["cuda", "cpu"],
            Device::Metal => vec!["metal", "cpu"],
            _ => vec!["cpu"],
        }
    }

    /// What was taken before of what is offered, if what vouches for it still does.
    pub(super) fn taken_prebuilt(&self, model: &FoundModel, offers: &[Offer]) -> Option<BuiltPlugin> {
        offers.iter().find_map(|offer| {
            let found = self.prebuilt_store().find(&installation(model, offer)?)?;
            let prebuilt = found.record.prebuilt.as_ref()?;
            let is_vouched_for = match &offer.proof {
                Proof::Hash { sha256, .. } => prebuilt.archive_sha256 == sha256.to_string(),
                Proof::Signature { keys } => match &prebuilt.vouched_by {
                    Voucher::Key { key } => keys.iter().any(|one| one.trim() == key),
                    Voucher::Manifest | Voucher::Lock => false,
                },
            };
            is_vouched_for.then_some(found)
        })
    }

    /// Downloads, verifies and keeps what is offered; nothing of it runs. `None` where it is not there, or not for this
    /// host, and the source may be built instead.
    ///
    /// # Errors
    /// When it is not what it must be; also when it is not there, and nothing else may be taken.
    pub(super) fn take_prebuilt(
        &self,
        model: &FoundModel,
        offer: &Offer,
        settings: &LoadSettings,
    ) -> Result<Option<BuiltPlugin>, ZooError> {
        let Some(wanted) = installation(model, offer) else {
            return Ok(None);
        };
        let may_build = self.origin(settings) != PluginOrigin::Prebuilt;
        let fetched = fetch(offer, &self.settings.store, self.access());
        self.settings.observer.notice(Event::Over);
        let fetched = match fetched {
            Err(error) if error.is_absence() && may_build => {
                tracing::info!("no prebuilt plugin: {}", in_one_line(&error));
                return Ok(None);
            }
            other => other?,
        };
        let prebuilt = PrebuiltRecord {
            variant: offer.variant.clone(),
            url: fetched.url.clone(),
            archive_sha256: fetched.sha256.to_string(),
            vouched_by: fetched.vouched_by.clone(),
        };
        match self
            .prebuilt_store()
            .install(&fetched.folder, &wanted, prebuilt, fetched.signature.is_some())
        {
            Err(error) if error.is_of_elsewhere() && may_build => {
                tracing::warn!("{error}; the source is built instead");
                Ok(None)
            }
            other => Ok(Some(other?)),
        }
    }

    /// Whether a prebuilt plugin loads here. One that does not, for what the machine lacks, is forgotten again.
    ///
    /// # Errors
    /// When it does not.
    pub(super) fn try_prebuilt(
        &self,
        model: &FoundModel,
        offer: &Offer,
        plugin: &BuiltPlugin,
        settings: &LoadSettings,
    ) -> Result<(), ZooError> {
        let described = self
            .runner(plugin.artifact.clone().into(), settings, None)
            .describe();
        if described.is_err()
            && let Some(wanted) = installation(model, offer)
        {
            self.prebuilt_store()
                .forget(&wanted)
                .map_err(UnfitPrebuilt::from)?;
        }
        described?;
        Ok(())
    }

    fn prebuilt_store(&self) -> PrebuiltStore {
        PrebuiltStore::new(self.settings.store.artifacts_dir())
    }
}

/// What the question for consent says of a prebuilt plugin.
pub(super) fn facts(record: &PrebuiltRecord) -> PrebuiltFacts {
    PrebuiltFacts {
        url: record.url.clone(),
        sha256: record.archive_sha256.clone(),
        vouched_by: record.vouched_by.to_string(),
    }
}

/// The archive and variant that a plugin was taken from; `None` where it was built.
pub(super) fn origin_of(record: &ArtifactRecord) -> Option<(&str, Sha256Digest)> {
    let prebuilt = record.prebuilt.as_ref()?;
    Some((&prebuilt.variant, prebuilt.archive_sha256.parse().ok()?))
}

fn installation(model: &FoundModel, offer: &Offer) -> Option<Installation> {
    Some(Installation {
        crate_name: model.manifest.crate_name()?,
        identity: model.source.identity.clone(),
        commit: model.source.commit.as_ref().map(|commit| commit.id.clone()),
        source_hash: model.source.tree_hash.to_string(),
        variant: offer.variant.clone(),
    })
}
