//! The manifest: that there is one, what it declares, and what users would miss in it.

use super::{Report, rules, source_in};
use modelzoo::{
    Zoo,
    manifest::{ModelEntry, OversightKind, duplicate_names},
    source::ResolvedSource,
};
use std::path::Path;

/// Gives the source, where there is one to go on with.
pub fn check(zoo: &Zoo, folder: &Path, report: &mut Report) -> Option<ResolvedSource> {
    let source = report.value(&rules::MANIFEST, source_in(zoo, folder))?;
    let [own] = &source.manifests[..] else {
        report.bad_with(
            &rules::MANIFEST,
            format!("there is none in {}, but some below it", folder.display()),
            "check the folders of the sources one by one",
        );
        return None;
    };
    if own.folder != source.path {
        report.bad_with(
            &rules::MANIFEST,
            format!(
                "it is not in {} but in {}",
                folder.display(),
                own.folder.display()
            ),
            format!("check {}", own.folder.display()),
        );
        return None;
    }
    let models: Vec<&ModelEntry> = source.models().map(|(_, model)| model).collect();
    if models.is_empty() {
        report.bad_with(&rules::MANIFEST, "it declares no model", "add one to `models`");
        return None;
    }
    let names: Vec<String> = models.iter().map(|model| model.name()).collect();
    report.good(&rules::MANIFEST, format!("declares {}", names.join(", ")));
    let duplicates = Vec::from_iter(duplicate_names(models.iter().copied()));
    if !duplicates.is_empty() {
        report.bad(
            &rules::MODEL_NAMES,
            format!("{} more than once", duplicates.join(", ")),
        );
    }
    let incomplete: Vec<String> = models.iter().filter_map(|model| missing_facts(model)).collect();
    if !incomplete.is_empty() {
        report.warning(&rules::MODEL_FACTS, incomplete.join("; "));
    }
    for oversight in own.manifest.oversights() {
        let rule = match oversight.kind {
            OversightKind::Field => &rules::FIELDS,
            OversightKind::License => &rules::LICENSE,
            OversightKind::Date => &rules::DATE,
            OversightKind::Url => &rules::URLS,
            OversightKind::Digest => &rules::DIGEST,
            OversightKind::ArtifactUrl => &rules::ARTIFACT_URL,
            OversightKind::ArtifactBuild => &rules::ARTIFACT_BUILD,
            // Every user who would take the plugin meets an error.
            OversightKind::ArtifactKey => {
                report.bad(&rules::ARTIFACT_KEY, oversight.detail);
                continue;
            }
        };
        report.warning(rule, oversight.detail);
    }
    Some(source)
}

/// What users choose a model by and the manifest does not tell.
fn missing_facts(model: &ModelEntry) -> Option<String> {
    let facts = [
        ("description", model.description.is_none()),
        ("license", model.license.is_none()),
        ("tags", model.tags.is_empty()),
    ];
    let missing: Vec<&str> = facts
        .iter()
        .filter(|(_, is_missing)| *is_missing)
        .map(|(name, _)| *name)
        .collect();
    (!missing.is_empty()).then(|| format!("{} has no {}", model.name(), missing.join(", ")))
}
