//! What a published model says of itself to people: the head of its README, and its licence.

use crate::manifest::ModelEntry;
use serde_yaml_ng::{Mapping, Value};
use std::{io::Read as _, path::Path};

/// The file whose head describes a model (<https://huggingface.co/docs/hub/model-cards>).
pub(super) const README: &str = "README.md";

/// So much of a file is looked at.
const LOOKED_AT: u64 = 64 << 10;

/// Licences by the words in which their texts begin, and the names by which hubs call them.
const LICENCE_TEXTS: [(&str, &str); 6] = [
    ("Apache License Version 2.0", "apache-2.0"),
    ("MIT License", "mit"),
    ("BSD 3-Clause License", "bsd-3-clause"),
    ("GNU AFFERO GENERAL PUBLIC LICENSE Version 3", "agpl-3.0"),
    ("GNU GENERAL PUBLIC LICENSE Version 2", "gpl-2.0"),
    ("GNU GENERAL PUBLIC LICENSE Version 3", "gpl-3.0"),
];

/// Such words are among the first of a licence's text.
const LICENCE_WORDS: usize = 40;

/// What a folder says of its model.
#[derive(Debug, Default)]
pub(super) struct Card {
    /// The head of the README, where it has one.
    head: Mapping,
    /// By the text of the licence, where the README names none.
    licence: Option<&'static str>,
}

impl Card {
    /// Reads what a folder has; what cannot be read says nothing.
    pub(super) fn read(folder: &Path) -> Self {
        let readme = beginning(&folder.join(README)).unwrap_or_default();
        let licence = ["LICENSE", "LICENSE.txt"]
            .iter()
            .find_map(|name| licence_of(&beginning(&folder.join(name))?));
        Self {
            head: front_matter(&readme),
            licence,
        }
    }

    /// What a manifest would say of the model; its name is left open.
    pub(super) fn entry(&self) -> ModelEntry {
        // A licence that no list has goes by a name of its own.
        let licence = match self.text("license") {
            Some(other) if other == "other" => Some(self.text("license_name").unwrap_or(other)),
            named => named.or_else(|| self.licence.map(str::to_owned)),
        };
        ModelEntry {
            license: licence,
            tags: self.text("pipeline_tag").into_iter().collect(),
            ..ModelEntry::default()
        }
    }

    /// A text, or the first of a list of texts, without what a terminal would obey.
    fn text(&self, key: &str) -> Option<String> {
        let value = self.head.get(key)?;
        let first = match value {
            Value::Sequence(values) => values.first()?,
            single => single,
        };
        let is_plain = |character: &char| !character.is_control();
        Some(first.as_str()?.trim().chars().filter(is_plain).collect())
            .filter(|text: &String| !text.is_empty())
    }
}

fn beginning(path: &Path) -> Option<String> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(LOOKED_AT).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The YAML between two lines `---` at the beginning of a text; empty where there is none.
fn front_matter(text: &str) -> Mapping {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    if lines.next().map(str::trim_end) != Some("---") {
        return Mapping::new();
    }
    let head: Vec<&str> = lines.take_while(|line| line.trim_end() != "---").collect();
    serde_yaml_ng::from_str(&head.join("\n")).unwrap_or_default()
}

fn licence_of(text: &str) -> Option<&'static str> {
    let words: Vec<&str> = text.split_whitespace().take(LICENCE_WORDS).collect();
    let beginning = words.join(" ");
    let known = LICENCE_TEXTS.iter().find(|(words, _)| beginning.contains(words));
    known.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_readme_is_understood_as_far_as_it_matters() {
        let text = "---\nlicense: 'apache-2.0'\ntags:\n- vision\n- image-classification\n# a note\nwidget:\n- src: x\n  \
                    text: y\npipeline_tag: image-classification\n---\n# ViT\nlicense: mit\n";
        let card = |text| Card {
            head: front_matter(text),
            licence: None,
        };
        assert_eq!(card(text).text("license").as_deref(), Some("apache-2.0"));
        assert_eq!(card(text).text("tags").as_deref(), Some("vision"));
        assert_eq!(card(text).text("widget"), None, "it is no text");
        assert_eq!(card(text).entry().tags, ["image-classification"]);
        for nothing in [
            "# no head\nlicense: mit\n",
            "---\n: [\n---\n",
            "---\n- a list\n---\n",
            "",
        ] {
            assert!(card(nothing).head.is_empty(), "{nothing}");
        }
    }

    #[test]
    fn a_licence_is_named_by_the_readme_or_by_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let license = || Card::read(folder.path()).entry().license;
        assert_eq!(license(), None);
        std::fs::write(folder.path().join("LICENSE"), "MIT License\n\nCopyright").unwrap();
        assert_eq!(license().as_deref(), Some("mit"));
        let gpl =
            "                    GNU GENERAL PUBLIC LICENSE\n                       Version 2, June 1991\n";
        std::fs::write(folder.path().join("LICENSE"), gpl).unwrap();
        assert_eq!(license().as_deref(), Some("gpl-2.0"));
        let readme = "---\nlicense: other\nlicense_name: sam-license\n---\n";
        std::fs::write(folder.path().join(README), readme).unwrap();
        assert_eq!(license().as_deref(), Some("sam-license"));
        std::fs::write(
            folder.path().join(README),
            "---\nlicense: \"\\e[31mcc-by-4.0\"\n---\n",
        )
        .unwrap();
        assert_eq!(license().as_deref(), Some("[31mcc-by-4.0"));
    }
}
