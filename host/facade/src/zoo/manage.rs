//! What a user does with sources and models beside running them: register, forget, download.

use super::{FoundModel, LoadSettings, PreparedModel, Zoo, ZooError};
use modelzoo_sources::{SourceRef, zoo::ZooSource};

impl Zoo {
    /// Registers a source, so that its models are known by name. A source that is registered under the same reference
    /// is left as it is, unless `overwrite`: then it is looked up anew, archives included.
    ///
    /// # Errors
    /// When the source cannot be had, is not what the lock says, or the register cannot be written.
    pub fn register_source(&self, reference: &SourceRef, overwrite: bool) -> Result<ZooSource, ZooError> {
        let registry = self.registry();
        if !overwrite
            && let Ok(known) = registry.find(reference)
            && (known.reference == *reference || reference.is_local_path())
        {
            return Ok(known);
        }
        let source = self.find_source_at(reference, None, overwrite)?;
        let known = registry.register(&source)?;
        known.problems().for_each(|problem| tracing::warn!("{problem}"));
        self.save_lock()?;
        Ok(known)
    }

    /// Forgets a registered source. Its files stay in the store until they are collected; so do the weights of its
    /// models, unless `with_weights`.
    ///
    /// # Errors
    /// When it is not registered, or the register or the store cannot be written.
    pub fn forget_source(&self, reference: &SourceRef, with_weights: bool) -> Result<ZooSource, ZooError> {
        let known = self.registry().remove(reference)?;
        if with_weights {
            for (_, model) in known.models() {
                self.settings.store.remove_model(&known.identity, &model.name())?;
            }
        }
        Ok(known)
    }

    /// Prepares a model, and registers its source, so that the model is known by name from now on. A folder that the
    /// user named is not registered: it may be gone tomorrow. `again` downloads weights that are there once more; the
    /// old ones stay until the new ones are whole.
    ///
    /// # Errors
    /// As [`Zoo::prepare_model`]; also when the register cannot be written.
    pub fn download_model(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
        again: bool,
    ) -> Result<PreparedModel, ZooError> {
        let prepared = self.prepare(model, settings, again)?;
        if !model.source.reference.is_local_path() {
            self.registry().register(&model.source)?;
        }
        Ok(prepared)
    }
}
