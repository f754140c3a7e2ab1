//! Where the values of a field come from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
    /// SHA-256 of each file of weights, in hexadecimal, by the file's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights_sha256: BTreeMap<String, String>,
    /// What the user asked for: threshold, classes, parameters of the model, ...
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// What computed them, such as `cpu` or `cuda:0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl Provenance {
    /// What differs between two provenances, in words; `None` if nothing does.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let (this, that) = (self.facts(), other.facts());
        let names: BTreeSet<&String> = this.keys().chain(that.keys()).collect();
        let text = |facts: &Map<String, Value>, name: &String| match facts.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "none".to_owned(),
        };
        let differences: Vec<String> = names
            .into_iter()
            .filter(|name| this.get(*name) != that.get(*name))
            .map(|name| format!("{name} {} instead of {}", text(&that, name), text(&this, name)))
            .collect();
        (!differences.is_empty()).then(|| differences.join(", "))
    }

    fn facts(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(facts)) => facts,
            _ => unreachable!("a struct of text and maps is written as an object"),
        }
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
        theirs.commit = None;
        theirs.options.insert("confidence_thresh".to_owned(), 0.5.into());
        assert_eq!(
            ours.difference(&theirs).unwrap(),
            "commit none instead of abc, options {\"confidence_thresh\":0.5} instead of none"
        );
    }
}
