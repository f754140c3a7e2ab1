//! What the host does for its plugins.

use super::{table::ServiceReply, video::Videos};
use modelzoo_base::progress::{Event, NoObserver, Observer};
use modelzoo_plugin_api::{
    DownloadRequest, Error, LogLevel, Result,
    message::{self, FrameRequest, Log, Progress},
};
use std::{path::PathBuf, sync::Arc, thread::available_parallelism};

/// What the host does for its plugins. The methods are called from any thread.
///
/// Every method has a default, so that a program that needs none of this uses [`DefaultServices`].
pub trait HostServices: Send + Sync {
    /// Takes note of a message of the plugin. The default hands it to `tracing`.
    fn log(&self, level: LogLevel, text: &str) {
        match level {
            LogLevel::Error => tracing::error!(target: "modelzoo::plugin", "{text}"),
            LogLevel::Warn => tracing::warn!(target: "modelzoo::plugin", "{text}"),
            LogLevel::Info => tracing::info!(target: "modelzoo::plugin", "{text}"),
            _ => tracing::debug!(target: "modelzoo::plugin", "{text}"),
        }
    }

    /// Who is told how far a long step of the plugin is. The default tells nobody.
    fn observer(&self) -> &dyn Observer {
        &NoObserver
    }

    /// Whether the user wants to stop.
    fn is_cancelled(&self) -> bool {
        false
    }

    /// How many threads the plugin may use, at least 1. The default is one for each processor.
    fn threads(&self) -> usize {
        available_parallelism().map_or(1, usize::from)
    }

    /// Downloads a file for the plugin and gives its path, verified. The default refuses.
    ///
    /// # Errors
    /// When the file cannot be had, or is not the one it should be.
    fn download(&self, request: &DownloadRequest) -> Result<PathBuf> {
        let url = request.urls.first().map_or("anything", String::as_str);
        Err(Error::unsupported(format!(
            "this host does not download {url} for plugins"
        )))
    }
}

/// The defaults of [`HostServices`].
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultServices;

impl HostServices for DefaultServices {}

/// The services of the host for one plugin, by name.
pub(crate) struct PluginServices {
    services: Arc<dyn HostServices>,
    pub(super) videos: Videos,
}

impl PluginServices {
    /// Offers `services`.
    pub(crate) fn new(services: Arc<dyn HostServices>) -> Self {
        Self {
            services,
            videos: Videos::default(),
        }
    }

    /// Whether the user wants to stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.services.is_cancelled()
    }

    /// Answers a plugin's call of a service.
    pub(crate) fn answer(&self, method: &str, arguments: &[u8]) -> Result<ServiceReply> {
        let services = &self.services;
        let message = match method {
            message::LOG => {
                let Log { level, message: text } = message::decode(arguments)?;
                message::encode(&services.log(level, &text))
            }
            message::PROGRESS => {
                let Progress { step, done, total } = message::decode(arguments)?;
                let step = step.as_str();
                message::encode(&services.observer().notice(Event::Plugin { step, done, total }))
            }
            message::CANCELLED => message::encode(&services.is_cancelled()),
            // There is nobody left to ask where the process is this one.
            message::ITEM => message::encode(&message::decode::<Option<u64>>(arguments).map(drop)?),
            message::THREADS => message::encode(&services.threads()),
            message::DOWNLOAD => message::encode(&services.download(&message::decode(arguments)?)?),
            message::NEXT_FRAME => {
                let FrameRequest { reader } = message::decode(arguments)?;
                return self.videos.next_frame(reader);
            }
            unknown => Err(Error::unsupported(format!("this host has no service {unknown}"))),
        };
        Ok((message?, Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_plugin_api::ErrorKind;

    #[test]
    fn services_are_found_by_name() {
        let services = PluginServices::new(Arc::new(DefaultServices));
        let ask = |method, arguments: &[u8]| services.answer(method, arguments).map(|(message, _)| message);
        let threads: usize = message::decode(&ask(message::THREADS, &[]).unwrap()).unwrap();
        assert!(threads > 0);
        assert!(!message::decode::<bool>(&ask(message::CANCELLED, &[]).unwrap()).unwrap());
        assert_eq!(ask("fly/1", &[]).unwrap_err().kind(), ErrorKind::Unsupported);
        let request = DownloadRequest::new("https://example.org/weights", "/tmp/weights");
        let refused = ask(message::DOWNLOAD, &message::encode(&request).unwrap()).unwrap_err();
        assert!(
            refused.to_string().contains("https://example.org/weights"),
            "{refused}"
        );
        assert!(ask(message::LOG, b"\xc1").is_err());
    }
}
