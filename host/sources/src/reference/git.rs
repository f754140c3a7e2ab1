//! Git repositories: how they are reached and what they are called.
use super::{browser, is_archive_name};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::fmt;

/// How a Git repository is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// `https://`
    Https,
    /// `http://`
    Http,
    /// `ssh://`, or `git@host:path`
    Ssh,
    /// `user@host:path` of another user than `git`: the path is relative to that user's home folder.
    SshHome,
    /// `file://`
    File,
}

/// A Git repository somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GitRepository {
    pub(super) transport: Transport,
    /// The user of an ssh URL.
    pub(super) user: Option<String>,
    /// Lower case; empty for `file`.
    pub(super) host: String,
    /// Only where it is not the transport's own.
    pub(super) port: Option<u16>,
    /// Decoded, without the leading slash (`file` keeps it) and without slashes at the end.
    pub(super) path: String,
    pub(super) github: bool,
}

/// The characters of a ref that a URL would read as something else.
pub(super) const ENCODED_IN_REF: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b'?')
    .add(b'#')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'\\');

/// The same for a path, where `@` would begin a ref.
const ENCODED_IN_PATH: &AsciiSet = &ENCODED_IN_REF.add(b'@');

/// The public GitHub.
pub(super) const GITHUB_HOST: &str = "github.com";

/// The hub of models.
pub(super) const HUGGING_FACE_HOST: &str = "huggingface.co";

/// What stands for a host when `:` follows, which a host can be called as well.
const SHORTHANDS: [&str; 2] = ["gh", "hf"];

impl GitRepository {
    /// The URL from which Git fetches, before any mirror is applied.
    pub fn url(&self) -> String {
        let Self { user, host, .. } = self;
        let path = self.encoded_path();
        let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        match self.transport {
            Transport::Https => format!("https://{host}{port}/{path}"),
            Transport::Http => format!("http://{host}{port}/{path}"),
            Transport::Ssh => format!("ssh://{user}{host}{port}/{path}"),
            Transport::SshHome => format!("{user}{host}:{path}"),
            Transport::File => format!("file://{path}"),
        }
    }

    /// How the repository is reached.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The host's name in lower case; empty for `file` URLs.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path on the host, as spelt: `user/repo` on GitHub.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the host is GitHub or an enterprise host of it that the configuration names.
    pub fn is_github(&self) -> bool {
        self.github
    }

    /// Whether the host is the hub of models, Hugging Face.
    pub fn is_hugging_face(&self) -> bool {
        self.host == HUGGING_FACE_HOST && self.transport == Transport::Https && self.port.is_none()
    }

    /// Who owns the repository: the path without its last part, `user` of `user/repo`.
    pub fn owner(&self) -> Option<&str> {
        Some(self.path.trim_start_matches('/').rsplit_once('/')?.0)
            .filter(|_| self.transport != Transport::File)
    }

    /// Host and path, whatever the transport, without `.git`. GitHub does not mind upper and lower case, so neither
    /// does the identity of its repositories.
    pub fn identity(&self) -> String {
        let path = self.encoded_path();
        let stem = path.trim_end_matches(".git");
        // Without its ending it would be read as an archive, or as a page of another repository.
        let path = if is_archive_name(stem) || is_like_page(stem) {
            format!("{stem}.git")
        } else {
            stem.to_owned()
        };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        match (&self.transport, &self.user) {
            (Transport::File, _) => format!("file://{path}"),
            (Transport::SshHome, Some(user)) => format!("{user}@{}:{path}", self.host),
            (Transport::Ssh, Some(user)) if user != "git" => {
                format!("ssh://{user}@{}{port}/{path}", self.host)
            }
            _ if self.github => format!("{}{port}/{}", self.host, path.to_ascii_lowercase()),
            _ if is_host_like(&format!("{}{port}", self.host))
                && !SHORTHANDS.contains(&self.host.as_str()) =>
            {
                format!("{}{port}/{path}", self.host)
            }
            // Without its scheme, `intranet/repo` would be the repository of a GitHub user.
            _ => format!("https://{}{port}/{path}", self.host),
        }
    }

    /// Whether the URL would be read as that of a page of another repository, if nothing said that it is not.
    pub(super) fn is_like_page(&self) -> bool {
        matches!(self.transport, Transport::Https | Transport::Http) && is_like_page(&self.path)
    }

    fn encoded_path(&self) -> String {
        utf8_percent_encode(&self.path, ENCODED_IN_PATH).to_string()
    }
}

/// Whether a part of a path says that the repository's path ends with it.
pub(super) fn ends_repository(part: &str) -> bool {
    part.len() > ".git".len() && part.ends_with(".git")
}

fn is_like_page(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    browser::looks_like_page(&parts) && !parts.iter().any(|part| ends_repository(part))
}

/// Whether the first part of `a/b` is a host. User names on GitHub have neither dots nor colons.
pub(super) fn is_host_like(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost"
}

/// The canonical spelling: `user/repo` for the public GitHub over https, `hf:owner/name` for Hugging Face, the URL for all
/// others.
impl fmt::Display for GitRepository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host == GITHUB_HOST && self.transport == Transport::Https && self.port.is_none() {
            formatter.write_str(&self.path)
        } else if self.is_hugging_face() && self.path.split('/').count() == 2 {
            write!(formatter, "hf:{}", self.encoded_path())
        } else {
            formatter.write_str(&self.url())
        }
    }
}
