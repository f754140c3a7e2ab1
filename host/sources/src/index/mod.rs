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
    /// How long a core computed the network for a picture, in milliseconds: of the architecture in its published size, with
    /// random weights (`plugin-api/vision/parity/speeds.py` says how); none where that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<f64>,
    /// What it finds and what it is good for, in a line.
    pub description: String,
}

/// How fast a model is on a CPU, by what was measured of one core. Machines differ by less than these classes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speed {
    /// More than 50 pictures a second.
    VeryFast,
    /// More than 10.
    Fast,
    /// More than 2.
    Medium,
    /// More than one in 2.5 seconds.
    Slow,
    /// Fewer.
    VerySlow,
}

impl Speed {
    /// The class of so many milliseconds for a picture.
    fn of(milliseconds: f64) -> Self {
        match milliseconds {
            fewer if fewer < 20.0 => Self::VeryFast,
            fewer if fewer < 100.0 => Self::Fast,
            fewer if fewer < 500.0 => Self::Medium,
            fewer if fewer < 2500.0 => Self::Slow,
            _ => Self::VerySlow,
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::VeryFast => "very fast",
            Self::Fast => "fast",
            Self::Medium => "medium",
            Self::Slow => "slow",
            Self::VerySlow => "very slow",
        }
    }
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

    /// How fast it is, where that was measured.
    pub fn speed(&self) -> Option<Speed> {
        self.milliseconds.map(Speed::of)
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
    fn speed_is_known_of_many_and_falls_with_the_size_of_a_family() {
        let known = models().iter().filter(|model| model.speed().is_some()).count();
        assert!(known * 2 >= models().len(), "{known} of {}", models().len());
        let speed = |name: &str| models().iter().find(|model| model.name == name).unwrap().speed();
        assert!(speed("microsoft/resnet-18") < speed("microsoft/resnet-152"));
        assert_eq!(Speed::of(99.0), Speed::Fast);
        assert_eq!(Speed::of(100.0), Speed::Medium);
        assert_eq!(Speed::of(1e9), Speed::VerySlow);
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
        assert!(names(&["depth", "agpl"]).is_empty());
        assert!(names(&["no-such-word"]).is_empty());
    }
}
