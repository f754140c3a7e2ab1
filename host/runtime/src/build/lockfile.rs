//! Adjusting a plugin's Cargo.lock to the host's SDK, and to nothing else.

use super::sdk::SdkCrate;
use semver::{Version, VersionReq};
use toml_edit::{ArrayOfTables, DocumentMut, Table};

/// Takes the pins of the SDK's crates out of a lock file, so that cargo resolves these to the host's own; all other
/// pins stay. A pin that asks for more than the host has stays as well, and the registry then has to serve it.
///
/// A text that is no lock file is given back as it is: cargo explains best what is wrong with it.
pub(super) fn without_sdk(text: &str, sdk: &[SdkCrate]) -> String {
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return text.to_owned();
    };
    if let Some(packages) = document
        .get_mut("package")
        .and_then(|item| item.as_array_of_tables_mut())
    {
        retain(packages, |package| !is_served(package, sdk));
    }
    // These are remarks of the cargo that wrote the file.
    document.remove("patch");
    document.to_string()
}

/// Whether a lock file pins the crate `name` from `origin`.
pub(super) fn has(text: &str, name: &str, origin: &str) -> bool {
    let Ok(document) = text.parse::<DocumentMut>() else {
        return false;
    };
    let packages = document.get("package").and_then(|item| item.as_array_of_tables());
    packages.into_iter().flatten().any(|package| {
        let is = |key, value| package.get(key).and_then(|item| item.as_str()) == Some(value);
        is("name", name) && is("source", origin)
    })
}

/// Whether the host's SDK can stand in for a pinned package.
fn is_served(package: &Table, sdk: &[SdkCrate]) -> bool {
    let text = |key| {
        package
            .get(key)
            .and_then(|item| item.as_str())
            .unwrap_or_default()
    };
    let Ok(pinned) = Version::parse(text("version")) else {
        return false;
    };
    sdk.iter().any(|one| {
        // A caret requirement on the pinned version: the same major version, and not older.
        one.name == text("name")
            && VersionReq::parse(&pinned.to_string())
                .is_ok_and(|requirement| requirement.matches(&one.version))
    })
}

fn retain(tables: &mut ArrayOfTables, keep: impl Fn(&Table) -> bool) {
    let left_out: Vec<usize> = (0..tables.len())
        .filter(|&index| tables.get(index).is_some_and(|table| !keep(table)))
        .collect();
    for index in left_out.into_iter().rev() {
        tables.remove(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"version = 4

[[package]]
name = "modelzoo-plugin-api"
version = "0.1.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "00"
dependencies = ["serde"]

[[package]]
name = "serde"
version = "1.0.200"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "11"

[[patch.unused]]
name = "modelzoo-kernels"
version = "0.1.0"
"#;

    fn sdk(version: &str) -> [SdkCrate; 1] {
        [SdkCrate::named(
            "modelzoo-plugin-api",
            Version::parse(version).unwrap(),
        )]
    }

    #[test]
    fn only_pins_that_the_sdk_serves_are_taken_out() {
        let adjusted = without_sdk(LOCK, &sdk("0.1.3"));
        assert!(!adjusted.contains("modelzoo-plugin-api"), "{adjusted}");
        assert!(!adjusted.contains("patch.unused"), "{adjusted}");
        assert!(adjusted.contains("version = \"1.0.200\""), "{adjusted}");
        for incompatible in ["0.0.9", "0.2.0", "1.0.0"] {
            assert!(
                without_sdk(LOCK, &sdk(incompatible)).contains("modelzoo-plugin-api"),
                "{incompatible}"
            );
        }
    }

    #[test]
    fn what_is_no_lock_file_stays_for_cargo_to_explain() {
        assert_eq!(without_sdk("[[[", &sdk("0.1.0")), "[[[");
    }
}
