//! Resolving a revision at a remote, and fetching its commit.
use super::{
    GitError, GitReason, RemoteRefs,
    authentication::Authentication,
    refs::{Target, Wanted},
    transport::{Broken, Connection, HttpConnection, Known, Patience, SshConnection},
};
use crate::{
    access::Access,
    reference::{GitRepository, Revision},
};
use git2::{AutotagOption, Direction, ErrorClass, ErrorCode, Oid, RemoteCallbacks};
use modelzoo_base::progress::Event;
use std::{io, path::Path, sync::Arc};
use url::Url;

/// A commit of a remote repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The full id.
    pub id: String,
    /// The full name of the ref it was found by: `refs/heads/main`. `None` for a commit that was asked for by its id.
    pub ref_name: Option<String>,
    /// The folder that turned out to be part of [`Revision::RefOrPath`].
    pub subdirectory: Option<String>,
}

impl Commit {
    /// A commit that was asked for by its id.
    pub fn by_id(id: String) -> Self {
        Self {
            id,
            ref_name: None,
            subdirectory: None,
        }
    }
}

/// What [`fetch`] found.
pub struct Fetched {
    /// The commit that the revision means.
    pub commit: Commit,
    /// A repository with the commit in it, unless the caller had it already.
    pub(crate) objects: Option<git2::Repository>,
}

impl std::fmt::Debug for Fetched {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Fetched")
            .field("commit", &self.commit)
            .finish_non_exhaustive()
    }
}

/// Finds out which commit `revision` means now, and fetches it into a bare repository in `scratch`, an empty folder,
/// unless `have` says that it is not needed. The commit is fetched without its history where the transport can.
///
/// # Errors
/// See [`GitError`].
pub fn fetch(
    repository: &GitRepository,
    revision: &Revision,
    scratch: &Path,
    access: &Access<'_>,
    have: &dyn Fn(&Commit) -> bool,
) -> Result<Fetched, GitError> {
    let url = repository.url();
    let session = Session {
        identity: &repository.identity(),
        url: &url,
        fetch_url: access.downloader.mirrors().rewrite(&url),
        scratch,
        access,
    };
    session.run(revision, have)
}

struct Session<'a> {
    /// What users know the repository by.
    identity: &'a str,
    url: &'a str,
    /// The URL after mirrors, for libgit2 and for messages.
    fetch_url: String,
    scratch: &'a Path,
    access: &'a Access<'a>,
}

impl Session<'_> {
    fn run(&self, revision: &Revision, have: &dyn Fn(&Commit) -> bool) -> Result<Fetched, GitError> {
        let objects = git2::Repository::init_bare(self.scratch).map_err(|source| self.fetch_error(source))?;
        // The user's own Git configuration may rewrite URLs as well (`insteadOf`).
        let final_url = objects
            .remote_anonymous(&self.fetch_url)
            .and_then(|remote| remote.url().map(str::to_owned))
            .map_err(|source| self.fetch_error(source))?;
        let known = self.connection(&final_url)?;
        let failed = |error| self.failure(error, known.as_ref());
        let url = known.as_ref().map_or(final_url.clone(), Known::url);
        let mut remote = objects.remote_anonymous(&url).map_err(failed)?;

        let mut connection = remote
            .connect_auth(Direction::Fetch, Some(self.callbacks()), None)
            .map_err(failed)?;
        let refs = RemoteRefs::new(connection.list().map_err(failed)?);
        let target = refs.resolve(revision, &self.fetch_url)?;
        if let Wanted::Tip(oid) | Wanted::Unadvertised(oid) = target.commit {
            let commit = target.at(oid);
            if have(&commit) {
                return Ok(Fetched {
                    commit,
                    objects: None,
                });
            }
        }

        let specific = match (&target.commit, &target.ref_name) {
            (Wanted::Tip(oid), Some(name)) => Some((*oid, format!("+{name}:refs/fetched"))),
            (Wanted::Unadvertised(oid) | Wanted::Tip(oid), _) => Some((*oid, format!("+{oid}:refs/fetched"))),
            (Wanted::Prefix(_), _) => None,
        };
        let mut found = None;
        if let Some((oid, refspec)) = specific {
            let depth = if is_local(&final_url) { 0 } else { 1 };
            let mut options = self.fetch_options(depth);
            match connection.remote().download(&[refspec], Some(&mut options)) {
                Ok(()) => found = self.find_commit(&objects, oid),
                // Many servers hand out only what their refs point to, and some no shallow copies:
                // they are asked for everything instead.
                Err(error) if is_refusal(&error) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        drop(connection);
        let oid = match found {
            Some(oid) => oid,
            None => self.fetch_everything(&mut remote, &objects, &target, &refs, &failed)?,
        };
        let commit = target.at(oid);
        drop(remote);
        Ok(Fetched {
            commit,
            objects: Some(objects),
        })
    }

    /// Fetches all branches and tags with their history, and looks for the commit in it.
    fn fetch_everything(
        &self,
        remote: &mut git2::Remote<'_>,
        objects: &git2::Repository,
        target: &Target,
        refs: &RemoteRefs,
        failed: &dyn Fn(git2::Error) -> GitError,
    ) -> Result<Oid, GitError> {
        let mut options = self.fetch_options(0);
        let everything = [
            "+refs/heads/*:refs/fetched/heads/*",
            "+refs/tags/*:refs/fetched/tags/*",
        ];
        remote
            .fetch(&everything, Some(&mut options), None)
            .map_err(failed)?;
        let (text, found) = match &target.commit {
            Wanted::Tip(oid) | Wanted::Unadvertised(oid) => {
                (oid.to_string(), self.find_commit(objects, *oid))
            }
            Wanted::Prefix(digits) => match objects.find_commit_by_prefix(digits) {
                Ok(commit) => (digits.clone(), Some(commit.id())),
                Err(error) if error.code() == ErrorCode::Ambiguous => {
                    return Err(GitError::AmbiguousCommit {
                        url: self.fetch_url.clone(),
                        revision: digits.clone(),
                    });
                }
                Err(_) => (digits.clone(), None),
            },
        };
        found.ok_or_else(|| refs.no_such(&text, &self.fetch_url))
    }

    /// The connection to a server; `None` for a repository that libgit2 reaches by itself, on this machine.
    fn connection(&self, final_url: &str) -> Result<Option<Known>, GitError> {
        let Access {
            downloader,
            cancellation,
            ..
        } = self.access;
        let patience = Patience::new(downloader.stall_timeout(), (*cancellation).clone());
        let web_url = Url::parse(final_url).ok();
        let web_url = web_url.filter(|url| matches!(url.scheme(), "http" | "https"));
        let connection = if is_ssh(final_url) {
            Connection::Ssh(SshConnection::new(final_url, patience))
        } else if let Some(url) = web_url {
            let authentication = Authentication::new(self.access, self.url, final_url);
            let http = downloader.http().map_err(|error| self.unreachable(&error))?;
            let proxy = proxy(&url);
            let http = Arc::clone(http);
            let connection = HttpConnection::new(http, url, proxy.as_deref(), authentication, patience);
            Connection::Http(Arc::new(connection.map_err(|error| self.unreachable(&error))?))
        } else {
            return Ok(None);
        };
        let known = Known::new(connection);
        known.map(Some).map_err(|source| self.fetch_error(source))
    }

    fn unreachable(&self, error: &dyn std::error::Error) -> GitError {
        GitError::Network {
            url: self.fetch_url.clone(),
            source: GitReason {
                message: error.to_string(),
            },
        }
    }

    /// The commit behind `oid`, which may be a tag's.
    fn find_commit(&self, objects: &git2::Repository, oid: Oid) -> Option<Oid> {
        objects
            .find_object(oid, None)
            .ok()?
            .peel_to_commit()
            .ok()
            .map(|commit| commit.id())
    }

    fn callbacks(&self) -> RemoteCallbacks<'_> {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.transfer_progress(|progress| {
            let total = progress.total_objects() as u64;
            self.access.observer.notice(Event::Fetching {
                source: self.identity,
                done: progress.received_objects() as u64,
                total: Some(total).filter(|&total| total > 0),
            });
            !self.access.cancellation.is_cancelled()
        });
        callbacks.sideband_progress(|_| !self.access.cancellation.is_cancelled());
        callbacks
    }

    fn fetch_options(&self, depth: i32) -> git2::FetchOptions<'_> {
        let mut options = git2::FetchOptions::new();
        options
            .remote_callbacks(self.callbacks())
            .download_tags(AutotagOption::None)
            .update_fetchhead(false)
            .depth(depth);
        options
    }

    fn fetch_error(&self, source: git2::Error) -> GitError {
        GitError::Fetch {
            url: self.fetch_url.clone(),
            source: source.into(),
        }
    }

    /// What it means that libgit2 failed: the connection's reason, where it broke.
    fn failure(&self, error: git2::Error, known: Option<&Known>) -> GitError {
        let url = self.fetch_url.clone();
        if self.access.cancellation.is_cancelled() {
            return GitError::Cancelled { url };
        }
        if let Some(broken) = known.and_then(|known| known.connection.broken()) {
            return self.broken(broken);
        }
        // libgit2 passes on what the system says, and not its number.
        if error.message().contains("No space left on device") {
            return GitError::Write {
                path: self.scratch.to_owned(),
                source: io::Error::new(io::ErrorKind::StorageFull, error.message()),
            };
        }
        // It says the same of a repository on this machine and of a server, in several words.
        let message = error.message().to_ascii_lowercase();
        if message.contains("object format") || message.contains("objectformat") {
            return GitError::ObjectFormat {
                url,
                source: error.into(),
            };
        }
        let is_missing = error.code() == ErrorCode::NotFound
            || matches!(error.class(), ErrorClass::Repository | ErrorClass::Os);
        if known.is_none() && is_missing {
            return GitError::NoSuchRepository { url };
        }
        if error.class() == ErrorClass::Net || error.code() == ErrorCode::Eof {
            return GitError::Network {
                url,
                source: error.into(),
            };
        }
        self.fetch_error(error)
    }

    fn broken(&self, broken: Broken) -> GitError {
        let url = self.fetch_url.clone();
        match broken {
            Broken::Cancelled => GitError::Cancelled { url },
            Broken::Stalled => GitError::Stalled {
                url,
                after: self.access.downloader.stall_timeout(),
            },
            Broken::Missing => GitError::NoSuchRepository { url },
            Broken::Authentication { refused } => GitError::Authentication { url, refused },
            Broken::Elsewhere { to } => GitError::Redirected { url, to },
            Broken::UnknownHost => GitError::UnknownHost { url },
            Broken::Network(problem) => GitError::Network {
                url,
                source: GitReason { message: problem },
            },
            Broken::Answer(problem) => self.fetch_error(git2::Error::from_str(&problem)),
        }
    }
}

impl Target {
    fn at(&self, oid: Oid) -> Commit {
        Commit {
            id: oid.to_string(),
            ref_name: self.ref_name.clone(),
            subdirectory: self.subdirectory.clone(),
        }
    }
}

/// libgit2 cannot make shallow copies of repositories on this machine.
fn is_local(url: &str) -> bool {
    url.starts_with("file://") || !(url.contains("://") || url.contains(':'))
}

/// `ssh://host/path`, or `user@host:path`.
fn is_ssh(url: &str) -> bool {
    url.starts_with("ssh://") || !(url.contains("://") || is_local(url))
}

/// The proxy of Git's configuration for a server, or for all of them.
fn proxy(url: &Url) -> Option<String> {
    let config = git2::Config::open_default().ok()?;
    let host = url.origin().ascii_serialization();
    [
        format!("http.{host}/.proxy"),
        format!("http.{host}.proxy"),
        "http.proxy".to_owned(),
    ]
    .iter()
    .find_map(|key| config.get_string(key).ok())
}

/// Whether the server, or libgit2 for it, says that it cannot hand out one commit or a shallow copy.
fn is_refusal(error: &git2::Error) -> bool {
    let message = error.message();
    [
        "cannot fetch a specific object",
        "not our ref",
        "shallow",
        "unadvertised",
        "not support",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}
