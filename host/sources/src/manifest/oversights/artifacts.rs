//! What `artifacts` says that was hardly meant so.

use super::{
    Oversight,
    OversightKind::{ArtifactBuild as Build, ArtifactKey as Key, ArtifactUrl},
    fields,
};
use crate::manifest::{ArtifactBuild, Artifacts};
use minisign_verify::PublicKey;
use std::collections::BTreeSet;

/// The fields of `artifacts`.
const FIELDS: [&str; 3] = ["key", "url", "builds"];

/// The fields of a build.
const BUILD_FIELDS: [&str; 5] = ["target", "variant", "url", "sha256", "size_bytes"];

/// What hosts look for beside the processor.
const VARIANTS: [&str; 3] = ["cpu", "cuda", "metal"];

/// What is filled into the place of an archive.
const PLACEHOLDERS: [&str; 4] = ["name", "tag", "target", "variant"];

/// What the author would hardly have written knowingly.
pub(super) fn oversights(artifacts: &Artifacts) -> Vec<Oversight> {
    let mut found = Vec::from_iter(fields("`artifacts`", &artifacts.extra, &FIELDS));
    if let Some(key) = &artifacts.key
        && let Err(error) = PublicKey::from_base64(key.trim())
    {
        found.push(Key.of(format!("`{}`: {error}", key.escape_debug())));
    }
    if let Some(url) = &artifacts.url {
        found.extend(unusable_template("`artifacts`", url));
        if !url.contains("{target}") {
            found.push(ArtifactUrl.of(format!("`{url}` is one place for the archives of all machines")));
        }
    }
    if artifacts.key.is_none() && artifacts.builds.is_empty() {
        found.push(
            Build.of("there is neither a key nor the hash of an archive, so none is ever taken".to_owned()),
        );
    }
    let mut seen = BTreeSet::new();
    for build in &artifacts.builds {
        let place = format!("the build for {} ({})", build.target, build.variant);
        if !seen.insert((&build.target, &build.variant)) {
            found.push(Build.of(format!("{place} is there twice, and the first one counts")));
        }
        found.extend(fields(&place, &build.extra, &BUILD_FIELDS));
        found.extend(unusable_build(&place, build).map(|detail| Build.of(detail)));
        found.extend(build.url.iter().filter_map(|url| unusable_template(&place, url)));
    }
    found
}

/// Why no host takes a build.
fn unusable_build(place: &str, build: &ArtifactBuild) -> Option<String> {
    let parts = build.target.split('-');
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || one == '_' || one == '.')
    };
    if !(3..=4).contains(&parts.clone().count()) || !parts.clone().all(is_part) {
        return Some(format!(
            "{place} is for no target triple, such as `x86_64-unknown-linux-gnu`"
        ));
    }
    if !VARIANTS.contains(&build.variant.as_str()) {
        return Some(format!("{place} is for none of {}", VARIANTS.join(", ")));
    }
    (build.size_bytes == Some(0)).then(|| format!("{place} has no bytes"))
}

/// Why the place of an archive cannot be one.
fn unusable_template(place: &str, template: &str) -> Option<Oversight> {
    let mut filled = template.to_owned();
    for name in PLACEHOLDERS {
        filled = filled.replace(&format!("{{{name}}}"), "x");
    }
    if let Some(start) = filled.find(['{', '}']) {
        let rest: String = filled[start..].chars().take(20).collect();
        return Some(ArtifactUrl.of(format!(
            "{place} names `{template}`, where nothing is filled in at `{rest}`"
        )));
    }
    let is_usable =
        url::Url::parse(&filled).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    (!is_usable).then(|| ArtifactUrl.of(format!("{place} names `{template}`, which is no URL of the web")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::OversightKind::{self, Field};
    use serde_json::{Value, json};

    const GOOD_KEY: &str = "RWT2+7uwVniYQSBQnn2mICDQ+WuSxhwuOevsNkFcXBYbVJSDuXZi2X4F";

    fn found(artifacts: Value) -> Vec<OversightKind> {
        let artifacts: Artifacts = serde_json::from_value(artifacts).unwrap();
        oversights(&artifacts)
            .iter()
            .map(|oversight| oversight.kind)
            .collect()
    }

    fn build(field: &str, value: &str) -> Value {
        let mut build = json!({ "target": "x86_64-unknown-linux-gnu", "sha256": "0".repeat(64) });
        build[field] = value.into();
        build
    }

    #[test]
    fn what_is_right_is_left_alone() {
        assert_eq!(found(json!({ "key": GOOD_KEY })), []);
        let url = "https://example.org/{tag}/{name}-{target}-{variant}.tar.gz";
        let builds = [
            build("url", "https://example.org/one.tar.gz"),
            build("target", "aarch64-apple-darwin"),
            build("variant", "cuda"),
        ];
        assert_eq!(found(json!({ "url": url, "builds": builds })), []);
    }

    #[test]
    fn what_was_hardly_meant_is_found() {
        for (artifacts, kind) in [
            (json!({ "key": "untrusted comment" }), Key),
            (json!({}), Build),
            (json!({ "key": GOOD_KEY, "build": [] }), Field),
            (
                json!({ "key": GOOD_KEY, "url": "https://example.org/{version}/{target}" }),
                ArtifactUrl,
            ),
            (
                json!({ "key": GOOD_KEY, "url": "https://example.org/x.tar.gz" }),
                ArtifactUrl,
            ),
            (
                json!({ "key": GOOD_KEY, "url": "example.org/{target}" }),
                ArtifactUrl,
            ),
            (
                json!({ "builds": [build("url", "ftp://example.org/x")] }),
                ArtifactUrl,
            ),
            (json!({ "builds": [build("target", "linux")] }), Build),
            (json!({ "builds": [build("variant", "gpu")] }), Build),
            (json!({ "builds": [build("varient", "cuda")] }), Field),
            (
                json!({ "builds": [build("variant", "cpu"), build("variant", "cpu")] }),
                Build,
            ),
        ] {
            assert_eq!(found(artifacts.clone()), [kind], "{artifacts}");
        }
    }
}
