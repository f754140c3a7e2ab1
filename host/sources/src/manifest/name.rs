//! Names of models: `base_name[@version]`, and which version is the newest.
use std::{cmp::Ordering, fmt};

/// A model's name in its parts. The version is whatever follows the last `@`, so dots in names are safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ModelName<'a> {
    /// The name without the version.
    pub base: &'a str,
    /// The version, where there is one.
    pub version: Option<&'a str>,
}

impl<'a> ModelName<'a> {
    /// Splits a name.
    pub fn parse(text: &'a str) -> Self {
        match text.rsplit_once('@') {
            Some((base, version)) => Self {
                base,
                version: Some(version),
            },
            None => Self {
                base: text,
                version: None,
            },
        }
    }
}

impl fmt::Display for ModelName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(formatter, "{}@{version}", self.base),
            None => formatter.write_str(self.base),
        }
    }
}

/// The entry that `wanted` names: exactly, when it has a version; else the newest of its base name.
/// The first of equals wins.
pub(crate) fn resolve<'e, E>(
    wanted: &str,
    entries: impl Iterator<Item = &'e E>,
    name_of: impl Fn(&'e E) -> ModelName<'e>,
) -> Option<&'e E> {
    let wanted = ModelName::parse(wanted);
    let mut best: Option<&'e E> = None;
    for entry in entries {
        let name = name_of(entry);
        if name.base != wanted.base {
            continue;
        }
        if wanted.version.is_some() {
            if name == wanted {
                return Some(entry);
            }
        } else if best.is_none_or(|best| newer(name, name_of(best))) {
            best = Some(entry);
        }
    }
    best
}

fn newer(name: ModelName<'_>, than: ModelName<'_>) -> bool {
    compare_versions(
        name.version.unwrap_or(UNVERSIONED),
        than.version.unwrap_or(UNVERSIONED),
    ) == Ordering::Greater
}

/// What a model without a version counts as.
const UNVERSIONED: &str = "0.0.0";

/// The order of loose versions: numbers by value (1.10 is newer than 1.9), words by letters, a longer version after
/// its own beginning. Where a number meets a word, the number is the newer.
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    parts(a).cmp(parts(b))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Word(&'a str),
    /// Digits without leading zeros: the longer is the greater, so no number is too large.
    Number(usize, &'a str),
}

/// The runs of digits and of letters in a version; all else separates.
fn parts(version: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = version;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = rest.chars().next()?;
        let is_number = first.is_ascii_digit();
        let end = rest
            .find(|c: char| !c.is_alphanumeric() || c.is_ascii_digit() != is_number)
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(if is_number {
            let digits = part.trim_start_matches('0');
            Part::Number(digits.len(), digits)
        } else {
            Part::Word(part)
        })
    })
}
