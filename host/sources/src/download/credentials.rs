//! Which secret goes to which host: never to another.
use crate::config::Config;
use std::fmt;
use url::{Host, Url};

const GITHUB_TOKEN: &str = "GITHUB_TOKEN";
const HUGGING_FACE_TOKEN: &str = "HF_TOKEN";
const HUB_ENDPOINT: &str = "HF_ENDPOINT";

/// GitHub's hosts that take its token. Those where downloads end up (`objects.githubusercontent.com`) do not:
/// their URLs are signed.
const GITHUB_HOSTS: [&str; 4] = [
    "github.com",
    "api.github.com",
    "raw.githubusercontent.com",
    "codeload.github.com",
];
const HUGGING_FACE_HOSTS: [&str; 2] = ["huggingface.co", "hf.co"];
/// The same services of an Enterprise host with subdomains.
const ENTERPRISE_SUBDOMAINS: [&str; 3] = ["api.", "raw.", "codeload."];

/// Tokens from the environment, and whom they may be shown to.
#[derive(Clone, Default)]
pub struct Credentials {
    github_token: Option<String>,
    hugging_face_token: Option<String>,
    enterprise_hosts: Vec<String>,
    /// The host, with its port where it has one, that stands for the hub.
    hub_endpoint: Option<String>,
}

/// All hosts that may see the same token. A redirect that leaves one ends its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Github,
    Enterprise(String),
    HuggingFace,
}

impl Audience {
    /// The environment variable that holds the token for these hosts.
    pub(super) fn variable(&self) -> &'static str {
        match self {
            Self::Github | Self::Enterprise(_) => GITHUB_TOKEN,
            Self::HuggingFace => HUGGING_FACE_TOKEN,
        }
    }
}

impl Credentials {
    /// `GITHUB_TOKEN` and `HF_TOKEN` of this process, the configured Enterprise hosts, and the host of `HF_ENDPOINT`, which
    /// stands for the hub.
    pub fn from_environment(config: &Config) -> Self {
        let token = |variable| {
            std::env::var(variable)
                .ok()
                .filter(|token| !token.trim().is_empty())
        };
        let endpoint = token(HUB_ENDPOINT).and_then(|url| Url::parse(url.trim()).ok());
        Self {
            hub_endpoint: endpoint.and_then(|url| address(&url)),
            ..Self::new(
                token(GITHUB_TOKEN),
                token(HUGGING_FACE_TOKEN),
                config.github.hosts.clone(),
            )
        }
    }

    /// These tokens, and these Enterprise hosts (`host` or `host:port`) for GitHub's.
    pub fn new(
        github_token: Option<String>,
        hugging_face_token: Option<String>,
        enterprise_hosts: Vec<String>,
    ) -> Self {
        Self {
            github_token,
            hugging_face_token,
            enterprise_hosts,
            hub_endpoint: None,
        }
    }

    /// The token that may be sent to `url`, if there is one: only to the hosts it is for, and only encrypted
    /// (or to this machine).
    pub fn token_for(&self, url: &Url) -> Option<&str> {
        self.token(&self.audience(url)?)
    }

    pub(super) fn token(&self, audience: &Audience) -> Option<&str> {
        match audience {
            Audience::Github | Audience::Enterprise(_) => self.github_token.as_deref(),
            Audience::HuggingFace => self.hugging_face_token.as_deref(),
        }
        .map(str::trim)
    }

    pub(super) fn audience(&self, url: &Url) -> Option<Audience> {
        if url.scheme() != "https" && !is_this_machine(url) {
            return None;
        }
        let host = url.host_str()?;
        // The port is part of what was configured: another port of the same host may be another's server.
        let address = address(url)?;
        if self.hub_endpoint.as_ref() == Some(&address) {
            return Some(Audience::HuggingFace);
        }
        let enterprise = self.enterprise_hosts.iter().find(|known| {
            address.eq_ignore_ascii_case(known)
                || ENTERPRISE_SUBDOMAINS.iter().any(|subdomain| {
                    address
                        .strip_prefix(subdomain)
                        .is_some_and(|rest| rest.eq_ignore_ascii_case(known))
                })
        });
        match enterprise {
            Some(known) => Some(Audience::Enterprise(known.to_ascii_lowercase())),
            None if url.port().is_some() => None,
            None if GITHUB_HOSTS.contains(&host) => Some(Audience::Github),
            None if HUGGING_FACE_HOSTS.contains(&host) => Some(Audience::HuggingFace),
            None => None,
        }
    }
}

/// Never shows a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("github_token", &self.github_token.as_ref().map(|_| "set"))
            .field(
                "hugging_face_token",
                &self.hugging_face_token.as_ref().map(|_| "set"),
            )
            .field("enterprise_hosts", &self.enterprise_hosts)
            .finish()
    }
}

/// `host` or `host:port`.
fn address(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        let hosts = vec!["ghe.example.com".to_owned(), "127.0.0.1:8080".to_owned()];
        Credentials::new(
            Some("gh-secret".to_owned()),
            Some("hf-secret\n".to_owned()),
            hosts,
        )
    }

    #[test]
    fn a_token_goes_to_its_own_hosts_only() {
        for (url, token) in [
            ("https://github.com/u/r", Some("gh-secret")),
            ("https://GitHub.com/u/r", Some("gh-secret")),
            ("https://api.github.com/", Some("gh-secret")),
            ("https://raw.githubusercontent.com/u/r/main/f", Some("gh-secret")),
            ("https://codeload.github.com/u/r/zip/main", Some("gh-secret")),
            ("https://ghe.example.com/u/r", Some("gh-secret")),
            ("https://api.ghe.example.com/", Some("gh-secret")),
            ("http://127.0.0.1:8080/u/r", Some("gh-secret")),
            ("https://huggingface.co/u/r", Some("hf-secret")),
            ("http://github.com/u/r", None),
            ("https://github.com:8443/u/r", None),
            ("https://github.com.evil.example/u/r", None),
            ("https://evilgithub.com/", None),
            ("https://github.com@evil.example/", None),
            ("https://objects.githubusercontent.com/x", None),
            ("https://ghe.example.com:8443/u/r", None),
            ("https://x.ghe.example.com/", None),
            ("http://ghe.example.com/u/r", None),
            ("http://127.0.0.1:8081/u/r", None),
            ("https://cdn-lfs.huggingface.co/x", None),
            ("file:///github.com", None),
        ] {
            assert_eq!(credentials().token_for(&Url::parse(url).unwrap()), token, "{url}");
        }
    }

    #[test]
    fn the_token_of_the_hub_goes_to_what_stands_for_it() {
        let credentials = Credentials {
            hub_endpoint: Some("127.0.0.1:8081".to_owned()),
            ..credentials()
        };
        let token = |url| credentials.token_for(&Url::parse(url).unwrap());
        assert_eq!(token("http://127.0.0.1:8081/u/r"), Some("hf-secret"));
        assert_eq!(token("http://127.0.0.1:8082/u/r"), None);
    }

    #[test]
    fn secrets_are_not_printed() {
        assert!(!format!("{:?}", credentials()).contains("secret"));
    }
}
