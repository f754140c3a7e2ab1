//! Reading a manifest: limits, positions, and the leniencies that real manifests need.
use super::{LARGEST_MANIFEST, Manifest, error::ManifestError};
use serde::de::{Deserialize, Deserializer, Error as _};
use std::{io::Read as _, path::Path};

pub(super) fn load(path: &Path) -> Result<Manifest, ManifestError> {
    let failed = |source| ManifestError::Read {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    if size > LARGEST_MANIFEST {
        return Err(ManifestError::TooLarge {
            path: path.to_owned(),
            size,
            limit: LARGEST_MANIFEST,
        });
    }
    let mut content = Vec::new();
    // The limit holds for a file that grows, or whose size is not known, too.
    file.take(LARGEST_MANIFEST + 1)
        .read_to_end(&mut content)
        .map_err(failed)?;
    parse(&content, path)
}

pub(super) fn parse(content: &[u8], path: &Path) -> Result<Manifest, ManifestError> {
    let path_owned = || path.to_owned();
    let size = content.len() as u64;
    if size > LARGEST_MANIFEST {
        return Err(ManifestError::TooLarge {
            path: path_owned(),
            size,
            limit: LARGEST_MANIFEST,
        });
    }
    let text = std::str::from_utf8(content).map_err(|error| {
        let before = &content[..error.valid_up_to()];
        let line_start = before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |index| index + 1);
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        ManifestError::NotUtf8 {
            path: path_owned(),
            line,
            column: before.len() - line_start + 1,
        }
    })?;
    // Editors on Windows put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| {
        let position = format!(" at line {} column {}", error.line(), error.column());
        let message = error.to_string();
        let message = message.strip_suffix(&position).unwrap_or(&message).to_owned();
        ManifestError::Malformed {
            path: path_owned(),
            line: error.line(),
            column: error.column(),
            message,
        }
    })
}

/// `null` stands for a missing field.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A text; `null` and the empty text stand for a missing field.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

pub(super) fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let version = text(deserializer)?;
    if let Some(version) = &version {
        check_name(version, "version").map_err(D::Error::custom)?;
    }
    Ok(version)
}

pub(super) fn base_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    check_name(&name, "base_name").map_err(D::Error::custom)?;
    Ok(name)
}

pub(super) fn base_filename<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    relative(deserializer, "base_filename")
}

pub(super) fn expected<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    relative(deserializer, "expected")
}

fn relative<'de, D: Deserializer<'de>>(deserializer: D, field: &str) -> Result<Option<String>, D::Error> {
    let name = text(deserializer)?;
    if let Some(name) = &name {
        check_relative(name, field).map_err(D::Error::custom)?;
    }
    Ok(name)
}

/// A name is typed, printed in tables and split at `@`.
fn check_name(name: &str, field: &str) -> Result<(), String> {
    let refuse = |reason: &str| Err(format!("{field} `{}` {reason}", name.escape_debug()));
    if name.trim().is_empty() {
        return Err(format!("{field} is empty"));
    }
    if name.contains('@') {
        return refuse("contains `@`, which separates a name from its version");
    }
    if name.chars().any(char::is_control) || name.trim() != name {
        return refuse("contains control characters, or spaces at its ends");
    }
    Ok(())
}

/// A path inside a folder that others choose: it must not lead out of it.
pub(super) fn check_relative(path: &str, field: &str) -> Result<(), String> {
    let is_inside = !path.is_empty()
        && path.trim_end_matches('/').split('/').all(|part| {
            !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']) && !part.contains('\0')
        });
    if is_inside {
        Ok(())
    } else {
        Err(format!(
            "{field} `{}` is not a relative path inside its folder",
            path.escape_debug()
        ))
    }
}
