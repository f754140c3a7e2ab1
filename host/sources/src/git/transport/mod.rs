//! How Git's protocol travels: over HTTP with the downloader's client, over ssh with the user's `ssh` program.
//!
//! libgit2 speaks the protocol, and what it says and hears goes through here. So Git and downloads share one TLS library,
//! the proxies, the time-outs, the cancellation and the rules for secrets and redirects; and ssh is as its user has set
//! it up. libgit2 finds a transport by the scheme of a URL and hands it nothing else. So a connection is written down
//! under a number, and libgit2 is told a made-up URL with that number.
mod http;
mod ssh;
mod stream;

use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError},
};

pub(super) use http::HttpConnection;
pub(super) use ssh::SshConnection;
pub(super) use stream::{Broken, Patience};

const SCHEME: &str = "modelzoo-connection";

/// The connections that libgit2 may ask for, by number.
static OPEN: LazyLock<Mutex<Open>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Open {
    connections: BTreeMap<u64, Arc<Connection>>,
    next: u64,
}

/// A way to a server.
pub(super) enum Connection {
    Http(Arc<HttpConnection>),
    Ssh(SshConnection),
}

impl Connection {
    /// Why it broke, if it did: libgit2 passes on the text alone.
    pub(super) fn broken(&self) -> Option<Broken> {
        let broken = match self {
            Self::Http(connection) => connection.patience(),
            Self::Ssh(connection) => connection.patience(),
        };
        broken.take_broken()
    }
}

/// A connection that libgit2 knows by a URL, until this is dropped.
pub(super) struct Known {
    number: u64,
    pub(super) connection: Arc<Connection>,
}

impl Known {
    pub(super) fn new(connection: Connection) -> Result<Self, git2::Error> {
        register()?;
        let connection = Arc::new(connection);
        let mut open = open();
        let number = open.next;
        open.next += 1;
        open.connections.insert(number, Arc::clone(&connection));
        Ok(Self { number, connection })
    }

    pub(super) fn url(&self) -> String {
        format!("{SCHEME}://{}", self.number)
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        open().connections.remove(&self.number);
    }
}

fn open() -> MutexGuard<'static, Open> {
    // Nothing that happens under the lock leaves it half done.
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells libgit2 of the scheme, once in a process.
fn register() -> Result<(), git2::Error> {
    static REGISTERED: OnceLock<Result<(), String>> = OnceLock::new();
    let registered = REGISTERED.get_or_init(|| {
        #[allow(unsafe_code, reason = "libgit2 has no other way to add a transport")]
        // SAFETY: it must not run beside other changes to libgit2's list of transports. This `OnceLock` lets one thread
        // in, and nothing else in this program changes the list; libgit2 reads it when a remote is connected, and all
        // with this scheme are connected afterwards.
        let registered = unsafe { git2::transport::register(SCHEME, transport) };
        registered.map_err(|error| error.message().to_owned())
    });
    registered
        .as_ref()
        .map_err(|message| git2::Error::from_str(message))
        .copied()
}

fn transport(remote: &git2::Remote<'_>) -> Result<Transport, git2::Error> {
    let number = remote
        .url()?
        .rsplit('/')
        .next()
        .and_then(|number| number.parse().ok());
    let connection = number.and_then(|number: u64| open().connections.get(&number).cloned());
    let connection = connection.ok_or_else(|| git2::Error::from_str("the connection is closed"))?;
    // HTTP has a request for each step, ssh one conversation.
    let is_stateless = matches!(*connection, Connection::Http(_));
    Transport::smart(remote, is_stateless, Subtransport(connection))
}

struct Subtransport(Arc<Connection>);

impl SmartSubtransport for Subtransport {
    fn action(&self, _url: &str, service: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        match (&*self.0, service) {
            (Connection::Http(connection), Service::UploadPackLs) => Ok(Box::new(connection.advertisement())),
            (Connection::Http(connection), Service::UploadPack) => Ok(Box::new(connection.exchange())),
            (Connection::Ssh(connection), Service::UploadPackLs) => connection
                .converse()
                .map(|conversation| Box::new(conversation) as _)
                .map_err(|broken| git2::Error::from_str(&broken.to_string())),
            _ => Err(git2::Error::from_str("nothing is ever pushed")),
        }
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}
