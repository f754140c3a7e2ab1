//! The host's services, as a plugin sees them.

use crate::{Error, Result, message};
use modelzoo_abi::{HostServices, abi_stable::std_types::RSlice};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::OnceLock};

/// The host's services: log, progress, cancellation, thread budget, downloads.
///
/// A default `Host` belongs to no host: it logs nothing, is never cancelled and downloads nothing. That is what unit
/// tests of a plugin get.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host {
    services: Option<HostServices>,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is not as it should be, but works.
    Warn,
    /// What happens.
    Info,
    /// What happens inside.
    Debug,
}

/// A file that a plugin needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DownloadRequest {
    /// Where it can be had; the first that works is taken.
    pub urls: Vec<String>,
    /// The file to write, absolute.
    pub destination: PathBuf,
    /// The SHA-256 of the content, 64 hexadecimal digits. A file without one is trusted on first sight.
    pub sha256: Option<String>,
    /// Its size in bytes.
    pub size_bytes: Option<u64>,
}

impl DownloadRequest {
    /// Asks for `url` to be written to `destination`.
    pub fn new(url: impl Into<String>, destination: impl Into<PathBuf>) -> Self {
        Self {
            urls: vec![url.into()],
            destination: destination.into(),
            ..Self::default()
        }
    }

    /// Says what the content's SHA-256 must be, 64 hexadecimal digits.
    pub fn with_sha256(mut self, sha256: impl Into<String>) -> Self {
        self.sha256 = Some(sha256.into());
        self
    }
}

impl Host {
    /// The services behind a table from the host.
    pub fn new(services: HostServices) -> Self {
        Self {
            services: Some(services),
        }
    }

    /// Tells the user something. Where nobody listens it is lost.
    pub fn log(&self, level: LogLevel, message: impl Into<String>) {
        // A message that cannot be told is no reason to fail.
        let _: Result<()> = self.call(
            "log/1",
            &message::Log {
                level,
                message: message.into(),
            },
        );
    }

    /// Tells how far a long step is: `done` of `total` in some unit.
    pub fn progress(&self, step: impl Into<String>, done: u64, total: Option<u64>) {
        // As for `log`.
        let _: Result<()> = self.call(
            "progress/1",
            &message::Progress {
                step: step.into(),
                done,
                total,
            },
        );
    }

    /// Whether the user wants to stop. Long steps should look at it now and then.
    pub fn is_cancelled(&self) -> bool {
        self.call("cancelled/1", &()).unwrap_or(false)
    }

    /// How many threads the plugin may use, at least 1.
    pub fn threads(&self) -> usize {
        static CORES: OnceLock<usize> = OnceLock::new();
        self.call::<_, usize>("threads/1", &()).unwrap_or_else(|_| {
            *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
        })
    }

    /// Downloads a file: resumed, verified and written whole or not at all. Plugins need no network of their own.
    ///
    /// # Errors
    /// When the file cannot be had, or is not the one it should be.
    pub fn download(&self, request: &DownloadRequest) -> Result<PathBuf> {
        self.call("download/1", request)
    }

    fn call<A: Serialize, R: for<'de> Deserialize<'de>>(&self, method: &str, arguments: &A) -> Result<R> {
        Ok(self.call_with_buffers(method, arguments)?.0)
    }

    /// Calls a service whose reply has buffers.
    pub(crate) fn call_with_buffers<A: Serialize, R: for<'de> Deserialize<'de>>(
        &self,
        method: &str,
        arguments: &A,
    ) -> Result<(R, Vec<Vec<u8>>)> {
        let services = self
            .services
            .ok_or_else(|| Error::unsupported("there is no host to ask"))?;
        let arguments = message::encode(arguments)?;
        let request = modelzoo_abi::Request {
            method: method.into(),
            message: arguments.as_slice().into(),
            buffers: RSlice::EMPTY,
        };
        let reply = message::result(services.call(request))?;
        let buffers = reply
            .buffers
            .iter()
            .map(|buffer| buffer.bytes().to_vec())
            .collect();
        Ok((message::decode(&reply.message)?, buffers))
    }
}
