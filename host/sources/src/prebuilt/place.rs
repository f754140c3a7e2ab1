//! Where the archives of a release are.
use crate::{
    reference::{GitRepository, Location, Transport},
    source::ResolvedSource,
};

/// What the archive of a plugin is called in a release.
pub fn file_name(crate_name: &str, target: &str, variant: &str) -> String {
    format!("{crate_name}-{target}-{variant}.tar.gz")
}

/// What a place of archives is made of.
pub(super) struct Archive<'a> {
    pub(super) crate_name: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) target: &'a str,
    pub(super) variant: &'a str,
}

impl Archive<'_> {
    /// The template of a manifest with everything filled in; `None` where it needs a tag, and there is none.
    pub(super) fn fill(&self, template: &str) -> Option<String> {
        if template.contains("{tag}") && self.tag.is_none() {
            return None;
        }
        Some(
            template
                .replace("{name}", self.crate_name)
                .replace("{tag}", self.tag.unwrap_or_default())
                .replace("{target}", self.target)
                .replace("{variant}", self.variant),
        )
    }

    /// Where the release of the tag has it, by the conventions of forges.
    pub(super) fn of_release(&self, source: &ResolvedSource) -> Vec<String> {
        let (Location::Git(repository), Some(tag)) = (source.reference.location(), self.tag) else {
            return Vec::new();
        };
        let Some(page) = page(repository) else {
            return Vec::new();
        };
        let file = file_name(self.crate_name, self.target, self.variant);
        // GitHub's, which Gitea and Forgejo have, too.
        let usual = format!("{page}/releases/download/{tag}/{file}");
        let gitlab = format!("{page}/-/releases/{tag}/downloads/{file}");
        if repository.is_github() {
            vec![usual]
        } else if repository.host().contains("gitlab") {
            vec![gitlab]
        } else {
            vec![usual, gitlab]
        }
    }
}

/// The tag that a source was asked for at.
pub(super) fn tag(source: &ResolvedSource) -> Option<&str> {
    let found = source.commit.as_ref()?.ref_name.as_deref();
    match found.and_then(|name| name.strip_prefix("refs/tags/")) {
        Some(tag) => Some(tag),
        // From the store or the lock a commit comes without the name that it was found by.
        None if found.is_none() => source.reference.revision().as_str(),
        None => None,
    }
}

/// The page of a repository on its forge.
fn page(repository: &GitRepository) -> Option<String> {
    let url = match repository.transport() {
        Transport::Https | Transport::Http => repository.url(),
        Transport::Ssh => format!("https://{}/{}", repository.host(), repository.path()),
        Transport::SshHome | Transport::File => return None,
    };
    Some(url.trim_end_matches('/').trim_end_matches(".git").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceRef;

    fn page_of(spelling: &str) -> Option<String> {
        match SourceRef::parse(spelling).unwrap().location() {
            Location::Git(repository) => page(repository),
            _ => None,
        }
    }

    #[test]
    fn repositories_have_a_page_on_their_forge() {
        for (spelling, expected) in [
            ("acme/zoo", Some("https://github.com/acme/zoo")),
            (
                "git@codeberg.org:acme/zoo.git",
                Some("https://codeberg.org/acme/zoo"),
            ),
            ("http://127.0.0.1:8080/zoo.git", Some("http://127.0.0.1:8080/zoo")),
            ("file:///srv/zoo.git", None),
        ] {
            assert_eq!(page_of(spelling).as_deref(), expected, "{spelling}");
        }
    }

    #[test]
    fn templates_are_filled() {
        let mut archive = Archive {
            crate_name: "bright",
            tag: Some("v1"),
            target: "t",
            variant: "cpu",
        };
        let template = "https://example.org/{tag}/{name}-{target}-{variant}.tar.gz";
        assert_eq!(
            archive.fill(template).unwrap(),
            "https://example.org/v1/bright-t-cpu.tar.gz"
        );
        archive.tag = None;
        assert_eq!(archive.fill(template), None);
    }
}
