//! References: every way in which a person can spell where a source is.
//!
//! | spelling | means |
//! |---|---|
//! | `user/repo`, `gh:user/repo`, `github.com/user/repo` | a repository on GitHub, its default branch |
//! | `user/repo@REF`, `user/repo/REF` | the same at a branch, tag or commit |
//! | `https://github.com/user/repo/tree/REF`, `/commit/SHA`, `/releases/tag/TAG` | what a browser's address bar gives |
//! | `hf:owner/name`, `https://huggingface.co/owner/name` | a model on Hugging Face; `@REF` and `/tree/REF` as above |
//! | `https://host/path`, `ssh://git@host/path`, `git@host:path`, `file:///path` | any other Git repository; `@REF` may follow |
//! | `https://host/file.tar.gz` | an archive |
//! | `./folder`, `../folder`, `/folder` | a folder, or an archive, on this machine |
//!
//! Each may end in `//sub/dir` for a source inside a repository or archive. However a source is spelt, it has one
//! [identity](SourceRef::identity), and [`Display`](std::fmt::Display) gives a spelling that parses to the same value.
mod authority;
mod browser;
mod error;
mod git;
mod model;
mod parse;
mod path;
mod revision;
#[cfg(test)]
mod tests;

use modelzoo_base::file;
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

pub use error::{Problem, ReferenceError};
pub use git::{GitRepository, Transport};
pub use model::ModelRef;
pub use parse::Forges;
pub use revision::Revision;
pub(crate) use revision::is_hexadecimal;

/// File name endings by which an archive is known.
pub const ARCHIVE_SUFFIXES: [&str; 7] = [
    ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst",
];

/// Whether `path` ends like an archive that can be extracted.
pub fn is_archive_name(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ARCHIVE_SUFFIXES
        .iter()
        .any(|suffix| path.strip_suffix(suffix).is_some_and(|stem| !stem.is_empty()))
}

/// Where a source is, at which revision, and in which folder of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceRef {
    location: Location,
    revision: Revision,
    subdirectory: Option<String>,
}

/// The three kinds of places that hold sources.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A Git repository.
    Git(GitRepository),
    /// The URL (`http`, `https` or `file`) of an archive; its name ends in one of [`ARCHIVE_SUFFIXES`].
    Archive(String),
    /// A folder or an archive on this machine, as the user wrote it.
    Path(PathBuf),
}

impl SourceRef {
    /// Reads a spelling; GitHub is the only forge known by name. See [`Forges::parse`] for others.
    pub fn parse(spelling: &str) -> Result<Self, ReferenceError> {
        Forges::default().parse(spelling)
    }

    /// The folder or archive at `path`, without reading the text of the path as a reference.
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = path.to_str().unwrap_or_default();
        let is_marked = path.is_absolute() || text.starts_with('.');
        let path = if is_marked {
            path
        } else {
            Path::new(".").join(path)
        };
        Self {
            location: Location::Path(path),
            revision: Revision::Default,
            subdirectory: None,
        }
    }

    /// Where the source is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The revision that was asked for.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// The folder of the source inside the repository or archive: relative, with `/`, never leading out of it.
    pub fn subdirectory(&self) -> Option<&str> {
        self.subdirectory.as_deref()
    }

    /// The same source at another revision. The revision of an archive or a path is always the default one.
    pub fn with_revision(mut self, revision: Revision) -> Self {
        if matches!(self.location, Location::Git(_)) {
            self.revision = revision;
        }
        self
    }

    /// One name for one source, however it is spelt: host and path for a Git repository (`github.com/user/repo`),
    /// the URL for an archive, the absolute path for a local one; then `//sub/dir`. The revision is no part of it.
    ///
    /// What [`Revision::RefOrPath`] leaves open (`tree/a/b`: branch `a/b`, or folder `b` of branch `a`?) is read as
    /// a revision here; a resolved source knows better.
    pub fn identity(&self) -> String {
        let place = match &self.location {
            Location::Git(repository) => repository.identity(),
            Location::Archive(url) => {
                return parse::join_archive(url, self.subdirectory());
            }
            Location::Path(path) => absolute(path).to_string_lossy().into_owned(),
        };
        match &self.subdirectory {
            Some(subdirectory) => format!("{place}//{subdirectory}"),
            None => place,
        }
    }

    /// The same reference, once it is known which folder is the end of a [`Revision::RefOrPath`], if any: with the rest
    /// as its revision. Any other reference stays as it is.
    pub fn settled(self, folder: Option<&str>) -> Self {
        let Revision::RefOrPath(path) = &self.revision else {
            return self;
        };
        let name = match folder {
            Some(folder) => path
                .strip_suffix(folder)
                .and_then(|start| start.strip_suffix('/')),
            None => Some(path.as_str()),
        };
        // A part of a name that was checked is one, too.
        match name.map(Revision::named) {
            Some(Ok(revision)) => {
                let folder = folder.map(str::to_owned).or(self.subdirectory);
                Self {
                    location: self.location,
                    revision,
                    subdirectory: folder,
                }
            }
            _ => self,
        }
    }

    /// The same place without the folder in it.
    pub(crate) fn without_subdirectory(mut self) -> Self {
        self.subdirectory = None;
        self
    }

    /// Whether this is code on this machine that the user named by its path.
    pub fn is_local_path(&self) -> bool {
        matches!(self.location, Location::Path(_))
    }
}

/// The absolute form of a path; symbolic links are followed as far as it exists.
fn absolute(path: &Path) -> PathBuf {
    fs_err::canonicalize(path).unwrap_or_else(|_| file::absolute(path))
}

impl fmt::Display for SourceRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::Git(repository) => {
                let lead = match &self.revision {
                    Revision::Default => "",
                    Revision::Named(_) | Revision::Commit(_) => "@",
                    Revision::RefOrPath(_) if repository.is_github() || repository.is_hugging_face() => {
                        "/tree/"
                    }
                    // The page separator of GitLab is understood after any repository.
                    Revision::RefOrPath(_) => "/-/tree/",
                };
                let revision = self.revision.as_str().unwrap_or_default();
                let revision = utf8_percent_encode(revision, git::ENCODED_IN_REF);
                let spelling = format!("{repository}{lead}{revision}");
                let is_like_archive = spelling.contains("://") && is_archive_name(&spelling);
                if is_like_archive || repository.is_like_page() {
                    // A repository, or a ref, that is called like something else.
                    formatter.write_str("git+")?;
                }
                formatter.write_str(&spelling)?;
            }
            Location::Archive(url) => {
                return formatter.write_str(&parse::join_archive(url, self.subdirectory()));
            }
            Location::Path(path) => path.display().fmt(formatter)?,
        }
        match &self.subdirectory {
            Some(subdirectory) => write!(formatter, "//{subdirectory}"),
            None => Ok(()),
        }
    }
}

impl FromStr for SourceRef {
    type Err = ReferenceError;

    fn from_str(spelling: &str) -> Result<Self, Self::Err> {
        Self::parse(spelling)
    }
}

impl Serialize for SourceRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SourceRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
