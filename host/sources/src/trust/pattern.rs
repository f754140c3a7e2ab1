//! Which sources an entry of the policy means: a host, an owner, a source, or `*`.

/// Whether `entry` (`acme`, `acme/repo`, `github.com/acme`, `https://host/group`, `*`) covers the source `identity`.
/// Upper and lower case matter, but for GitHub's names.
pub(super) fn covers(entry: &str, identity: &str) -> bool {
    let (entry, identity) = (normalised(entry), normalised(identity));
    entry == "*" || begins_with_parts(&identity, &entry)
}

/// The same whatever the case, for what must not be evaded by another spelling.
pub(super) fn covers_any_case(entry: &str, identity: &str) -> bool {
    covers(&entry.to_lowercase(), &identity.to_lowercase())
}

/// How exact an entry is: the one with the most wins where several cover a source.
pub(super) fn exactness(entry: &str) -> usize {
    normalised(entry).len()
}

fn begins_with_parts(identity: &str, entry: &str) -> bool {
    !entry.is_empty()
        && identity
            .strip_prefix(entry)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
}

/// `host/path`, whatever the transport and the user; the path itself for a local one.
fn normalised(text: &str) -> String {
    let text = text.trim().trim_end_matches('/');
    let text = text.strip_suffix(".git").unwrap_or(text);
    if text == "*" || text.starts_with(['/', '.']) {
        return text.to_owned();
    }
    if let Some(path) = text.strip_prefix("file://") {
        return path.to_owned();
    }
    if let Some(path) = text.strip_prefix("gh:") {
        return format!("github.com/{}", path.to_lowercase());
    }
    let (is_url, address) = match text.split_once("://") {
        Some((_, address)) => (true, address),
        None => (false, text),
    };
    let (first, _) = address.split_once('/').unwrap_or((address, ""));
    let has_user = first.contains('@');
    let address = if has_user {
        address.split_once('@').map_or(address, |(_, rest)| rest)
    } else {
        address
    };
    let (host, path) = split_host(address, is_url);
    if !is_url && !has_user && !host.contains(['.', ':']) && host != "localhost" {
        // No host has such a name: an owner on GitHub.
        return format!("github.com/{}", address.to_lowercase());
    }
    let host = host.to_lowercase();
    let path = if host == "github.com" {
        path.to_lowercase()
    } else {
        path.to_owned()
    };
    if path.is_empty() {
        host
    } else {
        format!("{host}/{path}")
    }
}

/// Host and path of `host/path` or Git's `host:path`; a port stays with its host.
fn split_host(address: &str, is_url: bool) -> (&str, &str) {
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    match host.split_once(':') {
        Some((name, rest)) if !is_url && !rest.bytes().all(|digit| digit.is_ascii_digit()) => {
            (name, &address[name.len() + 1..])
        }
        _ => (host, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_mean_whole_names() {
        for (entry, identity) in [
            ("acme", "github.com/acme/zoo"),
            ("Acme", "github.com/acme/zoo"),
            ("acme/zoo", "github.com/acme/zoo"),
            ("gh:acme/zoo", "github.com/acme/zoo"),
            ("acme/zoo", "github.com/acme/zoo//models/a"),
            ("github.com/acme", "github.com/acme/zoo"),
            ("https://github.com/acme/zoo.git", "github.com/acme/zoo"),
            ("gitlab.com", "gitlab.com/a/b/c"),
            ("gitlab.com/a", "git@gitlab.com:a/b"),
            ("git@gitlab.com:a", "gitlab.com/a/b"),
            ("example.com:8443/a", "example.com:8443/a/b"),
            ("https://example.com/z.tar.gz", "https://example.com/z.tar.gz"),
            ("example.com", "https://example.com/z.tar.gz"),
            ("file:///srv/git", "file:///srv/git/zoo"),
            ("/srv/git", "file:///srv/git/zoo"),
            ("*", "gitlab.com/a/b"),
        ] {
            assert!(covers(entry, identity), "{entry} covers {identity}");
        }
        for (entry, identity) in [
            ("acme", "github.com/acme-evil/zoo"),
            ("acme", "gitlab.com/acme/zoo"),
            ("acme/zoo", "github.com/acme/zoo2"),
            ("acme", "github.com/x/acme"),
            ("gitlab.com/Acme", "gitlab.com/acme/zoo"),
            ("gitlab.com", "gitlab.com.evil.example/a/b"),
            ("example.com", "https://evil.example/example.com/z.zip"),
            ("example.com", "https://example.com@evil.example/z.zip"),
            ("", "github.com/acme/zoo"),
            ("/", "file:///srv/git/zoo"),
        ] {
            assert!(!covers(entry, identity), "{entry} does not cover {identity}");
        }
    }

    #[test]
    fn denying_does_not_mind_the_case() {
        assert!(covers_any_case("gitlab.com/Acme", "gitlab.com/acme/zoo"));
        assert!(covers_any_case("gitlab.com/acme", "git@GitLab.com:ACME/zoo"));
    }
}
