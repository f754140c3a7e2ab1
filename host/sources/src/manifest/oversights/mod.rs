//! What a manifest says that can be read and was hardly meant so. Readers are lenient; authors want to know.

mod artifacts;

use super::{Manager, Manifest, ModelEntry, Origin, manager::CONFIG_FIELDS};
use jiff::civil::{Date, DateTime};
use modelzoo_base::suggest::misspelt;
use serde_json::{Map, Value};
use spdx::Expression;

/// The fields of a manifest.
const FIELDS: [&str; 4] = ["name", "url", "artifacts", "models"];

/// The fields of a model.
const MODEL_FIELDS: [&str; 16] = [
    "base_name",
    "base_filename",
    "version",
    "author",
    "url",
    "license",
    "source",
    "description",
    "tags",
    "size_bytes",
    "date_added",
    "requirements",
    "manager",
    "default_deployment_config_dict",
    "training_data",
    "expected",
];

/// Something that was hardly meant so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oversight {
    /// What kind of thing.
    pub kind: OversightKind,
    /// What is said, and of which model.
    pub detail: String,
}

/// What kinds of things are overlooked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OversightKind {
    /// A field whose name is nearly that of a known one: it has no effect.
    Field,
    /// A licence that is no SPDX expression (<https://spdx.org/licenses>): no program knows what it allows.
    License,
    /// `date_added` is no date that the calendar has.
    Date,
    /// A URL that nobody can open.
    Url,
    /// A download that nothing is compared with.
    Digest,
    /// A key for compiled plugins that is none.
    ArtifactKey,
    /// A place of compiled plugins that cannot be one.
    ArtifactUrl,
    /// Compiled plugins that nobody can take.
    ArtifactBuild,
}

impl Manifest {
    /// What the author would hardly have written knowingly, in the order of the manifest.
    pub fn oversights(&self) -> Vec<Oversight> {
        let mut found = Vec::from_iter(fields("the manifest", &self.extra, &FIELDS));
        found.extend(
            self.url
                .iter()
                .filter_map(|url| unusable_url("the manifest", url)),
        );
        found.extend(self.artifacts.iter().flat_map(artifacts::oversights));
        for model in &self.models {
            found.extend(model.oversights());
        }
        found
    }
}

impl ModelEntry {
    /// What the author would hardly have written knowingly.
    fn oversights(&self) -> Vec<Oversight> {
        let name = self.name();
        let mut found = Vec::from_iter(fields(&name, &self.extra, &MODEL_FIELDS));
        let urls = self.url.iter().chain(&self.source);
        found.extend(urls.filter_map(|url| unusable_url(&name, url)));
        found.extend(
            self.license
                .iter()
                .filter_map(|license| no_license(&name, license)),
        );
        found.extend(self.date_added.iter().filter_map(|date| no_date(&name, date)));
        if let Some(manager) = &self.manager {
            found.extend(fields(
                &format!("the manager of {name}"),
                &manager.config,
                &CONFIG_FIELDS,
            ));
            found.extend(without_digest(&name, manager));
        }
        found
    }
}

/// The fields that are not known and look like known ones.
fn fields(
    place: &str,
    unknown: &Map<String, Value>,
    known: &'static [&'static str],
) -> impl Iterator<Item = Oversight> {
    unknown.keys().filter_map(move |field| {
        let meant = misspelt(field, known.iter().copied())?;
        Some(OversightKind::Field.of(format!("{place} has `{field}`, which nobody reads; `{meant}`?")))
    })
}

fn unusable_url(place: &str, text: &str) -> Option<Oversight> {
    let is_usable =
        url::Url::parse(text).is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    (!is_usable).then(|| OversightKind::Url.of(format!("{place} names `{text}`, which is no URL")))
}

/// Several licences may stand in one text, with commas between them.
fn no_license(model: &str, license: &str) -> Option<Oversight> {
    let unknown = license
        .split(',')
        .map(str::trim)
        .find(|one| Expression::parse(one).is_err())?;
    Some(OversightKind::License.of(format!("{model} has `{unknown}`, which is no SPDX licence")))
}

/// Dates, and dates with times, as FiftyOne and ISO 8601 write them.
fn no_date(model: &str, date: &str) -> Option<Oversight> {
    let is_one = date.parse::<Date>().is_ok() || date.parse::<DateTime>().is_ok();
    (!is_one).then(|| OversightKind::Date.of(format!("{model} was added on `{date}`, which is no date")))
}

/// What is part of the source is pinned with it.
fn without_digest(model: &str, manager: &Manager) -> Option<Oversight> {
    let is_foreign = |origin: &Origin| !matches!(origin, Origin::SourceFile(_));
    let is_open = manager.sha256.is_none() && manager.origins.iter().any(is_foreign);
    is_open.then(|| {
        OversightKind::Digest.of(format!(
            "{model} has no `sha256` in its manager, so any file will do"
        ))
    })
}

impl OversightKind {
    fn of(self, detail: String) -> Oversight {
        Oversight { kind: self, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(model: Value) -> Vec<OversightKind> {
        let manifest: Manifest = serde_json::from_value(json!({ "models": [model] })).unwrap();
        manifest
            .oversights()
            .iter()
            .map(|oversight| oversight.kind)
            .collect()
    }

    #[test]
    fn what_is_right_is_left_alone() {
        let model = json!({
            "base_name": "m", "base_filename": "m.bin", "license": "Apache-2.0,MIT OR GPL-2.0-only",
            "date_added": "2024-02-29 10:00:00", "url": "https://example.com/m", "zoo": 3,
            "manager": { "type": "modelzoo.ModelManager", "config": { "file": "m.bin" } },
        });
        assert_eq!(found(model), []);
    }

    #[test]
    fn what_was_hardly_meant_is_found() {
        use OversightKind::{Date, Digest, Field, License, Url};
        let manager = |config| json!({ "type": "modelzoo.ModelManager", "config": config });
        for (field, value, kind) in [
            ("base_filname", json!("m.bin"), Field),
            ("licence", json!("MIT"), Field),
            ("license", json!("do what you like"), License),
            ("license", json!("MIT, my own"), License),
            ("date_added", json!("2025-02-30"), Date),
            ("date_added", json!("last week"), Date),
            ("url", json!("see the readme"), Url),
            ("source", json!("https://"), Url),
            (
                "manager",
                manager(json!({ "url": "https://example.com/m" })),
                Digest,
            ),
            ("manager", manager(json!({ "file": "m", "sha265": "0" })), Field),
        ] {
            assert_eq!(
                found(json!({ "base_name": "m", field: value })),
                [kind],
                "{field}"
            );
        }
        let manifest: Manifest = serde_json::from_value(json!({ "model": [], "url": "x" })).unwrap();
        let kinds: Vec<_> = manifest
            .oversights()
            .iter()
            .map(|oversight| oversight.kind)
            .collect();
        assert_eq!(kinds, [Field, Url]);
    }

    #[test]
    fn every_field_that_is_read_is_known() {
        let fields = |known: &[&str]| -> Map<String, Value> {
            known
                .iter()
                .map(|field| ((*field).to_owned(), Value::Null))
                .collect()
        };
        let mut model = fields(&MODEL_FIELDS);
        model.insert("base_name".to_owned(), json!("m"));
        let model: ModelEntry = serde_json::from_value(Value::Object(model)).unwrap();
        assert_eq!(model.extra, Map::new());
        let manifest: Manifest = serde_json::from_value(Value::Object(fields(&FIELDS))).unwrap();
        assert_eq!(manifest.extra, Map::new());
    }
}
