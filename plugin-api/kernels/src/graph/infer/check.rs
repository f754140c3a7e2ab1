//! What several layers check.

use super::super::{Problem, Shape, Weight};
use std::fmt::Display;

pub(super) fn setting(name: &'static str, expected: impl Into<String>, found: impl Display) -> Problem {
    Problem::Setting {
        setting: name,
        expected: expected.into(),
        found: found.to_string(),
    }
}

pub(super) fn need(
    holds: bool,
    name: &'static str,
    expected: impl Into<String>,
    found: impl Display,
) -> Result<(), Problem> {
    if holds {
        Ok(())
    } else {
        Err(setting(name, expected, found))
    }
}

pub(super) fn dimensions(parameter: &'static str, expected: impl Into<String>, weight: &Weight) -> Problem {
    Problem::Dimensions {
        parameter,
        expected: expected.into(),
        found: weight.dims().to_vec(),
    }
}

pub(super) fn single(operands: &[Shape]) -> Result<Shape, Problem> {
    match *operands {
        [shape] => Ok(shape),
        _ => Err(setting("operands", "1", operands.len())),
    }
}

pub(super) fn pair(operands: &[Shape]) -> Result<(Shape, Shape), Problem> {
    match *operands {
        [left, right] => Ok((left, right)),
        _ => Err(setting("operands", "2", operands.len())),
    }
}

/// Channels, height and width of a map.
pub(super) fn map_dims(shape: Shape) -> Result<(usize, usize, usize), Problem> {
    match shape {
        Shape::Map {
            channels,
            height,
            width,
        } => Ok((channels, height, width)),
        found => Err(Problem::Kind {
            expected: "a map",
            found,
        }),
    }
}

/// Count and features of tokens.
pub(super) fn tokens_dims(shape: Shape) -> Result<(usize, usize), Problem> {
    match shape {
        Shape::Tokens { count, features } => Ok((count, features)),
        found => Err(Problem::Kind {
            expected: "tokens",
            found,
        }),
    }
}

/// Tokens or a vector.
pub(super) fn no_map(shape: Shape) -> Result<(), Problem> {
    match shape {
        Shape::Map { .. } => Err(Problem::Kind {
            expected: "tokens or a vector",
            found: shape,
        }),
        _ => Ok(()),
    }
}

/// The data is as long as the dimensions say, and not empty.
pub(super) fn check_weight(parameter: &'static str, weight: &Weight) -> Result<(), Problem> {
    let found = weight.data().len();
    let expected = weight.elements().unwrap_or(usize::MAX);
    if found != expected {
        return Err(Problem::Length {
            parameter,
            dims: weight.dims().to_vec(),
            expected,
            found,
        });
    }
    if found == 0 {
        return Err(dimensions(parameter, "at least 1 in each dimension", weight));
    }
    Ok(())
}

/// One value for each channel.
pub(super) fn check_vector(parameter: &'static str, weight: &Weight, channels: usize) -> Result<(), Problem> {
    check_weight(parameter, weight)?;
    if weight.dims() == [channels] {
        Ok(())
    } else {
        Err(dimensions(parameter, format!("[{channels}]"), weight))
    }
}
