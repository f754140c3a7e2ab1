//! What plugins may ask of this host.

use modelzoo_base::{
    Sha256Digest,
    progress::{Cancellation, Observer},
};
use modelzoo_plugin_api::{DownloadRequest, Error as PluginError, ErrorKind, Result as PluginResult};
use modelzoo_runtime::HostServices;
use modelzoo_sources::download::{Downloader, Request};
use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

/// Downloads for plugins, and their progress for the user.
pub(super) struct Services {
    pub(super) downloader: Arc<Downloader>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) cancellation: Cancellation,
    pub(super) threads: Option<usize>,
    /// The folder that downloads may write to; `None` where the plugin has none to make.
    pub(super) download_folder: Option<PathBuf>,
}

impl HostServices for Services {
    fn observer(&self) -> &dyn Observer {
        self.observer.as_ref()
    }

    fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }

    fn threads(&self) -> usize {
        self.threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Only into the folder of the model that is being downloaded, and only from the network: a plugin must not reach
    /// files through the host that it could not reach itself.
    fn download(&self, request: &DownloadRequest) -> PluginResult<PathBuf> {
        if !self
            .download_folder
            .as_ref()
            .is_some_and(|folder| is_inside(&request.destination, folder))
        {
            return Err(PluginError::new(format!(
                "{} is outside of the folder that `download_model` was given, or no model is being downloaded",
                request.destination.display()
            ))
            .with_kind(ErrorKind::InvalidInput));
        }
        if let Some(url) = request.urls.iter().find(|url| !is_remote(url)) {
            return Err(
                PluginError::new(format!("{url} is no http or https URL")).with_kind(ErrorKind::InvalidInput)
            );
        }
        let sha256 = request
            .sha256
            .as_ref()
            .map(|text| text.parse::<Sha256Digest>())
            .transpose()
            .map_err(|error| PluginError::from(error).with_kind(ErrorKind::InvalidInput))?;
        let request = Request {
            urls: request.urls.clone(),
            sha256,
            size: request.size_bytes,
            destination: request.destination.clone(),
        };
        let downloaded = self
            .downloader
            .fetch(&request, self.observer.as_ref(), &self.cancellation)?;
        Ok(downloaded.path)
    }
}

/// Whether `path` is a file below `folder`, without a step back on the way.
fn is_inside(path: &Path, folder: &Path) -> bool {
    path.strip_prefix(folder).is_ok_and(|rest| {
        rest.components().next().is_some()
            && rest.components().all(|part| matches!(part, Component::Normal(_)))
    })
}

fn is_remote(url: &str) -> bool {
    let scheme = url
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_write_below_their_folder_alone() {
        let folder = Path::new("/store/staging");
        assert!(is_inside(Path::new("/store/staging/model/weights.bin"), folder));
        for outside in [
            "/store/staging",
            "/store/other",
            "/store/staging/../other",
            "weights.bin",
            "/store/staging2/a",
        ] {
            assert!(!is_inside(Path::new(outside), folder), "{outside}");
        }
        assert!(is_remote("HTTPS://example.org/a") && is_remote("http://example.org/a"));
        assert!(!is_remote("file:///etc/passwd") && !is_remote("/etc/passwd"));
    }
}
