//! Revisions: which state of a repository is meant.
use super::error::Problem;

/// The state of a repository that a reference asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Revision {
    /// The tip of the remote's default branch.
    #[default]
    Default,
    /// A tag, a branch, a full ref name (`refs/...`), or the first digits of a commit, tried in this order.
    Named(String),
    /// A full commit id: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits. It never changes its meaning.
    Commit(String),
    /// `a/b/c` out of a URL's `/tree/a/b/c`: a ref, or a ref and a folder in it. Only the remote's refs can tell.
    RefOrPath(String),
}

impl Revision {
    /// The revision that `name` spells: a full commit id, or a name that Git allows for a ref.
    pub fn named(name: &str) -> Result<Self, Problem> {
        if matches!(name.len(), 40 | 64) && is_hexadecimal(name) {
            return Ok(Self::Commit(name.to_ascii_lowercase()));
        }
        check_name(name)?;
        Ok(Self::Named(name.to_owned()))
    }

    /// The revision of a URL's `/tree/...`.
    pub(super) fn ref_or_path(path: &str) -> Result<Self, Problem> {
        if path.contains('/') && !path.starts_with("refs/") {
            check_name(path)?;
            Ok(Self::RefOrPath(path.to_owned()))
        } else {
            Self::named(path)
        }
    }

    /// The text of the revision, `None` for the default one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::Named(name) | Self::Commit(name) | Self::RefOrPath(name) => Some(name),
        }
    }
}

/// Whether `text` could be (the beginning of) a commit id.
pub(crate) fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The rules of `git check-ref-format`, and no leading `-`: what Git itself would refuse never reaches it.
fn check_name(name: &str) -> Result<(), Problem> {
    let refuse = |reason| {
        Err(Problem::Revision {
            revision: name.to_owned(),
            reason,
        })
    };
    if name.is_empty() {
        return refuse("it is empty");
    }
    if name.starts_with('-') {
        return refuse("it starts with `-`, like an option");
    }
    if name == "@" || name.contains("@{") {
        return refuse("`@` and `@{` mean something else to Git");
    }
    if let Some(character) = name.chars().find(|&c| c.is_control() || " ~^:?*[\\".contains(c)) {
        return Err(Problem::RevisionCharacter {
            revision: name.to_owned(),
            character,
        });
    }
    if name.contains("..") {
        return refuse("it contains `..`");
    }
    if name.ends_with('.') {
        return refuse("it ends with a dot");
    }
    for part in name.split('/') {
        if part.is_empty() {
            return refuse("it has an empty part between slashes");
        }
        if part.starts_with('.') {
            return refuse("a part of it starts with a dot");
        }
        if part.ends_with(".lock") {
            return refuse("a part of it ends with `.lock`");
        }
    }
    Ok(())
}
