//! A number of bytes that something may take, as people write it.

use super::machine::usable_memory;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The units that a size may have, and their bytes. Case does not matter.
const UNITS: [(&str, u64); 9] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("b", 1),
];

/// What is taken of the memory where nobody says how much.
const PART_OF_MACHINE: u64 = 4;

/// The budget where it cannot be told how much memory there is.
const ELSEWHERE: MemoryBudget = MemoryBudget(1_000_000_000);

/// How many bytes something may take: a size such as `500MB` or `2GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemoryBudget(u64);

/// What is no budget: it says what one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is a size from {} on, such as 500MB or 2GiB", MemoryBudget::LEAST)]
pub struct MemoryBudgetError(());

impl MemoryBudget {
    /// The smallest one: a photograph of 10 megapixels takes nearly as much while it is turned.
    pub const LEAST: Self = Self(64_000_000);

    /// A quarter of the memory that this process may use ([`usable_memory`]), but [`LEAST`](Self::LEAST) at least. It does not
    /// depend on what other programs do, so that it is the same at each run.
    pub fn of_machine() -> Self {
        match usable_memory() {
            Some(bytes) => Self(bytes / PART_OF_MACHINE).max(Self::LEAST),
            None => ELSEWHERE,
        }
    }

    /// The number of bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for MemoryBudget {
    type Error = MemoryBudgetError;

    fn try_from(bytes: u64) -> Result<Self, MemoryBudgetError> {
        let budget = Self(bytes);
        (budget >= Self::LEAST)
            .then_some(budget)
            .ok_or(MemoryBudgetError(()))
    }
}

impl FromStr for MemoryBudget {
    type Err = MemoryBudgetError;

    fn from_str(text: &str) -> Result<Self, MemoryBudgetError> {
        bytes(text).ok_or(MemoryBudgetError(()))?.try_into()
    }
}

impl TryFrom<String> for MemoryBudget {
    type Error = MemoryBudgetError;

    fn try_from(text: String) -> Result<Self, MemoryBudgetError> {
        text.parse()
    }
}

impl From<MemoryBudget> for String {
    fn from(budget: MemoryBudget) -> Self {
        budget.to_string()
    }
}

impl fmt::Display for MemoryBudget {
    /// With the largest unit of which it is a whole number.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, bytes) = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1)]
            .into_iter()
            .find(|&(_, bytes)| self.0.is_multiple_of(bytes))
            .unwrap_or(("B", 1));
        write!(formatter, "{}{name}", self.0 / bytes)
    }
}

/// The bytes that a text means: a number and a unit, or a number of bytes.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let end = text
        .find(|letter: char| letter != '.' && !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim_start() {
        "" => 1,
        unit => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(unit),
        Err(_) => {
            let bytes = (number.parse::<f64>().ok()? * unit as f64).round();
            // Beyond this, nobody means a part of anything.
            (bytes < u64::MAX as f64).then_some(bytes as u64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, expected) in [
            ("500MB", 500_000_000),
            ("2GiB", 2 << 30),
            ("1.5 gb", 1_500_000_000),
            ("1.001GB", 1_001_000_000),
            ("64000000", 64_000_000),
            ("100000 KB", 100_000_000),
            (" 1tib ", 1 << 40),
        ] {
            assert_eq!(text.parse().map(MemoryBudget::bytes), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_or_too_little_is_refused() {
        for text in [
            "0",
            "-5",
            "-5GB",
            "abc",
            "1MB",
            "",
            "MB",
            "1.2.3GB",
            "inf",
            "NaN",
            "5 elephants",
            "1e9",
            "99999999999TB",
            "63999999",
            "500M B",
            ".",
        ] {
            let told = text.parse::<MemoryBudget>().map_err(|error| error.to_string());
            let expected = "it is a size from 64MB on, such as 500MB or 2GiB";
            assert_eq!(told, Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_machines_own_is_the_same_each_time() {
        assert_eq!(MemoryBudget::of_machine(), MemoryBudget::of_machine());
        assert!(MemoryBudget::of_machine() >= MemoryBudget::LEAST);
    }

    proptest! {
        #[test]
        fn it_is_read_as_it_is_written(bytes in MemoryBudget::LEAST.0..) {
            let budget = MemoryBudget::try_from(bytes).unwrap();
            prop_assert_eq!(budget.to_string().parse(), Ok(budget));
        }

        #[test]
        fn no_text_is_read_with_a_panic(text in ".{0,20}") {
            let _ = text.parse::<MemoryBudget>();
        }
    }
}
