//! The refs of a remote repository, and which commit a revision means.
use super::GitError;
use crate::reference::Revision;
use git2::Oid;
use modelzoo_base::suggest;

/// What a remote advertises: its branches and tags, and what its HEAD is.
#[derive(Clone, Debug, Default)]
pub struct RemoteRefs {
    /// Full name and commit (annotated tags peeled), in the remote's order.
    refs: Vec<(String, Oid)>,
    head: Option<Oid>,
    /// The full name of the default branch, where the remote says it.
    default_branch: Option<String>,
}

/// What a revision turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) commit: Wanted,
    /// The full name of the ref that the commit was found by.
    pub(super) ref_name: Option<String>,
    /// The folder that was part of the revision.
    pub(super) subdirectory: Option<String>,
}

/// A commit, as far as the advertised refs can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The tip of an advertised ref.
    Tip(Oid),
    /// A commit that no ref points to, as far as advertised.
    Unadvertised(Oid),
    /// The beginning of a commit id that no tip has.
    Prefix(String),
}

impl RemoteRefs {
    pub(super) fn new(heads: &[git2::RemoteHead<'_>]) -> Self {
        let mut found = Self::default();
        for head in heads {
            let name = head.name();
            if name == "HEAD" {
                found.head = Some(head.oid());
                found.default_branch = head.symref_target().map(str::to_owned);
            } else if let Some(tag) = name.strip_suffix("^{}") {
                // The commit of an annotated tag follows the tag itself.
                match found.refs.iter_mut().rfind(|(known, _)| known == tag) {
                    Some((_, oid)) => *oid = head.oid(),
                    None => found.refs.push((tag.to_owned(), head.oid())),
                }
            } else {
                found.refs.push((name.to_owned(), head.oid()));
            }
        }
        found
    }

    /// The names of all branches and tags, without `refs/heads/` and `refs/tags/`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.refs.iter().filter_map(|(name, _)| short_name(name))
    }

    /// The commit of a tag, for those who watch whether it moves.
    pub fn tag(&self, name: &str) -> Option<String> {
        self.find_exact(&format!("refs/tags/{name}"))
            .map(|oid| oid.to_string())
    }

    fn find_exact(&self, full_name: &str) -> Option<Oid> {
        self.refs
            .iter()
            .find(|(name, _)| name == full_name)
            .map(|(_, oid)| *oid)
    }

    /// Finds a ref by its full name, or as a tag, or as a branch: Git's own order.
    fn find(&self, name: &str) -> Option<(String, Oid)> {
        let full_name = name.starts_with("refs/").then(|| name.to_owned());
        let candidates = full_name
            .into_iter()
            .chain([format!("refs/tags/{name}"), format!("refs/heads/{name}")]);
        candidates.into_iter().find_map(|candidate| {
            let oid = self.find_exact(&candidate)?;
            Some((candidate, oid))
        })
    }

    /// Which commit `revision` means, as far as the refs can tell.
    pub(super) fn resolve(&self, revision: &Revision, url: &str) -> Result<Target, GitError> {
        let tip = |(ref_name, oid), subdirectory| Target {
            commit: Wanted::Tip(oid),
            ref_name: Some(ref_name),
            subdirectory,
        };
        match revision {
            Revision::Default => {
                let head = self.head.ok_or_else(|| self.without_head(url))?;
                let ref_name = self.default_branch.clone().unwrap_or_else(|| "HEAD".to_owned());
                Ok(tip((ref_name, head), None))
            }
            Revision::Commit(id) => self.resolve_commit(id, url, None),
            Revision::Named(name) => match self.find(name) {
                Some(found) => Ok(tip(found, None)),
                None if is_commit_prefix(name) => self.resolve_commit(name, url, None),
                None => Err(self.no_such(name, url)),
            },
            Revision::RefOrPath(path) => {
                // The longest beginning that is a ref; Git allows no branch `a` beside a branch `a/b`.
                let ends = path
                    .char_indices()
                    .rev()
                    .filter(|(_, c)| *c == '/')
                    .map(|(index, _)| index);
                for end in std::iter::once(path.len()).chain(ends) {
                    if let Some(found) = self.find(&path[..end]) {
                        return Ok(tip(found, folder_after(path, end)));
                    }
                }
                let first_end = path.find('/').unwrap_or(path.len());
                if is_commit_prefix(&path[..first_end]) {
                    return self.resolve_commit(&path[..first_end], url, folder_after(path, first_end));
                }
                Err(self.no_such(path, url))
            }
        }
    }

    fn resolve_commit(
        &self,
        digits: &str,
        url: &str,
        subdirectory: Option<String>,
    ) -> Result<Target, GitError> {
        let digits = digits.to_ascii_lowercase();
        let mut fitting = self
            .refs
            .iter()
            .filter(|(_, oid)| oid.to_string().starts_with(&digits));
        let commit = match fitting.next() {
            Some((_, oid)) if fitting.all(|(_, other)| other == oid) => Wanted::Tip(*oid),
            Some(_) => {
                return Err(GitError::AmbiguousCommit {
                    url: url.to_owned(),
                    revision: digits,
                });
            }
            None if self
                .head
                .is_some_and(|head| head.to_string().starts_with(&digits)) =>
            {
                return self.resolve(&Revision::Default, url).map(|target| Target {
                    subdirectory,
                    ..target
                });
            }
            None => match Oid::from_str(&digits) {
                Ok(oid) if digits.len() == oid.to_string().len() => Wanted::Unadvertised(oid),
                _ => Wanted::Prefix(digits),
            },
        };
        let ref_name = match &commit {
            Wanted::Tip(tip) => self
                .refs
                .iter()
                .find(|(_, oid)| oid == tip)
                .map(|(name, _)| name.clone()),
            _ => None,
        };
        Ok(Target {
            commit,
            ref_name,
            subdirectory,
        })
    }

    /// Why there is no default branch.
    fn without_head(&self, url: &str) -> GitError {
        let url = url.to_owned();
        if self.refs.is_empty() {
            return GitError::Empty { url };
        }
        let names = self.names().map(str::to_owned).collect();
        GitError::NoDefaultBranch { url, names }
    }

    pub(super) fn no_such(&self, revision: &str, url: &str) -> GitError {
        let suggestions = suggest::nearest(revision, self.names());
        GitError::NoSuchRevision {
            url: url.to_owned(),
            revision: revision.to_owned(),
            suggestions,
        }
    }
}

/// `main` of `refs/heads/main`, `v1` of `refs/tags/v1`.
fn short_name(full_name: &str) -> Option<&str> {
    full_name
        .strip_prefix("refs/heads/")
        .or_else(|| full_name.strip_prefix("refs/tags/"))
}

/// Git does not abbreviate commits to fewer than four digits.
fn is_commit_prefix(text: &str) -> bool {
    (4..=64).contains(&text.len()) && crate::reference::is_hexadecimal(text)
}

fn folder_after(path: &str, end: usize) -> Option<String> {
    path.get(end + 1..)
        .filter(|folder| !folder.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(digit: char) -> Oid {
        Oid::from_str(&digit.to_string().repeat(40)).unwrap()
    }

    fn refs() -> RemoteRefs {
        let refs = [
            ("refs/heads/main", '1'),
            ("refs/heads/feat/x", '2'),
            ("refs/heads/both", '3'),
            ("refs/tags/both", '4'),
            ("refs/tags/v1.0", '5'),
            ("refs/pull/1/head", '6'),
            ("refs/heads/abcd", '7'),
        ];
        RemoteRefs {
            refs: refs
                .iter()
                .map(|(name, digit)| ((*name).to_owned(), oid(*digit)))
                .collect(),
            head: Some(oid('1')),
            default_branch: Some("refs/heads/main".to_owned()),
        }
    }

    fn resolve(revision: Revision) -> (Wanted, Option<String>) {
        let target = refs().resolve(&revision, "url").unwrap();
        (target.commit, target.subdirectory)
    }

    #[test]
    fn a_repository_without_head_is_empty_only_where_it_has_no_refs() {
        let mut refs = refs();
        refs.head = None;
        match refs.resolve(&Revision::Default, "url") {
            Err(GitError::NoDefaultBranch { names, .. }) => assert_eq!(names[0], "main"),
            other => panic!("{other:?}"),
        }
        refs.refs.clear();
        let empty = refs.resolve(&Revision::Default, "url");
        assert!(matches!(empty, Err(GitError::Empty { .. })), "{empty:?}");
    }

    #[test]
    fn names_are_found_in_gits_order() {
        for (revision, expected) in [
            (Revision::Default, '1'),
            (Revision::Named("main".into()), '1'),
            (Revision::Named("feat/x".into()), '2'),
            (Revision::Named("both".into()), '4'),
            (Revision::Named("refs/heads/both".into()), '3'),
            (Revision::Named("refs/pull/1/head".into()), '6'),
            (Revision::Named("abcd".into()), '7'),
            (Revision::Named("55555".into()), '5'),
            (Revision::Commit("5".repeat(40)), '5'),
        ] {
            assert_eq!(
                resolve(revision.clone()),
                (Wanted::Tip(oid(expected)), None),
                "{revision:?}"
            );
        }
        assert_eq!(
            resolve(Revision::Commit("8".repeat(40))).0,
            Wanted::Unadvertised(oid('8'))
        );
        assert_eq!(
            resolve(Revision::Named("8888".into())).0,
            Wanted::Prefix("8888".into())
        );
    }

    #[test]
    fn paths_after_a_ref_are_told_from_it() {
        for (path, commit, folder) in [
            ("feat/x", '2', None),
            ("feat/x/models/a", '2', Some("models/a")),
            ("main/models", '1', Some("models")),
            ("v1.0/a/b", '5', Some("a/b")),
        ] {
            let expected = (Wanted::Tip(oid(commit)), folder.map(str::to_owned));
            assert_eq!(resolve(Revision::RefOrPath(path.into())), expected, "{path}");
        }
        let by_commit = resolve(Revision::RefOrPath(format!("{}/models", "9".repeat(40))));
        assert_eq!(by_commit, (Wanted::Unadvertised(oid('9')), Some("models".into())));
    }

    #[test]
    fn unknown_names_are_answered_with_near_ones() {
        let error = refs()
            .resolve(&Revision::Named("v1.O".into()), "https://host/r")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "https://host/r has no branch, tag or commit `v1.O`; did you mean `v1.0`?"
        );
        let empty = RemoteRefs::default()
            .resolve(&Revision::Default, "https://host/r")
            .unwrap_err();
        assert!(matches!(empty, GitError::Empty { .. }));
    }
}
