//! A JSON file of settings, read value by value: each error names the file, the key and what may stand there.

use modelzoo_plugin_api::{Error, ErrorKind, Result};
use serde_json::{Map, Value};
use std::{fs, io::Read, path::Path, sync::Arc};

/// The largest file of settings that is read; published ones have some thousand lines at most.
const MOST_BYTES: u64 = 16 << 20;

/// The largest number of anything: channels, layers, pixels of a side.
const MOST: u64 = 1 << 20;

/// The settings of a file, or of a section of it.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    file: Arc<Path>,
    /// The keys that lead to this section, each with a dot behind it.
    section: String,
    values: Map<String, Value>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is no JSON object.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut text = String::new();
        let read = fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text));
        read.map_err(|error| Error::new(format!("{} cannot be read: {error}", path.display())))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(Error::new(format!(
                "{} is larger than {} MiB: it is no file of settings",
                path.display(),
                MOST_BYTES >> 20
            )));
        }
        // Some editors put a mark before the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let values = serde_json::from_str(text)
            .map_err(|error| Error::new(format!("{} is no JSON object: {error}", path.display())))?;
        Ok(Self {
            file: path.into(),
            section: String::new(),
            values,
        })
    }

    /// The settings that a manifest has for a model.
    pub(crate) fn of_manifest(values: Map<String, Value>) -> Self {
        Self {
            file: Path::new("manifest.json").into(),
            section: "default_deployment_config_dict.config.".to_owned(),
            values,
        }
    }

    /// The same settings with one of another value.
    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        self.values.insert(key.to_owned(), value);
        self
    }

    /// Settings of a file that does not exist: all have their defaults.
    pub(crate) fn empty(file: &Path) -> Self {
        Self {
            file: file.into(),
            section: String::new(),
            values: Map::new(),
        }
    }

    /// Whether there is a value, and it is not `null`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// The keys that have a value.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str).filter(|key| self.has(key))
    }

    /// The value as it stands there; `null` counts as none.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// The settings in this object; `None` where there is none.
    pub(crate) fn section(&self, key: &str) -> Result<Option<Self>> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Object(values)) => Ok(Some(Self {
                file: self.file.clone(),
                section: format!("{}{key}.", self.section),
                values: values.clone(),
            })),
            Some(_) => Err(self.wrong(key, "an object")),
        }
    }

    /// The settings in this object, or none where there is no such object.
    pub(crate) fn section_or_empty(&self, key: &str) -> Result<Self> {
        Ok(self.section(key)?.unwrap_or_else(|| Self {
            section: format!("{}{key}.", self.section),
            ..Self::empty(&self.file)
        }))
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&str>> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(key, "a text")),
        }
    }

    /// A truth value.
    pub(crate) fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.value(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong(key, "true or false")),
        }
    }

    /// A finite number.
    pub(crate) fn number(&self, key: &str) -> Result<Option<f64>> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(number.as_f64()),
            Some(_) => Err(self.wrong(key, "a number")),
        }
    }

    /// A number that is added to variances: 0 to 1.
    pub(crate) fn epsilon(&self, key: &str, default: f64) -> Result<f64> {
        let epsilon = self.number(key)?.unwrap_or(default);
        if (0.0..=1.0).contains(&epsilon) {
            Ok(epsilon)
        } else {
            Err(self.wrong(key, "a number from 0 to 1"))
        }
    }

    /// A whole number of at least 1; `None` where there is none.
    pub(crate) fn count_of(&self, key: &str) -> Result<Option<usize>> {
        self.value(key)
            .map(|value| whole(value, 1).ok_or_else(|| self.wrong(key, &whole_number(1))))
            .transpose()
    }

    /// A whole number of at least 1.
    pub(crate) fn count(&self, key: &str, default: usize) -> Result<usize> {
        Ok(self.count_of(key)?.unwrap_or(default))
    }

    /// A whole number of at least 0.
    pub(crate) fn count_or_none(&self, key: &str, default: usize) -> Result<usize> {
        match self.value(key) {
            None => Ok(default),
            Some(value) => whole(value, 0).ok_or_else(|| self.wrong(key, &whole_number(0))),
        }
    }

    /// Whole numbers of at least 1, at least one of them.
    pub(crate) fn counts(&self, key: &str, default: &[usize]) -> Result<Vec<usize>> {
        let Some(value) = self.value(key) else {
            return Ok(default.to_vec());
        };
        let counts: Option<Vec<usize>> = value
            .as_array()
            .and_then(|values| values.iter().map(|value| whole(value, 1)).collect());
        counts
            .filter(|counts| !counts.is_empty() && counts.len() <= 1024)
            .ok_or_else(|| self.wrong(key, &format!("a list of whole numbers of 1 to {MOST}")))
    }

    /// As [`Config::counts`], exactly `N` of them.
    pub(crate) fn counts_of<const N: usize>(&self, key: &str, default: [usize; N]) -> Result<[usize; N]> {
        let counts = self.counts(key, &default)?;
        counts
            .try_into()
            .map_err(|_| self.wrong(key, &format!("a list of {N} whole numbers of 1 to {MOST}")))
    }

    /// Numbers, such as one for each channel.
    pub(crate) fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let numbers: Option<Vec<f64>> = value
            .as_array()
            .and_then(|values| values.iter().map(Value::as_f64).collect());
        numbers
            .map(Some)
            .ok_or_else(|| self.wrong(key, "a list of numbers"))
    }

    /// `[height, width]`: a whole number for both, or a list of two.
    pub(crate) fn size(&self, key: &str, default: [usize; 2]) -> Result<[usize; 2]> {
        match self.value(key) {
            None => Ok(default),
            Some(value) => {
                let one = whole(value, 1).map(|side| [side; 2]);
                let two = || match value.as_array()?.as_slice() {
                    [height, width] => Some([whole(height, 1)?, whole(width, 1)?]),
                    _ => None,
                };
                one.or_else(two)
                    .ok_or_else(|| self.wrong(key, &format!("{} or two of them", whole_number(1))))
            }
        }
    }

    /// An error for the value of `key`, which says what may stand there.
    pub(crate) fn wrong(&self, key: &str, expected: &str) -> Error {
        Error::new(format!(
            "`{}{key}` in {} is {}, but {expected} is needed",
            self.section,
            self.file.display(),
            self.values
                .get(key)
                .map_or_else(|| "missing".to_owned(), shortened)
        ))
    }

    /// An error for a value that is valid, but means something that cannot be done here.
    pub(crate) fn unsupported(&self, key: &str, expected: &str) -> Error {
        self.wrong(key, expected).with_kind(ErrorKind::Unsupported)
    }
}

fn whole_number(least: u64) -> String {
    format!("a whole number of {least} to {MOST}")
}

/// A whole number in the allowed range; `224.0` is one too.
fn whole(value: &Value, least: u64) -> Option<usize> {
    let number = value.as_u64().or_else(|| {
        value
            .as_f64()
            .filter(|number| number.fract() == 0.0 && *number >= 0.0)
            .map(|number| number as u64)
    })?;
    (least..=MOST).contains(&number).then_some(number as usize)
}

/// A value as it is shown in an error: the beginning of its JSON.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, text).unwrap();
        Config::open(&path).unwrap()
    }

    #[test]
    fn values_are_read_with_their_types() {
        let config = config(
            r#"{"a": 3, "b": [2, 4], "c": null, "d": 1e-5, "e": "gelu", "f": true, "g": {"h": 7}, "i": 16.0}"#,
        );
        assert_eq!(config.count("a", 1).unwrap(), 3);
        assert_eq!(config.count("c", 9).unwrap(), 9);
        assert_eq!(config.count("i", 1).unwrap(), 16);
        assert_eq!(config.size("a", [1, 1]).unwrap(), [3, 3]);
        assert_eq!(config.size("b", [1, 1]).unwrap(), [2, 4]);
        assert_eq!(config.counts_of("b", [0, 0]).unwrap(), [2, 4]);
        assert_eq!(config.epsilon("d", 0.0).unwrap(), 1e-5);
        assert_eq!(config.text("e").unwrap(), Some("gelu"));
        assert!(config.flag("f", false).unwrap());
        let section = config.section("g").unwrap().unwrap();
        assert_eq!(section.count("h", 1).unwrap(), 7);
    }

    #[test]
    fn a_mark_before_the_text_is_passed_over() {
        let config = config("\u{feff}{\"a\": 3}");
        assert_eq!(config.count("a", 1).unwrap(), 3);
    }

    #[test]
    fn a_wrong_value_is_named_with_its_file_and_section() {
        let config =
            config(r#"{"size": -3, "list": [1, 0], "section": {"flag": "yes"}, "large": 1e12, "eps": -1}"#);
        let message = config.count("size", 1).unwrap_err().to_string();
        assert!(
            message.starts_with("`size` in ") && message.contains("config.json is -3, but a whole number"),
            "{message}"
        );
        assert!(config.counts("list", &[]).is_err());
        let message = config.size("large", [1; 2]).unwrap_err().to_string();
        assert!(
            message.ends_with("but a whole number of 1 to 1048576 or two of them is needed"),
            "{message}"
        );
        assert!(config.count("large", 1).is_err());
        assert!(config.epsilon("eps", 0.0).is_err());
        assert!(config.counts_of("list", [1, 2, 3]).is_err());
        let section = config.section("section").unwrap().unwrap();
        let message = section.flag("flag", true).unwrap_err().to_string();
        assert!(message.starts_with("`section.flag` in "), "{message}");
    }

    #[test]
    fn what_is_no_json_object_is_one_clear_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        for text in ["", "[1]", "{\"a\": ", "\u{0}"] {
            fs::write(&path, text).unwrap();
            let message = Config::open(&path).unwrap_err().to_string();
            assert!(
                message.contains("is no JSON object") && !message.contains('\n'),
                "{message}"
            );
        }
        assert!(Config::open(&folder.path().join("none.json")).is_err());
    }
}
