//! URL-prefix rewriting: where a site is reached through a mirror.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which URL prefixes are replaced by which: `"https://github.com/" = "https://mirror.example/github/"`.
/// Git fetches and downloads alike go through it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mirrors(BTreeMap<String, String>);

impl Mirrors {
    /// `url` with the longest prefix that has a mirror replaced by it, or `url` as it is.
    /// The result is not rewritten again, so mirrors cannot form a loop.
    pub fn rewrite(&self, url: &str) -> String {
        self.0
            .iter()
            .filter_map(|(prefix, mirror)| Some((prefix.len(), mirror, url.strip_prefix(prefix.as_str())?)))
            .max_by_key(|(length, ..)| *length)
            .map_or_else(|| url.to_owned(), |(_, mirror, rest)| format!("{mirror}{rest}"))
    }

    /// Adds or replaces the mirror of `prefix`.
    pub fn insert(&mut self, prefix: impl Into<String>, mirror: impl Into<String>) {
        self.0.insert(prefix.into(), mirror.into());
    }

    /// Takes over all of `other`'s mirrors, which win over these.
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Prefix and mirror, sorted by prefix.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(prefix, mirror)| (prefix.as_str(), mirror.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins() {
        let mut mirrors = Mirrors::default();
        mirrors.insert("https://github.com/", "https://mirror.example/github/");
        mirrors.insert("https://github.com/acme/", "file:///srv/git/");
        assert_eq!(
            mirrors.rewrite("https://github.com/acme/repo"),
            "file:///srv/git/repo"
        );
        assert_eq!(
            mirrors.rewrite("https://github.com/other/repo"),
            "https://mirror.example/github/other/repo"
        );
        assert_eq!(
            mirrors.rewrite("https://gitlab.com/a/b"),
            "https://gitlab.com/a/b"
        );
    }

    #[test]
    fn a_mirror_of_a_mirror_is_not_followed() {
        let mut mirrors = Mirrors::default();
        mirrors.insert("https://a/", "https://b/");
        mirrors.insert("https://b/", "https://a/");
        assert_eq!(mirrors.rewrite("https://a/x"), "https://b/x");
    }
}
