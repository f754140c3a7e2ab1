//! The parser of references.
use super::{
    Location, SourceRef,
    authority::Authority,
    browser,
    error::{Problem, ReferenceError, Understood},
    git::{GITHUB_HOST, GitRepository, HUGGING_FACE_HOST, Transport, ends_repository, is_host_like},
    is_archive_name,
    path::{github_path, host_path, hub_path, is_folder_name},
    revision::Revision,
};
use percent_encoding::percent_decode_str;
use std::path::{Path, PathBuf};

/// No browser, and no Git server, takes longer URLs.
const LONGEST_SPELLING: usize = 4096;

/// The hosts that are known to be GitHub, and so to have its pages, its disregard of case and its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forges {
    github_hosts: Vec<String>,
}

impl Default for Forges {
    /// The public GitHub alone.
    fn default() -> Self {
        Self {
            github_hosts: vec![GITHUB_HOST.to_owned()],
        }
    }
}

impl Forges {
    /// The public GitHub and these enterprise hosts of it (`github.example.com`, with `:port` where it has one).
    pub fn with_enterprise_hosts<S: Into<String>>(hosts: impl IntoIterator<Item = S>) -> Self {
        let mut forges = Self::default();
        forges
            .github_hosts
            .extend(hosts.into_iter().map(|host| host.into().to_ascii_lowercase()));
        forges
    }

    /// Reads a spelling.
    ///
    /// # Errors
    /// The message says what is wrong and what was understood; [`ReferenceError::hint`] says what to write.
    pub fn parse(&self, spelling: &str) -> Result<SourceRef, ReferenceError> {
        let mut understood = Understood::new();
        self.read(spelling.trim(), &mut understood)
            .and_then(check_length)
            .map_err(|problem| ReferenceError::new(spelling, understood, problem))
    }

    fn is_github(&self, host: &str, port: Option<u16>) -> bool {
        let with_port = port.map(|port| format!("{host}:{port}"));
        self.github_hosts
            .iter()
            .any(|known| known == with_port.as_deref().unwrap_or(host))
    }

    fn read(&self, spelling: &str, understood: &mut Understood) -> Result<SourceRef, Problem> {
        if spelling.is_empty() {
            return Err(Problem::Empty);
        }
        if spelling.len() > LONGEST_SPELLING {
            return Err(Problem::TooLong {
                limit: LONGEST_SPELLING,
            });
        }
        if let Some(character) = spelling.chars().find(|c| c.is_control()) {
            return Err(Problem::Character { character });
        }
        if is_path_spelling(spelling) {
            return Ok(SourceRef {
                location: Location::Path(PathBuf::from(spelling)),
                revision: Revision::Default,
                subdirectory: None,
            });
        }
        if spelling.contains(' ') {
            return Err(Problem::Character { character: ' ' });
        }
        if let Some(shorthand) = spelling.strip_prefix("gh:") {
            return self.read_hosted(Authority::github(), shorthand, false, understood);
        }
        if let Some(shorthand) = spelling.strip_prefix("hf:") {
            return self.read_hosted(Authority::hugging_face(), shorthand, false, understood);
        }
        if let Some((scheme, rest)) = split_scheme(spelling) {
            return self.read_url(&scheme, rest, understood);
        }
        if let Some((user, host, path)) = split_scp(spelling) {
            return self.read_scp(user, host, path, understood);
        }
        match spelling.split_once('/') {
            Some((host, _)) if is_host_like(host) => self.read_url("https", spelling, understood),
            Some(_) => self.read_hosted(Authority::github(), spelling, false, understood),
            None => Err(Problem::NotASource),
        }
    }

    fn read_url(&self, scheme: &str, rest: &str, understood: &mut Understood) -> Result<SourceRef, Problem> {
        // `git+https://` is how package managers say that an URL is a repository.
        let (only_git, plain_scheme) = match scheme.strip_prefix("git+") {
            Some(plain) => (true, plain),
            None => (false, scheme),
        };
        understood.push(("scheme", plain_scheme.to_owned()));
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let transport = match plain_scheme {
            "https" => Transport::Https,
            "http" => Transport::Http,
            "ssh" => Transport::Ssh,
            "file" => Transport::File,
            _ => {
                return Err(Problem::Scheme {
                    scheme: scheme.to_owned(),
                });
            }
        };
        if transport == Transport::File {
            return read_file_url(authority, path, only_git, understood);
        }
        let mut authority = Authority::read(transport, authority)?;
        understood.push(("host", authority.host.clone()));
        let is_known = [GITHUB_HOST, HUGGING_FACE_HOST].contains(&authority.host.as_str());
        if is_known && transport == Transport::Http && authority.port.is_none() {
            authority.transport = Transport::Https;
        }
        let is_web = matches!(transport, Transport::Https | Transport::Http);
        let bare_path = path.split('?').next().unwrap_or_default();
        if is_web && !only_git && self.is_archive_path(&authority, bare_path) {
            return read_archive(&authority.web_root(), path, understood);
        }
        self.read_hosted(authority, bare_path.trim_start_matches('/'), only_git, understood)
    }

    /// Whether a URL's path names an archive, and not a ref or a repository that is called like one.
    fn is_archive_path(&self, authority: &Authority, path: &str) -> bool {
        let path = split_subdirectory(path.trim_start_matches('/')).0;
        if !is_archive_name(path) {
            return false;
        }
        if !self.is_github(&authority.host, authority.port) {
            return !path.contains("/-/tree/") && !path.contains("/tree/");
        }
        matches!(
            path.split('/').collect::<Vec<_>>()[..],
            [_, _, "archive", _, ..] | [_, _, "releases", "download", _, ..] | [_, _, "raw", _, _, ..]
        )
    }

    fn read_scp(
        &self,
        user: &str,
        host: &str,
        path: &str,
        understood: &mut Understood,
    ) -> Result<SourceRef, Problem> {
        let mut authority = Authority::read(Transport::Ssh, &format!("{user}@{host}"))?;
        understood.push(("scheme", "ssh".to_owned()));
        understood.push(("host", authority.host.clone()));
        if user != "git" {
            authority.transport = Transport::SshHome;
        }
        self.read_hosted(authority, path, false, understood)
    }

    /// Reads `path[@ref | page][//sub/dir]` of a repository on a host. `only_git`: what could be either is no page.
    fn read_hosted(
        &self,
        authority: Authority,
        path: &str,
        only_git: bool,
        understood: &mut Understood,
    ) -> Result<SourceRef, Problem> {
        let github = self.is_github(&authority.host, authority.port);
        let (path, subdirectory) = split_subdirectory(path);
        let is_web = matches!(authority.transport, Transport::Https | Transport::Http);
        let decoded = path
            .trim_end_matches('/')
            .split('/')
            .map(decode)
            .collect::<Result<Vec<_>, _>>()?;
        let mut parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
        if parts.iter().all(|part| part.is_empty()) {
            return Err(Problem::Repository { name: String::new() });
        }

        let hub = authority.is_hugging_face();
        let page_start = page_start(&parts, github || hub, is_web, only_git);
        let after_at = cut_revision(&mut parts, page_start);
        let page = match after_at {
            Some(_) => Vec::new(),
            None => parts.split_off(page_start),
        };
        let path = if github {
            github_path(&parts, understood)?
        } else if hub {
            hub_path(&parts, understood)?
        } else {
            host_path(&parts, understood)?
        };
        if authority.transport == Transport::SshHome && path.contains(['%', ' ']) {
            // This form has no encoding that could be undone.
            return Err(Problem::Repository { name: path });
        }
        let mut revision = match &after_at {
            Some(name) => Revision::named(name)?,
            None => browser::revision(&page, github)?,
        };
        if let Some(name) = revision.as_str() {
            understood.push(("ref", name.to_owned()));
        }
        let subdirectory = subdirectory.map(check_subdirectory).transpose()?.flatten();
        if let (Some(_), Revision::RefOrPath(name)) = (&subdirectory, &revision) {
            revision = Revision::Named(name.clone());
        }
        Ok(SourceRef {
            location: Location::Git(hosted_repository(authority, path, github)),
            revision,
            subdirectory,
        })
    }
}

/// Checks that what is printed and kept of a reference, with more characters encoded than in its spelling, can be read again.
fn check_length(reference: SourceRef) -> Result<SourceRef, Problem> {
    // What a local path is called depends on the folder that one is in.
    let is_short = |text: String| text.len() <= LONGEST_SPELLING;
    if reference.is_local_path() || (is_short(reference.to_string()) && is_short(reference.identity())) {
        return Ok(reference);
    }
    Err(Problem::TooLong {
        limit: LONGEST_SPELLING,
    })
}

fn hosted_repository(authority: Authority, path: String, github: bool) -> GitRepository {
    let Authority {
        transport,
        user,
        host,
        port,
    } = authority;
    GitRepository {
        transport,
        // GitHub knows no other over SSH.
        user: if github && transport == Transport::Ssh {
            Some("git".to_owned())
        } else {
            user
        },
        host,
        port,
        path,
        github,
    }
}

/// Whether a spelling is one of a path on this machine.
pub(super) fn is_path_spelling(spelling: &str) -> bool {
    spelling.starts_with(['.', '/']) || (cfg!(windows) && Path::new(spelling).is_absolute())
}

/// Splits off a URL's scheme, in lower case.
fn split_scheme(spelling: &str) -> Option<(String, &str)> {
    let (scheme, rest) = spelling.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

/// Splits `user@host:path`.
fn split_scp(spelling: &str) -> Option<(&str, &str, &str)> {
    let (user, rest) = spelling.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let is_scp = !user.contains(['/', ':']) && !host.contains('/') && !path.is_empty();
    is_scp.then_some((user, host, path.trim_start_matches('/')))
}

/// Splits `path//sub/dir`.
fn split_subdirectory(path: &str) -> (&str, Option<&str>) {
    match path.split_once("//") {
        Some((path, subdirectory)) => (path, Some(subdirectory)),
        None => (path, None),
    }
}

/// Checks `sub/dir`; `None` where it is empty.
fn check_subdirectory(text: &str) -> Result<Option<String>, Problem> {
    let refuse = || Problem::Subdirectory {
        subdirectory: text.to_owned(),
    };
    let text_without_end = text.trim_end_matches('/');
    if text_without_end.is_empty() {
        return Ok(None);
    }
    let decoded = decode(text_without_end)?;
    // `@` is refused because `//sub@v1` would look like a ref: that one stands before the folder.
    let is_inside = decoded.split('/').all(|part| {
        !matches!(part, "" | "." | "..")
            && !part.contains(['\\', ':', '%', '?', '#', '@'])
            && !part.contains(char::is_whitespace)
    });
    if is_inside {
        Ok(Some(decoded))
    } else {
        Err(refuse())
    }
}

/// Undoes percent-encoding; the result has no control characters.
fn decode(part: &str) -> Result<String, Problem> {
    let refuse = || Problem::PercentEncoding {
        part: part.to_owned(),
    };
    let decoded = percent_decode_str(part).decode_utf8().map_err(|_| refuse())?;
    if let Some(character) = decoded.chars().find(|c| c.is_control()) {
        return Err(Problem::Character { character });
    }
    Ok(decoded.into_owned())
}

/// Where in a path's parts the repository ends and a page of it begins. `has_owner`: after owner and name.
fn page_start(parts: &[&str], has_owner: bool, is_web: bool, only_git: bool) -> usize {
    if has_owner {
        return parts.len().min(2);
    }
    let end_of_name = |part: &str| at_sign(part).unwrap_or(part.len());
    let ends = |part: &str| ends_repository(&part[..end_of_name(part)]);
    // A ref on a page may end like a repository.
    let is_page = |part: &str| is_web && part == "-";
    if let Some(index) = parts.iter().position(|part| ends(part) || is_page(part)) {
        return if is_page(parts[index]) { index } else { index + 1 };
    }
    if !is_web {
        return parts.len();
    }
    if !only_git && browser::looks_like_page(parts) {
        return 2;
    }
    parts.len()
}

/// Where in a part `@ref` begins. A leading `@` belongs to the name, as in `@scope`.
fn at_sign(part: &str) -> Option<usize> {
    part.char_indices()
        .skip(1)
        .find(|(_, character)| *character == '@')
        .map(|(index, _)| index)
}

/// Cuts `@ref` off the first of the `searched` parts that has one, and with it all that follows: a ref may have slashes.
fn cut_revision(parts: &mut Vec<&str>, searched: usize) -> Option<String> {
    let found = |(index, part): (usize, &&str)| Some((index, at_sign(part)?));
    let (index, at) = parts[..searched].iter().enumerate().find_map(found)?;
    let tail = parts.split_off(index + 1);
    let (name, revision) = (&parts[index][..at], &parts[index][at + 1..]);
    parts[index] = name;
    Some([&[revision][..], &tail].concat().join("/"))
}

/// Reads what follows `file://`.
fn read_file_url(
    authority: &str,
    path: &str,
    only_git: bool,
    understood: &mut Understood,
) -> Result<SourceRef, Problem> {
    if !matches!(authority, "" | "localhost") {
        return Err(Problem::Host {
            host: authority.to_owned(),
        });
    }
    let bare_path = path.split('?').next().unwrap_or_default();
    if !only_git && is_archive_name(split_subdirectory(bare_path).0) {
        return read_archive("file://", path, understood);
    }
    let (path, subdirectory) = split_subdirectory(path);
    let path = decode(path.trim_end_matches('/'))?;
    let mut parts: Vec<&str> = path.split('/').skip(1).collect();
    let searched = parts.len();
    let revision = match cut_revision(&mut parts, searched) {
        Some(name) => Revision::named(&name)?,
        None => Revision::Default,
    };
    if parts.last() == Some(&".git") {
        parts.pop();
    }
    let path = parts.join("/");
    if parts.is_empty() || parts.iter().any(|part| !is_folder_name(part)) {
        return Err(Problem::Repository { name: path });
    }
    understood.push(("repository", format!("/{path}")));
    let repository = GitRepository {
        transport: Transport::File,
        user: None,
        host: String::new(),
        port: None,
        path: format!("/{path}"),
        github: false,
    };
    let subdirectory = subdirectory.map(check_subdirectory).transpose()?.flatten();
    Ok(SourceRef {
        location: Location::Git(repository),
        revision,
        subdirectory,
    })
}

/// Reads `/path/file.zip//sub/dir?query` below a root like `https://host`.
fn read_archive(root: &str, rest: &str, understood: &mut Understood) -> Result<SourceRef, Problem> {
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let (path, subdirectory) = split_subdirectory(path);
    decode(path)?;
    let mut url = format!("{root}{path}");
    if let Some(query) = query {
        url.push('?');
        url.push_str(query);
    }
    understood.push(("archive", url.clone()));
    let subdirectory = subdirectory.map(check_subdirectory).transpose()?.flatten();
    Ok(SourceRef {
        location: Location::Archive(url),
        revision: Revision::Default,
        subdirectory,
    })
}

/// Puts `//sub/dir` back into an archive's URL, before its query.
pub(super) fn join_archive(url: &str, subdirectory: Option<&str>) -> String {
    let (path, query) = url.split_at(url.find('?').unwrap_or(url.len()));
    match subdirectory {
        Some(subdirectory) => format!("{path}//{subdirectory}{query}"),
        None => url.to_owned(),
    }
}
