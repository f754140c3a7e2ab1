//! The hosts in URLs.
use super::{
    error::Problem,
    git::{GITHUB_HOST, HUGGING_FACE_HOST, Transport},
};

/// The host of a URL and how to reach it.
pub(super) struct Authority {
    pub(super) transport: Transport,
    /// Only for ssh.
    pub(super) user: Option<String>,
    /// In lower case.
    pub(super) host: String,
    /// Only where it is not the transport's own.
    pub(super) port: Option<u16>,
}

impl Authority {
    /// The public GitHub.
    pub(super) fn github() -> Self {
        Self::encrypted(GITHUB_HOST)
    }

    /// The hub of models.
    pub(super) fn hugging_face() -> Self {
        Self::encrypted(HUGGING_FACE_HOST)
    }

    fn encrypted(host: &str) -> Self {
        Self {
            transport: Transport::Https,
            user: None,
            host: host.to_owned(),
            port: None,
        }
    }

    /// Whether this is the hub of models, however it is reached.
    pub(super) fn is_hugging_face(&self) -> bool {
        self.host == HUGGING_FACE_HOST && self.port.is_none()
    }

    /// Reads `user@host:port`.
    pub(super) fn read(transport: Transport, text: &str) -> Result<Self, Problem> {
        let (user, host_and_port) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, text),
        };
        let is_ssh = transport == Transport::Ssh;
        if let Some(user) = user {
            let is_plain = !user.is_empty()
                && !user.starts_with('-')
                && user
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
            if !is_plain || (!is_ssh && user != "git") {
                return Err(Problem::Credentials);
            }
        }
        let refuse = || Problem::Host {
            host: host_and_port.to_owned(),
        };
        let (host, port) = match host_and_port.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                // `https://host:/path` is allowed by the standard of URLs.
                let port = if port.is_empty() {
                    None
                } else {
                    Some(port.parse().map_err(|_| refuse())?)
                };
                (host, port)
            }
            _ => (host_and_port, None),
        };
        let host = host.to_ascii_lowercase();
        let is_bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_sound = match is_bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && !host.starts_with(['-', '.'])
                    && host
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            }
        };
        if !is_sound {
            return Err(refuse());
        }
        let usual_port = match transport {
            Transport::Https => 443,
            Transport::Http => 80,
            Transport::Ssh | Transport::SshHome | Transport::File => 22,
        };
        let user = user.filter(|_| is_ssh).map(str::to_owned);
        Ok(Self {
            transport,
            user,
            host: usual_name(host),
            port: port.filter(|&port| port != usual_port),
        })
    }

    /// `https://host:port`
    pub(super) fn web_root(&self) -> String {
        let scheme = if self.transport == Transport::Http {
            "http"
        } else {
            "https"
        };
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }
}

/// The name under which a host is known that has several.
fn usual_name(host: String) -> String {
    match host.as_str() {
        "www.github.com" => GITHUB_HOST.to_owned(),
        "hf.co" | "www.huggingface.co" => HUGGING_FACE_HOST.to_owned(),
        _ => host,
    }
}
