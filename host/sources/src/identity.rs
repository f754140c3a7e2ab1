//! The parts of a source's [identity](crate::SourceRef::identity).

/// The repository, archive or folder, and the folder of the source inside it: `github.com/acme/zoo` and `models/a` of
/// `github.com/acme/zoo//models/a`.
pub(crate) fn split_subdirectory(identity: &str) -> (&str, Option<&str>) {
    let start = after_scheme(identity);
    match identity[start..].find("//") {
        Some(slashes) => (
            &identity[..start + slashes],
            Some(&identity[start + slashes + 2..]),
        ),
        None => (identity, None),
    }
}

/// Who owns a source: `github.com/acme` of `github.com/acme/zoo//models/a`. A host alone owns nothing.
pub(crate) fn owner(identity: &str) -> Option<&str> {
    let (place, _) = split_subdirectory(identity);
    let start = after_scheme(place);
    let (owner, _) = place[start..].rsplit_once('/')?;
    (!owner.is_empty()).then(|| &place[..start + owner.len()])
}

/// Exactly the source `identity` at `revision`, as a person would spell it.
pub(crate) fn spelling_at(identity: &str, revision: Option<&str>) -> String {
    let (place, subdirectory) = split_subdirectory(identity);
    let revision = revision
        .map(|revision| format!("@{revision}"))
        .unwrap_or_default();
    let subdirectory = subdirectory
        .map(|folder| format!("//{folder}"))
        .unwrap_or_default();
    format!("{place}{revision}{subdirectory}")
}

fn after_scheme(identity: &str) -> usize {
    identity.find("://").map_or(0, |scheme| scheme + "://".len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_have_an_owner_and_a_folder() {
        for (identity, owned_by, folder) in [
            ("github.com/acme/zoo", Some("github.com/acme"), None),
            ("github.com/acme/zoo//a/b", Some("github.com/acme"), Some("a/b")),
            ("file:///srv/zoo//a", Some("file:///srv"), Some("a")),
            ("https://example.com/z.zip", Some("https://example.com"), None),
            ("example.com", None, None),
        ] {
            assert_eq!(owner(identity), owned_by, "{identity}");
            assert_eq!(split_subdirectory(identity).1, folder, "{identity}");
        }
    }

    #[test]
    fn the_revision_stands_before_the_folder() {
        assert_eq!(
            spelling_at("github.com/acme/zoo//a", Some("v1")),
            "github.com/acme/zoo@v1//a"
        );
        assert_eq!(spelling_at("file:///srv/zoo", None), "file:///srv/zoo");
    }
}
