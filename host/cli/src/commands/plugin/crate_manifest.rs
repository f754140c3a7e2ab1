//! The facts of a plugin's Cargo.toml that decide whether it can be built here.

use crate::terminal::{Failure, Result};
use std::path::Path;
use toml::{Table, Value};

/// The crate that every plugin needs.
pub const API_CRATE: &str = "modelzoo-plugin-api";

/// What a plugin's Cargo.toml says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrateManifest {
    /// The crate's name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The kinds of library that it builds.
    pub crate_types: Vec<String>,
    /// How it depends on [`API_CRATE`]; `None` when it does not.
    pub api: Option<ApiDependency>,
}

/// How a plugin depends on [`API_CRATE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiDependency {
    /// On a published version.
    Version(String),
    /// On a folder or a repository, which its users may not have.
    Elsewhere(String),
}

impl CrateManifest {
    /// Reads `Cargo.toml` in `folder`.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("Cargo.toml");
        let text = fs_err::read_to_string(&path)?;
        Self::parse(&text).map_err(|error| {
            let before = error
                .span()
                .and_then(|span| text.get(..span.start))
                .unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            Failure::new(format!(
                "{}:{line}: {}",
                path.display(),
                error.message().trim_end()
            ))
        })
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let table: Table = text.parse()?;
        let package = |key: &str| {
            let value = table.get("package")?.get(key)?;
            value.as_str().map(str::to_owned)
        };
        let crate_types = table.get("lib").and_then(|lib| {
            // Cargo understands both spellings.
            lib.get("crate-type").or_else(|| lib.get("crate_type"))
        });
        let dependency = table
            .get("dependencies")
            .and_then(|dependencies| dependencies.get(API_CRATE));
        let is_inherited = dependency.is_some_and(|value| value.get("workspace").is_some());
        let dependency = if is_inherited {
            table
                .get("workspace")
                .and_then(|workspace| workspace.get("dependencies")?.get(API_CRATE))
        } else {
            dependency
        };
        Ok(Self {
            name: package("name"),
            version: package("version"),
            crate_types: crate_types
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|kind| kind.as_str().map(str::to_owned))
                .collect(),
            api: dependency.map(ApiDependency::of),
        })
    }
}

impl ApiDependency {
    fn of(value: &Value) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        match text("path").or_else(|| text("git")) {
            Some(place) => Self::Elsewhere(place),
            None => Self::Version(
                value
                    .as_str()
                    .map(str::to_owned)
                    .or_else(|| text("version"))
                    .unwrap_or_else(|| "*".to_owned()),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_manifest_is_understood() {
        let text = "[package]\nname = \"a\"\nversion = \"0.2.0\"\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\
                    [dependencies]\nmodelzoo-plugin-api = \"0.1\"\n";
        let expected = CrateManifest {
            name: Some("a".to_owned()),
            version: Some("0.2.0".to_owned()),
            crate_types: vec!["cdylib".to_owned(), "rlib".to_owned()],
            api: Some(ApiDependency::Version("0.1".to_owned())),
        };
        assert_eq!(CrateManifest::parse(text).unwrap(), expected);
        assert_eq!(CrateManifest::parse("").unwrap(), CrateManifest::default());
        assert!(CrateManifest::parse("[package").is_err());
    }

    #[test]
    fn every_way_to_depend_is_understood() {
        let api = |text: &str| CrateManifest::parse(text).unwrap().api;
        let version = |text: &str| Some(ApiDependency::Version(text.to_owned()));
        let dependency = |value: &str| format!("[dependencies]\nmodelzoo-plugin-api = {value}\n");
        assert_eq!(api(&dependency("{ version = \"0.1.2\" }")), version("0.1.2"));
        assert_eq!(
            api(&dependency("{ path = \"../api\", version = \"0.1\" }")),
            Some(ApiDependency::Elsewhere("../api".to_owned()))
        );
        let inherited =
            dependency("{ workspace = true }") + "[workspace.dependencies]\nmodelzoo-plugin-api = \"0.3\"\n";
        assert_eq!(api(&inherited), version("0.3"));
        assert_eq!(api("[dependencies]\nserde = \"1\"\n"), None);
    }
}
