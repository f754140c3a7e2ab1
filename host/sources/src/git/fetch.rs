//! Resolving a revision at a remote, and fetching its commit.
use std::io;
use std::path::Path;

use git2::{
    AutotagOption, Direction, ErrorClass, ErrorCode, Oid, ProxyOptions, RemoteCallbacks, RemoteRedirect,
};

use super::authentication::{Attempt, Authentication};
use super::refs::{Target, Wanted};
use super::timeouts;
use super::{Access, FetchProgress, GitError, RemoteRefs};
use crate::reference::{GitRepository, Revision};

/// A commit of a remote repository.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    timeouts::set(access.downloader.stall_timeout());
    let url = repository.url();
    let session = Session {
        url: &url,
        fetch_url: access.mirrors.rewrite(&url),
        scratch,
        access,
    };
    match session.run(Attempt::Anonymous, revision, have) {
        Err(Failure::CredentialsNeeded) => session.run(Attempt::WithCredentials, revision, have),
        result => result,
    }
    .map_err(|failure| match failure {
        Failure::CredentialsNeeded => GitError::Authentication {
            url: session.fetch_url.clone(),
            refused: false,
        },
        Failure::Other(error) => error,
    })
}

/// Why an attempt ended.
enum Failure {
    CredentialsNeeded,
    Other(GitError),
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        Self::Other(error)
    }
}

struct Session<'a> {
    url: &'a str,
    /// The URL after mirrors, for libgit2 and for messages.
    fetch_url: String,
    scratch: &'a Path,
    access: &'a Access<'a>,
}

impl Session<'_> {
    fn run(
        &self,
        attempt: Attempt,
        revision: &Revision,
        have: &dyn Fn(&Commit) -> bool,
    ) -> Result<Fetched, Failure> {
        let objects = self.open_scratch(attempt)?;
        let mut remote = objects
            .remote_anonymous(&self.fetch_url)
            .map_err(|source| self.fetch_error(source))?;
        // The user's own Git configuration may rewrite URLs as well (`insteadOf`).
        let final_url = remote.url().unwrap_or(&self.fetch_url).to_owned();
        let authentication = Authentication::new(attempt, self.access, self.url, &final_url);
        let failed = |error| self.failure(error, &authentication);
        self.refuse_other_servers(&final_url, &authentication)?;

        let mut connection = remote
            .connect_auth(
                Direction::Fetch,
                Some(self.callbacks(&authentication)),
                Some(proxy()),
            )
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
            let depth = if self.final_is_local(&final_url) { 0 } else { 1 };
            let mut options = self.fetch_options(&authentication, attempt, depth);
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
            None => self.fetch_everything(&objects, &target, &refs, &authentication, attempt)?,
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
        objects: &git2::Repository,
        target: &Target,
        refs: &RemoteRefs,
        authentication: &Authentication<'_>,
        attempt: Attempt,
    ) -> Result<Oid, Failure> {
        let failed = |error| self.failure(error, authentication);
        let mut remote = objects.remote_anonymous(&self.fetch_url).map_err(failed)?;
        let mut options = self.fetch_options(authentication, attempt, 0);
        authentication.sent.set(0);
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
                    }
                    .into());
                }
                Err(_) => (digits.clone(), None),
            },
        };
        found.ok_or_else(|| refs.no_such(&text, &self.fetch_url).into())
    }

    /// libgit2 takes credentials that one port of a host asked for along to another port that it is sent to. So what a
    /// server answers to them is seen before libgit2 sees it.
    fn refuse_other_servers(&self, url: &str, authentication: &Authentication<'_>) -> Result<(), GitError> {
        let Some((user, token)) = authentication.token() else {
            return Ok(());
        };
        let discovery = format!("{}/info/refs?service=git-upload-pack", url.trim_end_matches('/'));
        match self
            .access
            .downloader
            .leads_elsewhere(&discovery, user, token, self.access.cancellation)
        {
            Some(to) => Err(GitError::Redirected {
                url: self.fetch_url.clone(),
                to,
            }),
            None => Ok(()),
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

    fn open_scratch(&self, attempt: Attempt) -> Result<git2::Repository, GitError> {
        let objects = git2::Repository::init_bare(self.scratch).map_err(|source| self.fetch_error(source))?;
        let redirects = if attempt == Attempt::Anonymous {
            "initial"
        } else {
            "false"
        };
        objects
            .config()
            .and_then(|mut config| config.set_str("http.followRedirects", redirects))
            .map_err(|source| self.fetch_error(source))?;
        Ok(objects)
    }

    fn callbacks<'s>(&'s self, authentication: &'s Authentication<'_>) -> RemoteCallbacks<'s> {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.credentials(|url, user, allowed| authentication.answer(url, user, allowed));
        callbacks.transfer_progress(|progress| {
            if let Some(report) = self.access.progress {
                report(FetchProgress {
                    received_objects: progress.received_objects(),
                    total_objects: progress.total_objects(),
                    received_bytes: progress.received_bytes(),
                });
            }
            !self.access.cancellation.is_cancelled()
        });
        callbacks.sideband_progress(|_| !self.access.cancellation.is_cancelled());
        callbacks
    }

    fn fetch_options<'s>(
        &'s self,
        authentication: &'s Authentication<'_>,
        attempt: Attempt,
        depth: i32,
    ) -> git2::FetchOptions<'s> {
        let mut options = git2::FetchOptions::new();
        options
            .remote_callbacks(self.callbacks(authentication))
            .proxy_options(proxy())
            .download_tags(AutotagOption::None)
            .update_fetchhead(false)
            .depth(depth)
            .follow_redirects(match attempt {
                Attempt::Anonymous => RemoteRedirect::Initial,
                Attempt::WithCredentials => RemoteRedirect::None,
            });
        options
    }

    /// libgit2 cannot make shallow copies of repositories on this machine.
    fn final_is_local(&self, url: &str) -> bool {
        url.starts_with("file://") || !(url.contains("://") || url.contains(':'))
    }

    fn fetch_error(&self, source: git2::Error) -> GitError {
        GitError::Fetch {
            url: self.fetch_url.clone(),
            source,
        }
    }

    /// What libgit2's error means.
    fn failure(&self, error: git2::Error, authentication: &Authentication<'_>) -> Failure {
        let url = self.fetch_url.clone();
        let is_local = self.final_is_local(&url);
        let is_ssh = url.starts_with("ssh://") || !url.contains("://");
        if self.access.cancellation.is_cancelled() {
            return GitError::Cancelled { url }.into();
        }
        if error.code() == ErrorCode::Timeout {
            let after = self.access.downloader.stall_timeout();
            return GitError::Stalled { url, after }.into();
        }
        if is_ssh && error.code() == ErrorCode::Certificate {
            return GitError::UnknownHost { url }.into();
        }
        // libgit2 passes on what the system says, and not its number.
        if error.message().contains("No space left on device") {
            return GitError::Write {
                path: self.scratch.to_owned(),
                source: io::Error::new(io::ErrorKind::StorageFull, error.message()),
            }
            .into();
        }
        if authentication.was_asked.get() && (error.code() == ErrorCode::Auth || is_ssh) {
            let sent = authentication.sent.get() > 0;
            return match sent || is_ssh {
                true => GitError::Authentication { url, refused: sent }.into(),
                false => Failure::CredentialsNeeded,
            };
        }
        let message = error.message();
        let is_missing = message.contains("status code: 404")
            || (is_local && (error.code() == ErrorCode::NotFound || error.class() == ErrorClass::Repository))
            || (is_local && error.class() == ErrorClass::Os);
        if is_missing {
            return GitError::NoSuchRepository { url }.into();
        }
        let is_network = matches!(
            error.class(),
            ErrorClass::Net | ErrorClass::Ssl | ErrorClass::Ssh | ErrorClass::Os
        ) || matches!(
            error.code(),
            ErrorCode::Certificate | ErrorCode::Timeout | ErrorCode::Eof
        );
        if is_network {
            return GitError::Network { url, source: error }.into();
        }
        self.fetch_error(error).into()
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

/// The proxy of Git's configuration or of the environment.
fn proxy<'a>() -> ProxyOptions<'a> {
    let mut options = ProxyOptions::new();
    options.auto();
    options
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
