//! Shards: parts of an input that processes on any machines work on without talking to each other.
//!
//! Which sample is whose follows from its name alone ([`Shard::takes`]). Each process writes a file of its own
//! ([`Shard::path_of`]), and when that is whole a record beside it that says what it is ([`ShardRecord`]). A [`ShardSet`]
//! puts the files together as one run would have written them.

mod error;
mod record;
mod set;

use modelzoo_base::Sha256Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    fmt,
    num::NonZeroU32,
    path::{Component, Path, PathBuf},
    str::FromStr,
};

pub use error::ShardError;
pub use record::ShardRecord;
pub use set::ShardSet;

/// More shards than this have no name: their numbers have five digits.
const MOST_SHARDS: u32 = 99_999;

/// One of several shards: `3/32` is the third of thirty-two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    count: NonZeroU32,
    number: NonZeroU32,
}

/// A text that names no shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a shard has the form I/N, counted from 1: 1/4 to 4/4 are the shards of four")]
pub struct ParseShardError;

impl Shard {
    /// What shards are explained with.
    const FIRST_OF_FOUR: Self = Self {
        count: NonZeroU32::new(4).expect("four is not zero"),
        number: NonZeroU32::MIN,
    };

    /// Which one it is, counted from 1.
    pub fn number(self) -> u32 {
        self.number.get()
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.count.get()
    }

    /// All shards that belong together with this one, itself included.
    pub fn all(self) -> impl Iterator<Item = Self> {
        let numbers = (1..=self.count.get()).filter_map(NonZeroU32::new);
        numbers.map(move |number| Self { number, ..self })
    }

    /// Whether the sample of this name below the input is one of the shard's. The answer is the same on every machine: it
    /// depends on the names of the folders and the file alone.
    pub fn takes(self, name: &Path) -> bool {
        let mut text = Vec::new();
        for component in name.components() {
            if let Component::Normal(part) = component {
                text.push(b'/');
                text.extend_from_slice(part.as_encoded_bytes());
            }
        }
        let digest = Sha256Digest::of(&text);
        let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
        let hash = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        hash % u64::from(self.count.get()) == u64::from(self.number.get() - 1)
    }

    /// Where the shard's part of `path` is: `labels-00003-of-00032.jsonl` of `labels.jsonl`.
    pub fn path_of(self, path: &Path) -> PathBuf {
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{:05}-of-{:05}", self.number, self.count));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    }
}

impl FromStr for Shard {
    type Err = ParseShardError;

    fn from_str(text: &str) -> Result<Self, ParseShardError> {
        let (number, count) = text.split_once('/').ok_or(ParseShardError)?;
        let parse = |text: &str| text.parse::<NonZeroU32>().map_err(|_| ParseShardError);
        let (number, count) = (parse(number)?, parse(count)?);
        match number <= count && count.get() <= MOST_SHARDS {
            true => Ok(Self { count, number }),
            false => Err(ParseShardError),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.count)
    }
}

impl Serialize for Shard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shard(text: &str) -> Shard {
        text.parse().unwrap()
    }

    #[test]
    fn shards_are_counted_from_one() {
        assert_eq!(shard("3/32").to_string(), "3/32");
        for text in [
            "", "1", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/100000", "1/2/3", "1.0/2",
        ] {
            assert_eq!(text.parse::<Shard>(), Err(ParseShardError), "{text}");
        }
        let all: Vec<String> = shard("2/3").all().map(|shard| shard.to_string()).collect();
        assert_eq!(all, ["1/3", "2/3", "3/3"]);
    }

    #[test]
    fn each_has_a_file_of_its_own() {
        let path = |path: &str| shard("3/32").path_of(Path::new(path));
        assert_eq!(
            path("out/labels.jsonl"),
            Path::new("out/labels-00003-of-00032.jsonl")
        );
        assert_eq!(path("a.b.parquet"), Path::new("a.b-00003-of-00032.parquet"));
        assert_eq!(path("labels"), Path::new("labels-00003-of-00032"));
    }

    #[test]
    fn the_division_is_the_same_for_ever() {
        let owner = |name: &str| {
            let all = shard("1/7").all();
            all.filter(|shard| shard.takes(Path::new(name)))
                .map(Shard::number)
                .collect::<Vec<_>>()
        };
        assert_eq!(owner("a/1.jpg"), owner("./a/1.jpg"));
        // Computed with Python's hashlib: int(sha256(b"/a/1.jpg").hexdigest()[:16], 16) % 7 + 1.
        assert_eq!(owner("a/1.jpg"), [6]);
        assert_eq!(owner("b.png"), [4]);
    }

    proptest! {
        #[test]
        fn every_sample_is_of_exactly_one_shard(name in ".{0,40}", count in 1u32..40) {
            let first = shard(&format!("1/{count}"));
            let owners = first.all().filter(|shard| shard.takes(Path::new(&name))).count();
            prop_assert_eq!(owners, 1);
        }
    }
}
