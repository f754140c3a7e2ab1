//! The plugin's Cargo.toml, before cargo sees it.

use super::BuildError;
use fs_err as fs;
use modelzoo_base::file;
use std::path::{Component, Path, PathBuf};
use toml_edit::{DocumentMut, Item};

/// Prepares the manifest of the copy in `folder`: refuses path dependencies that leave the source, which cargo would
/// only not find, and makes the crate a workspace of its own where it is in none, because cargo would look for one in
/// the folders above.
pub(super) fn prepare(folder: &Path) -> Result<(), BuildError> {
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(BuildError::file("read", &manifest))?;
    let Ok(parsed) = text.parse::<DocumentMut>() else {
        // Cargo explains best what is wrong with it.
        return Ok(());
    };
    if let Some(outside) = path_outside(parsed.as_item(), false) {
        return Err(BuildError::PointsOutside {
            from: PathBuf::from("Cargo.toml"),
            to: outside,
        });
    }
    if parsed.contains_key("workspace") {
        return Ok(());
    }
    // The copy may be read-only, as its original is: it is replaced, and not written to.
    file::write(&manifest, format!("{}\n\n[workspace]\n", text.trim_end()))
        .map_err(BuildError::file("write", &manifest))
}

/// The first `path` of a dependency that leaves the source. `is_dependency` says whether `item` lies below a table of
/// dependencies or patches.
fn path_outside(item: &Item, is_dependency: bool) -> Option<PathBuf> {
    let table = item.as_table_like()?;
    let own = table.get("path").and_then(Item::as_str).filter(|_| is_dependency);
    if let Some(path) = own.filter(|path| leaves(Path::new(path))) {
        return Some(PathBuf::from(path));
    }
    table.iter().find_map(|(key, item)| {
        let is_dependency =
            is_dependency || key.ends_with("dependencies") || key == "patch" || key == "replace";
        path_outside(item, is_dependency)
    })
}

/// Whether a relative path leads out of the folder that it starts in; an absolute one always does.
fn leaves(path: &Path) -> bool {
    let mut depth = 0usize;
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(manifest: &str) -> Result<String, BuildError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Cargo.toml");
        fs::write(&path, manifest).unwrap();
        prepare(folder.path())?;
        // Preparing twice changes nothing more.
        prepare(folder.path())?;
        Ok(fs::read_to_string(path).unwrap())
    }

    #[test]
    fn a_crate_becomes_a_workspace_once() {
        let text = prepared("[package]\nname = \"x\"").unwrap();
        assert_eq!(text.matches("[workspace]").count(), 1, "{text}");
        let own = "[package]\nname = \"x\"\n[workspace]\n";
        assert_eq!(prepared(own).unwrap(), own);
        assert_eq!(prepared("[package").unwrap(), "[package");
    }

    #[test]
    fn dependencies_outside_of_the_source_are_refused_wherever_they_stand() {
        for outside in [
            "[dependencies]\nx = { path = \"../x\" }",
            "[dependencies.x]\npath = \"/x\"",
            "[target.'cfg(unix)'.build-dependencies]\nx = { path = \"in/../../x\" }",
            "[workspace.dependencies]\nx = { path = \"..\" }",
            "[patch.crates-io]\nx = { path = \"../x\" }",
        ] {
            let error = prepared(outside).unwrap_err();
            assert!(
                matches!(error, BuildError::PointsOutside { .. }),
                "{outside}: {error}"
            );
        }
        for inside in [
            "[dependencies]\nx = { path = \"in/../x\" }",
            "[lib]\npath = \"../x.rs\"",
        ] {
            prepared(inside).unwrap();
        }
    }
}
