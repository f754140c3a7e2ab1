//! Folders, manifests and archives on this machine.
use super::World;
use crate::source::SourceError;
use std::path::Path;

#[test]
fn a_local_folder_is_used_in_place() {
    let world = World::new();
    let folder = world.folder.path().join("mine");
    std::fs::create_dir_all(folder.join("target")).unwrap();
    std::fs::create_dir_all(folder.join(".git")).unwrap();
    std::fs::write(
        folder.join("manifest.json"),
        "{\"models\": [{\"base_name\": \"mine\"}]}",
    )
    .unwrap();
    std::fs::write(folder.join("Cargo.toml"), "[package]").unwrap();
    let spelling = folder.to_str().unwrap();
    let source = world.resolve(spelling).unwrap();
    assert_eq!(
        (source.root.clone(), source.commit.is_none()),
        (folder.canonicalize().unwrap(), true)
    );
    assert!(source.manifests[0].has_plugin());
    // What is built, or Git's, does not count; the rest does.
    std::fs::write(folder.join("target/x"), "x").unwrap();
    std::fs::write(folder.join(".git/x"), "x").unwrap();
    assert_eq!(world.resolve(spelling).unwrap().tree_hash, source.tree_hash);
    std::fs::write(folder.join("lib.rs"), "x").unwrap();
    assert_ne!(world.resolve(spelling).unwrap().tree_hash, source.tree_hash);
}

#[test]
fn a_manifest_of_ones_own_models_is_a_source() {
    let world = World::new();
    let path = world.folder.path().join("my-models.json");
    std::fs::write(&path, "{\"models\": [{\"base_name\": \"mine\"}]}").unwrap();
    std::fs::write(world.folder.path().join("anything-else"), "1").unwrap();
    let source = world.resolve(path.to_str().unwrap()).unwrap();
    assert_eq!(
        (source.models().count(), source.manifests[0].has_plugin()),
        (1, false)
    );
    // What else is in the folder does not matter until there is a plugin.
    std::fs::write(world.folder.path().join("anything-else"), "2").unwrap();
    assert_eq!(
        world.resolve(path.to_str().unwrap()).unwrap().tree_hash,
        source.tree_hash
    );
    std::fs::create_dir(world.folder.path().join("empty")).unwrap();
    let error = world
        .resolve(world.folder.path().join("empty").to_str().unwrap())
        .unwrap_err();
    assert!(matches!(error, SourceError::NoManifest { .. }));
}

/// A `.tar` of one folder with a manifest that declares one model.
fn write_archive(path: &Path, model: &str) {
    let mut archive = tar::Builder::new(std::fs::File::create(path).unwrap());
    let manifest = format!("{{\"models\": [{{\"base_name\": \"{model}\"}}]}}");
    for name in ["repo-1/manifest.json", "repo-1/models/a/manifest.json"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(manifest.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, name, manifest.as_bytes())
            .unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn archives_by_url_and_by_path() {
    let mut world = World::new();
    let archive = world.folder.path().join("repo.tar");
    write_archive(&archive, "one");
    let url = format!("file://{}", archive.display());
    let source = world.resolve(&url).unwrap();
    assert!(source.fetched && source.root.ends_with("tree/repo-1") && source.commit.is_none());
    assert_eq!(
        (source.identity.as_str(), source.models().count()),
        (url.as_str(), 1)
    );
    assert_eq!(
        world.resolve(&format!("{url}//models/a")).unwrap().path,
        source.root.join("models/a")
    );
    let by_path = world.resolve(archive.to_str().unwrap()).unwrap();
    assert_eq!((by_path.tree_hash, by_path.root), (source.tree_hash, source.root));

    // An archive is downloaded once, until one asks whether it changed.
    write_archive(&archive, "two");
    assert!(!world.resolve(&url).unwrap().fetched);
    assert_eq!(world.model(&url), "one");
    world.refresh = true;
    assert_eq!(world.model(&url), "two");
    world.offline = true;
    assert_eq!(world.model(&url), "two");
    assert_eq!(std::fs::read_dir(world.store.temporary_dir()).unwrap().count(), 0);
}

#[test]
fn harmful_archives_do_not_reach_the_store() {
    let world = World::new();
    let archive = world.folder.path().join("bad.tar.gz");
    std::fs::write(&archive, "<html>").unwrap();
    let url = format!("file://{}", archive.display());
    for named in [archive.to_str().unwrap(), &url] {
        let error = world.resolve(named).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read the archive {named}"));
    }
    // What came whole and is of no use is not kept.
    assert_eq!(std::fs::read_dir(world.store.temporary_dir()).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(world.store.sources_dir()).unwrap().count(), 0);
}
