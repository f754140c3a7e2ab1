//! Which credentials a Git server is shown, and when.
//!
//! A server is first asked without any, and may redirect. Only when it wants to know who asks is it asked again, with
//! the token, and now without following redirects to other hosts: what is sent goes to the host of the user's URL.
use std::cell::Cell;
use std::path::{Path, PathBuf};

use git2::{Cred, CredentialType, ErrorClass, ErrorCode};
use url::{Origin, Url};

use super::Access;

/// GitHub takes a token as the password of this user.
const TOKEN_USER: &str = "x-access-token";

/// Whether credentials are held back or offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    Anonymous,
    WithCredentials,
}

/// What a connection may show, and what became of it.
pub(super) struct Authentication<'a> {
    attempt: Attempt,
    token: Option<&'a str>,
    /// The server that the token is for. libgit2 follows redirects to other ports of the same host.
    origin: Option<Origin>,
    /// The server asked for credentials of a kind that were held back.
    pub(super) was_asked: Cell<bool>,
    /// How many were sent. Each is sent once: a server that asks again has refused it.
    pub(super) sent: Cell<usize>,
}

impl<'a> Authentication<'a> {
    /// `url` is the reference's own, `fetch_url` what mirrors and the user's Git configuration made of it.
    pub(super) fn new(attempt: Attempt, access: &Access<'a>, url: &str, fetch_url: &str) -> Self {
        let token = |url: &str| access.credentials.token_for(&Url::parse(url).ok()?);
        // Who configures a mirror of a host trusts it with that host's token.
        let mirrored = access.mirrors.rewrite(url) == fetch_url;
        let token = if mirrored {
            token(url).or_else(|| token(fetch_url))
        } else {
            token(fetch_url)
        };
        Self {
            attempt,
            token,
            origin: origin(fetch_url),
            was_asked: Cell::new(false),
            sent: Cell::new(0),
        }
    }

    /// The user name and the token that a server which asks for them will be shown.
    pub(super) fn token(&self) -> Option<(&'static str, &'a str)> {
        self.token
            .filter(|_| self.attempt == Attempt::WithCredentials)
            .map(|token| (TOKEN_USER, token))
    }

    /// Answers libgit2's question for credentials.
    pub(super) fn answer(
        &self,
        url: &str,
        user: Option<&str>,
        allowed: CredentialType,
    ) -> Result<Cred, git2::Error> {
        if allowed.contains(CredentialType::USERNAME) {
            return Cred::username(user.unwrap_or("git"));
        }
        let refuse = |message| Err(git2::Error::new(ErrorCode::Auth, ErrorClass::Callback, message));
        self.was_asked.set(true);
        if allowed.contains(CredentialType::SSH_KEY) {
            let number = self.sent.get();
            return match SshKey::all().into_iter().nth(number) {
                Some(key) => {
                    self.sent.set(number + 1);
                    key.credentials(user.unwrap_or("git"))
                }
                None => refuse("there is no ssh key, or none that is let in"),
            };
        }
        if !allowed.contains(CredentialType::USER_PASS_PLAINTEXT) || self.attempt == Attempt::Anonymous {
            return refuse("credentials are needed");
        }
        if self.sent.get() > 0 {
            return refuse("the credentials were refused");
        }
        if self.token.is_some() && origin(url) != self.origin {
            return refuse("the token is for another server than the one that asks");
        }
        let credentials = match self.token {
            Some(token) => Cred::userpass_plaintext(TOKEN_USER, token),
            None => git2::Config::open_default()
                .and_then(|config| Cred::credential_helper(&config, url, user))
                .or_else(|_| refuse("there is neither a token nor a credential helper for this host")),
        };
        if credentials.is_ok() {
            self.sent.set(1);
        }
        credentials
    }
}

/// A key that an ssh server is shown.
enum SshKey {
    /// Those of the user's agent.
    OfAgent,
    /// A file of the user's. One with a passphrase is for the agent.
    File(PathBuf),
}

impl SshKey {
    /// All that there are, in the order in which ssh tries them.
    fn all() -> Vec<Self> {
        const FILES: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];
        // Elsewhere the agent has no such place, and whether there is one is seen when it is asked.
        let has_agent = !cfg!(unix)
            || std::env::var_os("SSH_AUTH_SOCK").is_some_and(|socket| Path::new(&socket).exists());
        let files = etcetera::home_dir()
            .ok()
            .into_iter()
            .flat_map(|home| FILES.map(|file| home.join(".ssh").join(file)));
        let files = files.filter(|path| path.is_file()).map(Self::File);
        has_agent
            .then_some(Self::OfAgent)
            .into_iter()
            .chain(files)
            .collect()
    }

    fn credentials(&self, user: &str) -> Result<Cred, git2::Error> {
        match self {
            Self::OfAgent => Cred::ssh_key_from_agent(user),
            Self::File(path) => Cred::ssh_key(user, None, path, None),
        }
    }
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<Origin> {
    Some(Url::parse(url).ok()?.origin())
}
