//! Which credentials a Git server is shown, and when.
//!
//! A server is first asked without any, and may redirect. Only when it wants to know who asks is it asked again, with
//! the token, and now without following redirects to other hosts: what is sent goes to the host of the user's URL.
use std::cell::Cell;

use git2::{Cred, CredentialType, ErrorClass, ErrorCode};
use url::Url;

use super::Access;

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
    /// The server asked for credentials of a kind that were held back.
    pub(super) was_asked: Cell<bool>,
    /// How many were sent. One set is sent once: a server that asks again has refused it.
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
            was_asked: Cell::new(false),
            sent: Cell::new(0),
        }
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
            if self.sent.replace(1) > 0 {
                return refuse("the keys of the ssh agent were refused");
            }
            return Cred::ssh_key_from_agent(user.unwrap_or("git"));
        }
        if !allowed.contains(CredentialType::USER_PASS_PLAINTEXT) || self.attempt == Attempt::Anonymous {
            return refuse("credentials are needed");
        }
        if self.sent.get() > 0 {
            return refuse("the credentials were refused");
        }
        let credentials = match self.token {
            Some(token) => Cred::userpass_plaintext("x-access-token", token),
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
