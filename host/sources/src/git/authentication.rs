//! Which credentials a Git server is shown over HTTP, and when.
//!
//! A server is first asked without any, and may redirect. Only when it wants to know who asks is it shown the token, and
//! only the server of the user's URL is: what is sent goes there and nowhere else.
use crate::access::Access;
use url::Url;

/// GitHub takes a token as the password of this user.
const TOKEN_USER: &str = "x-access-token";

/// What a connection may show.
pub(super) struct Authentication {
    token: Option<String>,
}

impl Authentication {
    /// `url` is the reference's own, `fetch_url` what mirrors and the user's Git configuration made of it.
    pub(super) fn new(access: &Access<'_>, url: &str, fetch_url: &str) -> Self {
        let token = |url: &str| access.downloader.credentials().token_for(&Url::parse(url).ok()?);
        // Who configures a mirror of a host trusts it with that host's token.
        let mirrored = access.downloader.mirrors().rewrite(url) == fetch_url;
        let token = if mirrored {
            token(url).or_else(|| token(fetch_url))
        } else {
            token(fetch_url)
        };
        Self {
            token: token.map(str::to_owned),
        }
    }

    /// User and password for the server at `place`, which has asked for them: the token, or what the user's credential
    /// helper knows, which is asked only about the server of the user's URL.
    pub(super) fn login(&self, place: &Url, is_of_users_url: bool) -> Option<(String, String)> {
        match &self.token {
            Some(token) => Some((TOKEN_USER.to_owned(), token.clone())),
            None if is_of_users_url => {
                let config = git2::Config::open_default().ok()?;
                let user = Some(place.username()).filter(|user| !user.is_empty());
                git2::CredentialHelper::new(place.as_str())
                    .config(&config)
                    .username(user)
                    .execute()
            }
            None => None,
        }
    }
}
