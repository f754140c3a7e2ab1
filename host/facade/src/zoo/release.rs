//! Compiling a plugin for others, who have no compiler.

use super::Zoo;
use crate::{error::ZooError, settings::LoadSettings};
use modelzoo_base::progress::Event;
use modelzoo_runtime::{BuildError, BuiltPlugin, PackedPlugin, TARGET, UnfitPrebuilt, pack_plugin};
use modelzoo_sources::{SourceRef, git, prebuilt::file_name};
use std::path::{Path, PathBuf};

/// A plugin that was compiled for others.
#[derive(Clone, Debug)]
pub struct Release {
    crate_name: String,
    folder: PathBuf,
    variant: String,
    plugin: BuiltPlugin,
}

impl Zoo {
    /// Compiles the plugin in the folder `source` for others: without the instructions that only this machine's processor
    /// has. `variant` is `cpu`, or the feature of the crate that it is compiled with: `cuda`, `metal`.
    ///
    /// # Errors
    /// When there is no source in the folder, or it does not compile.
    pub fn build_release(
        &self,
        source: &Path,
        variant: &str,
        settings: &LoadSettings,
    ) -> Result<Release, ZooError> {
        let found = self.find_source(&SourceRef::from_path(source))?;
        let folder = found.path.clone();
        let crate_name = found.manifests.iter().find_map(|manifest| manifest.crate_name());
        let crate_name = crate_name.ok_or_else(|| BuildError::NoCrate {
            is_python: folder.join("__init__.py").exists(),
            folder: folder.clone(),
        })?;
        let (builder, mut request) = self.builder_for(&found, &folder, settings)?;
        // What is compiled for this machine alone stays where it is.
        request.identity += " (for others)";
        request.is_portable = true;
        request.features = Vec::from_iter((variant != "cpu").then(|| variant.to_owned()));
        let observer = &self.settings.observer;
        let built = builder.build(&request, observer.as_ref());
        observer.notice(Event::Over);
        let mut plugin = built?;
        plugin.record.commit = git::clean_commit(&folder);
        Ok(Release {
            crate_name,
            folder,
            variant: variant.to_owned(),
            plugin,
        })
    }
}

impl Release {
    /// What its archive is called in a release, where users' programs look for it.
    pub fn file_name(&self) -> String {
        file_name(&self.crate_name, TARGET, &self.variant)
    }

    /// The commit that it was compiled from; `None` where the folder is no checkout of Git, or something in it differs from
    /// the commit. A signature vouches only for what was compiled from the commit that is used.
    pub fn commit(&self) -> Option<&str> {
        self.plugin.record.commit.as_deref()
    }

    /// Writes its archive. It is there whole or not at all.
    ///
    /// # Errors
    /// When the source cannot be read, or the archive not be written.
    pub fn pack(&self, archive: &Path) -> Result<PackedPlugin, ZooError> {
        let packed = pack_plugin(&self.plugin, &self.crate_name, &self.folder, archive);
        Ok(packed.map_err(UnfitPrebuilt::from)?)
    }
}
