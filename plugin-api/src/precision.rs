//! What a model computes with.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What the sums of a model's layers are made from: `f32`, `bf16`, `int8`, or `auto`.
///
/// A model that does not know a precision computes with `f32`, and says so in [`ModelInfo`](crate::ModelInfo).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Message", into = "String")]
#[non_exhaustive]
pub enum Precision {
    /// Numbers of 24 binary digits: the same results, but for rounding, as the network that was trained.
    #[default]
    F32,
    /// bf16 where the machine multiplies them faster, and else `f32`.
    Auto,
    /// Numbers of 8 binary digits, whose sums are `f32`.
    Bf16,
    /// Whole numbers of one byte, whose sums are exact, in the layers where that makes little difference. What the bytes stand
    /// for is found on pictures: [`Calibration`](crate::Calibration).
    Int8,
}

impl Precision {
    /// All of them, as users write them.
    pub const NAMES: [&str; 4] = ["f32", "auto", "bf16", "int8"];
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F32 => "f32",
            Self::Auto => "auto",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        })
    }
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, UnknownPrecision> {
        match text {
            "f32" => Ok(Self::F32),
            "auto" => Ok(Self::Auto),
            "bf16" => Ok(Self::Bf16),
            "int8" => Ok(Self::Int8),
            _ => Err(UnknownPrecision(text.to_owned())),
        }
    }
}

/// A precision as a host sends it, who may be newer than this plugin: what is not known here is `f32`.
#[derive(Deserialize)]
struct Message(String);

impl From<Message> for Precision {
    fn from(message: Message) -> Self {
        message.0.parse().unwrap_or_default()
    }
}

impl From<Precision> for String {
    fn from(precision: Precision) -> Self {
        precision.to_string()
    }
}

/// A precision that is none of those there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPrecision(String);

impl fmt::Display for UnknownPrecision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "there is no precision {:?}: it must be f32, auto, bf16 or int8",
            self.0
        )
    }
}

impl std::error::Error for UnknownPrecision {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_round_and_those_of_newer_hosts_are_f32() {
        for name in Precision::NAMES {
            assert_eq!(name.parse::<Precision>().unwrap().to_string(), name);
        }
        assert!("f64".parse::<Precision>().is_err());
        let read = |text| serde_json::from_str::<Precision>(text).unwrap();
        assert_eq!(
            (read(r#""bf16""#), read(r#""int4""#)),
            (Precision::Bf16, Precision::F32)
        );
    }
}
