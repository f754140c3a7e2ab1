//! What a published model says of itself to people: the head of its README, and its licence.
use crate::manifest::ModelEntry;
use std::{collections::BTreeMap, io::Read as _, path::Path};

/// The file whose head describes a model (<https://huggingface.co/docs/hub/model-cards>).
pub(super) const README: &str = "README.md";

/// So much of a file is looked at.
const LOOKED_AT: u64 = 64 << 10;

/// Licences by the words in which their texts begin, and the names by which hubs call them.
const LICENCE_TEXTS: [(&str, &str); 5] = [
    ("Apache License", "apache-2.0"),
    ("MIT License", "mit"),
    ("BSD 3-Clause License", "bsd-3-clause"),
    ("GNU AFFERO GENERAL PUBLIC LICENSE", "agpl-3.0"),
    ("GNU GENERAL PUBLIC LICENSE", "gpl-3.0"),
];

/// The head of a README: YAML, of which keys with a text or with a list of texts are understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Card {
    values: BTreeMap<String, Vec<String>>,
    /// By the text of the licence, where the README names none.
    licence: Option<String>,
}

impl Card {
    /// Reads what a folder has; what cannot be read says nothing.
    pub(super) fn read(folder: &Path) -> Self {
        let readme = beginning(&folder.join(README)).unwrap_or_default();
        let licence = ["LICENSE", "LICENSE.txt"]
            .iter()
            .find_map(|name| licence_of(&beginning(&folder.join(name))?));
        Self {
            values: front_matter(&readme),
            licence,
        }
    }

    /// What a manifest would say of the model; its name is left open.
    pub(super) fn entry(self) -> ModelEntry {
        let text = |key: &str| self.values.get(key)?.first().cloned();
        // A licence that no list has goes by a name of its own.
        let licence = match text("license") {
            Some(other) if other == "other" => Some(text("license_name").unwrap_or(other)),
            named => named.or_else(|| self.licence.clone()),
        };
        ModelEntry {
            base_name: String::new(),
            base_filename: None,
            version: None,
            author: None,
            url: None,
            license: licence,
            source: None,
            description: None,
            tags: text("pipeline_tag").into_iter().collect(),
            size_bytes: None,
            date_added: None,
            requirements: None,
            manager: None,
            default_deployment_config_dict: None,
            training_data: Vec::new(),
            extra: serde_json::Map::new(),
        }
    }
}

fn beginning(path: &Path) -> Option<String> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(LOOKED_AT).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The keys of the outermost level between two lines `---`, with their texts.
fn front_matter(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut values = BTreeMap::<String, Vec<String>>::new();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    if lines.next().map(str::trim_end) != Some("---") {
        return values;
    }
    let mut key = None;
    for line in lines.take_while(|line| line.trim_end() != "---") {
        if let Some(item) = line.trim_start().strip_prefix("- ") {
            if let Some(key) = &key {
                values.entry(String::clone(key)).or_default().push(plain(item));
            }
        } else if let Some((name, value)) = line.split_once(':').filter(|_| !line.starts_with([' ', '#'])) {
            let value = plain(value);
            if !value.is_empty() {
                values.insert(name.to_owned(), vec![value]);
            }
            key = Some(name.to_owned());
        }
    }
    values
}

/// A scalar without the quotation marks around it, and without what a terminal would obey.
fn plain(value: &str) -> String {
    let value = value.trim();
    let value = value.trim_matches(['"', '\'']);
    value
        .chars()
        .filter(|character| !character.is_control())
        .collect()
}

fn licence_of(text: &str) -> Option<String> {
    let beginning: String = text.chars().take(400).collect();
    let known = LICENCE_TEXTS.iter().find(|(words, _)| beginning.contains(words));
    known.map(|(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_readme_is_understood_as_far_as_it_matters() {
        let text = "---\nlicense: 'apache-2.0'\ntags:\n- vision\n- image-classification\n# a note\nwidget:\n- src: x\n  \
                    text: y\npipeline_tag: image-classification\n---\n# ViT\nlicense: mit\n";
        let values = front_matter(text);
        assert_eq!(values["license"], ["apache-2.0"]);
        assert_eq!(values["tags"], ["vision", "image-classification"]);
        assert_eq!(values["pipeline_tag"], ["image-classification"]);
        assert!(front_matter("# no head\nlicense: mit\n").is_empty());
    }

    #[test]
    fn a_licence_is_named_by_the_readme_or_by_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let license = || Card::read(folder.path()).entry().license;
        assert_eq!(license(), None);
        std::fs::write(folder.path().join("LICENSE"), "MIT License\n\nCopyright").unwrap();
        assert_eq!(license().as_deref(), Some("mit"));
        let readme = "---\nlicense: other\nlicense_name: sam-license\n---\n";
        std::fs::write(folder.path().join(README), readme).unwrap();
        assert_eq!(license().as_deref(), Some("sam-license"));
        std::fs::write(
            folder.path().join(README),
            "---\nlicense: \u{1b}[31mcc-by-4.0\n---\n",
        )
        .unwrap();
        assert_eq!(license().as_deref(), Some("[31mcc-by-4.0"));
    }
}
