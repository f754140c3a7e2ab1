//! The host's services, as a plugin sees them.

use crate::{DownloadRequest, Error, LogLevel, Result, codec, service};
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
            service::LOG,
            &service::Log {
                level,
                message: message.into(),
            },
        );
    }

    /// Tells how far a long step is: `done` of `total` in some unit.
    pub fn progress(&self, step: impl Into<String>, done: u64, total: Option<u64>) {
        // As for `log`.
        let _: Result<()> = self.call(
            service::PROGRESS,
            &service::Progress {
                step: step.into(),
                done,
                total,
            },
        );
    }

    /// Tells which item of a batch is being worked on, counted from 0, or that it is none. It costs next to nothing, and
    /// when the process ends over that item, none of the others is tried again alone. The default of
    /// [`Model::predict_all`](crate::Model::predict_all) tells it.
    pub fn item(&self, index: Option<usize>) {
        // As for `log`.
        let _: Result<()> = self.call(service::ITEM, &index);
    }

    /// Whether the user wants to stop. Long steps should look at it now and then.
    pub fn is_cancelled(&self) -> bool {
        self.call(service::CANCELLED, &()).unwrap_or(false)
    }

    /// How many threads the plugin may use, at least 1.
    pub fn threads(&self) -> usize {
        static CORES: OnceLock<usize> = OnceLock::new();
        self.call::<_, usize>(service::THREADS, &()).unwrap_or_else(|_| {
            *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
        })
    }

    /// Downloads a file: resumed, verified and written whole or not at all. Plugins need no network of their own.
    ///
    /// # Errors
    /// When the file cannot be had, or is not the one it should be.
    pub fn download(&self, request: &DownloadRequest) -> Result<PathBuf> {
        self.call(service::DOWNLOAD, request)
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
        let arguments = codec::encode(arguments)?;
        let request = modelzoo_abi::Request {
            method: method.into(),
            message: arguments.as_slice().into(),
            buffers: RSlice::EMPTY,
        };
        let reply = codec::result(services.call(request))?;
        let buffers = reply
            .buffers
            .iter()
            .map(|buffer| buffer.bytes().to_vec())
            .collect();
        Ok((codec::decode(&reply.message)?, buffers))
    }
}
