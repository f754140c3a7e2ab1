//! A list of published models for those who look for one: it ships with the program, and asks nobody.
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Bytes of a parameter in single precision, in which most models are published.
const BYTES_OF_A_PARAMETER: f64 = 4.0;

/// A published model that this program's architectures run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexedModel {
    /// `owner/name` on Hugging Face.
    pub name: String,
    /// What it does, in the hub's words.
    pub task: String,
    /// The family of its architecture.
    pub family: String,
    /// The licence that its repository named when it was listed.
    pub license: String,
    /// How many parameters it has, in millions.
    pub parameters: f64,
    /// What it finds and what it is good for, in a line.
    pub description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    #[serde(rename = "model")]
    models: Vec<IndexedModel>,
}

impl IndexedModel {
    /// How the model is named on the command line.
    pub fn reference(&self) -> String {
        format!("hf:{}", self.name)
    }

    /// About how large its weights are, in bytes.
    pub fn size_bytes(&self) -> u64 {
        (self.parameters * 1e6 * BYTES_OF_A_PARAMETER) as u64
    }

    /// How well it fits: how many of the words are in its name, where all of them are somewhere in what is known of it.
    fn fits(&self, words: &[String]) -> Option<usize> {
        let name = self.name.to_lowercase();
        let facts = [&self.task, &self.family, &self.license, &self.description];
        let facts: Vec<String> = facts.map(|fact| fact.to_lowercase()).into();
        let is_known = |word: &String| name.contains(word) || facts.iter().any(|fact| fact.contains(word));
        words
            .iter()
            .all(is_known)
            .then(|| words.iter().filter(|word| name.contains(word.as_str())).count())
    }
}

/// All models of the list, those of one task and family together.
pub fn models() -> &'static [IndexedModel] {
    static INDEX: LazyLock<Index> = LazyLock::new(|| {
        toml::from_str(include_str!("models.toml"))
            .unwrap_or_else(|error| unreachable!("the list that ships with the program is tested: {error}"))
    });
    &INDEX.models
}

/// The models that all `words` are said of, whatever their case: first those whose names have the most of them, and of
/// these the smallest.
pub fn search<S: AsRef<str>>(words: &[S]) -> Vec<&'static IndexedModel> {
    let words: Vec<String> = words.iter().map(|word| word.as_ref().to_lowercase()).collect();
    let mut found: Vec<_> = models()
        .iter()
        .filter_map(|model| Some((model.fits(&words)?, model)))
        .collect();
    found.sort_by(|(one, model), (other, another)| {
        other
            .cmp(one)
            .then(model.parameters.total_cmp(&another.parameters))
    });
    found.into_iter().map(|(_, model)| model).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceRef;
    use std::collections::BTreeSet;

    #[test]
    fn the_list_is_whole_and_every_line_can_be_typed() {
        assert!(models().len() >= 60, "{}", models().len());
        let names: BTreeSet<&str> = models().iter().map(|model| model.name.as_str()).collect();
        assert_eq!(names.len(), models().len(), "a model is listed twice");
        for model in models() {
            let reference = SourceRef::parse(&model.reference()).unwrap();
            assert_eq!(reference.to_string(), model.reference());
            assert!(
                model.parameters > 0.0 && !model.description.is_empty(),
                "{}",
                model.name
            );
        }
    }

    #[test]
    fn all_words_must_be_said_of_a_model_and_its_name_counts_most() {
        let names = |words: &[&str]| -> Vec<&str> {
            search(words)
                .into_iter()
                .map(|model| model.name.as_str())
                .collect()
        };
        assert_eq!(names(&["DINOv2", "small"])[0], "facebook/dinov2-small");
        assert_eq!(names(&["detection", "yolos"])[0], "hustvl/yolos-tiny");
        let depth = names(&["depth"]);
        assert!(depth.contains(&"Intel/dpt-large"), "its task says so");
        assert!(depth.is_sorted_by_key(|name| !name.to_lowercase().contains("depth")));
        assert!(names(&["depth", "mit"]).is_empty());
        assert!(names(&["no-such-word"]).is_empty());
    }
}
