//! Where the values of a field come from.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What made the values of a field: enough to make them again.
///
/// Two runs with equal provenance give equal values, so one can go on where the other ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The source's identity, such as `https://github.com/user/repo`.
    pub source: String,
    /// The source's commit, where it comes from Git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The model's name, with its version where it has one.
    pub model: String,
    /// SHA-256 of the plugin, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_sha256: Option<String>,
    /// Name and version of the plugin where it is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built_in: Option<String>,
    /// SHA-256 of each file of weights, in hexadecimal, by the file's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights_sha256: BTreeMap<String, String>,
    /// What the user asked for: threshold, classes, parameters of the model, ...
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// What computed them, such as `cpu` or `cuda:0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The layers of the sandbox that were around the plugin, by their names. They change no value, so runs that differ in
    /// them alone have the same origin.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sandbox: Vec<String>,
}

impl Provenance {
    /// What differs between two provenances, in a few words; `None` if nothing does. Another source or model is all
    /// that is said where it is another: hashes and options follow from it.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let (this, that) = (self.facts(), other.facts());
        let names: BTreeSet<&String> = this.keys().chain(that.keys()).collect();
        let differing: Vec<&String> = names
            .into_iter()
            .filter(|name| this.get(*name) != that.get(*name))
            .collect();
        let is_identity = |name: &&&String| ["source", "model"].contains(&name.as_str());
        let mut told: Vec<&String> = differing.iter().filter(is_identity).copied().collect();
        if told.is_empty() {
            told = differing;
        }
        let differences: Vec<String> = told
            .into_iter()
            .map(|name| {
                let text = |facts: &Map<String, Value>| facts.get(name).map_or("none".to_owned(), short_text);
                format!("{name} {} instead of {}", text(&that), text(&this))
            })
            .collect();
        (!differences.is_empty()).then(|| differences.join(", "))
    }

    fn facts(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(mut facts)) => {
                facts.remove("sandbox");
                facts
            }
            _ => unreachable!("a struct of text and maps is written as an object"),
        }
    }
}

/// A fact as messages tell it: of hashes so much that one knows them apart.
fn short_text(value: &Value) -> String {
    const HASH_DIGITS: usize = 64;
    const SHOWN_DIGITS: usize = 12;
    match value {
        Value::String(text)
            if text.len() == HASH_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            format!("{}...", &text[..SHOWN_DIGITS])
        }
        Value::String(text) => text.clone(),
        Value::Object(entries) if entries.values().all(Value::is_string) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, value)| format!("{name} {}", short_text(value)))
                .collect();
            entries.join(", ")
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::Provenance;

    #[test]
    fn the_difference_names_what_differs_and_nothing_else() {
        let ours = Provenance {
            source: "https://github.com/user/repo".to_owned(),
            model: "resnet18".to_owned(),
            commit: Some("abc".to_owned()),
            ..Provenance::default()
        };
        assert_eq!(ours.difference(&ours.clone()), None);
        let mut theirs = ours.clone();
        theirs.artifact_sha256 = Some("0123456789abcdef".repeat(4));
        assert_eq!(
            ours.difference(&theirs).unwrap(),
            "artifact_sha256 0123456789ab... instead of none"
        );
        theirs.model = "resnet34".to_owned();
        assert_eq!(
            ours.difference(&theirs).unwrap(),
            "model resnet34 instead of resnet18"
        );
        theirs = ours.clone();
        theirs.sandbox = vec!["files".to_owned()];
        assert_eq!(ours.difference(&theirs), None);
        theirs.commit = None;
        theirs.options.insert("confidence_thresh".to_owned(), 0.5.into());
        assert_eq!(
            ours.difference(&theirs).unwrap(),
            "commit none instead of abc, options {\"confidence_thresh\":0.5} instead of none"
        );
    }
}
