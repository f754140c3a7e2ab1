//! What both ways have in common: how they break, and how long they are waited for.
use modelzoo_base::progress::Cancellation;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Why a connection broke.
#[derive(Clone, Debug, thiserror::Error)]
pub(in crate::git) enum Broken {
    #[error("cancelled")]
    Cancelled,
    #[error("the server sends nothing")]
    Stalled,
    #[error("there is no such repository")]
    Missing,
    /// The server wants to know who asks, and there is nothing to show, or it was refused.
    #[error("the server wants credentials")]
    Authentication { refused: bool },
    /// What was to be shown is not for the server at this address.
    #[error("it leads to {to}")]
    Elsewhere { to: String },
    #[error("the server's key is not known")]
    UnknownHost,
    /// The server cannot be reached, or hung up.
    #[error("{0}")]
    Network(String),
    /// The server answers, but not with a repository.
    #[error("{0}")]
    Answer(String),
}

/// How long a server may be silent, and whether anybody still waits for it. Clones remember the same break.
#[derive(Clone, Debug)]
pub(in crate::git) struct Patience {
    pub(super) stall_timeout: Duration,
    pub(super) cancellation: Cancellation,
    broken: Arc<Mutex<Option<Broken>>>,
}

impl Patience {
    pub(in crate::git) fn new(stall_timeout: Duration, cancellation: Cancellation) -> Self {
        Self {
            stall_timeout,
            cancellation,
            broken: Arc::default(),
        }
    }

    /// Remembers why the connection broke, and gives libgit2 the text of it.
    pub(super) fn broke(&self, broken: Broken) -> io::Error {
        let error = io::Error::other(broken.to_string());
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(broken);
        error
    }

    pub(super) fn take_broken(&self) -> Option<Broken> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Bytes that have arrived, and are read piece by piece.
#[derive(Debug, Default)]
pub(super) struct Piece {
    bytes: Vec<u8>,
    read: usize,
}

impl Piece {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, read: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.read == self.bytes.len()
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let rest = &self.bytes[self.read..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        length
    }
}
