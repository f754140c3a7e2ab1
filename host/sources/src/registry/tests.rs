//! Registering, listing, finding, updating, and what a machine lacks.
use super::*;
use crate::{
    SourceRef,
    manifest::Manifest,
    source::{ResolvedSource, SourceCommit, SourceManifest},
    store::Store,
};
use modelzoo_base::{
    Sha256Digest,
    error::{Diagnose as _, NextStep},
};
use std::path::{Path, PathBuf};

struct World {
    folder: tempfile::TempDir,
    registry: Registry,
    store: Store,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new(folder.path().join("data"));
    let store = Store::open(folder.path().join("store")).unwrap();
    World {
        folder,
        registry,
        store,
    }
}

fn manifest(models: &str) -> Manifest {
    Manifest::parse(
        format!("{{\"models\": [{models}]}}").as_bytes(),
        Path::new("manifest.json"),
    )
    .unwrap()
}

impl World {
    /// A source as it would be after resolving, with `files` published in the store.
    fn source(&self, spelling: &str, models: &str, files: &[(&str, &str)]) -> ResolvedSource {
        let staging = self.store.stage().unwrap();
        let tree = staging.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        for (path, content) in files {
            std::fs::write(tree.join(path), content).unwrap();
        }
        let tree_hash = crate::tree::hash_folder(&tree, &|_| false).unwrap();
        let root = self.store.publish_source(&staging, &tree_hash).unwrap();
        let reference = SourceRef::parse(spelling).unwrap();
        ResolvedSource {
            identity: reference.identity(),
            reference,
            commit: Some(SourceCommit {
                id: Sha256Digest::of(models).to_string(),
                ref_name: None,
                committed_at: None,
            }),
            tree_hash,
            root: root.clone(),
            path: root.clone(),
            manifests: vec![SourceManifest {
                published: None,
                folder: root,
                manifest: manifest(models),
            }],
            omissions: Vec::new(),
            fetched: true,
            bundle: None,
        }
    }

    fn register(&self, spelling: &str, models: &str) {
        self.registry
            .register(&self.source(spelling, models, &[("Cargo.toml", models)]))
            .unwrap();
    }

    fn catalog(&self) -> Catalog {
        Catalog::load(&self.registry, &[]).unwrap()
    }
}

fn names(models: &[&CatalogModel]) -> Vec<String> {
    models.iter().map(|model| model.name().to_owned()).collect()
}

#[test]
fn sources_are_registered_found_and_removed_by_any_spelling() {
    let world = world();
    assert!(world.registry.sources().unwrap().is_empty());
    world.register("acme/models@v1", r#"{"base_name": "a"}"#);
    world.register("acme/models@v2", r#"{"base_name": "b"}"#);
    world.register("other/zoo//sub", r#"{"base_name": "c"}"#);
    let identities: Vec<_> = world
        .registry
        .sources()
        .unwrap()
        .into_iter()
        .map(|source| source.identity)
        .collect();
    assert_eq!(
        identities,
        ["github.com/acme/models", "github.com/other/zoo//sub"]
    );

    let spelling = SourceRef::parse("https://github.com/Acme/Models.git").unwrap();
    let found = world.registry.find(&spelling).unwrap();
    assert_eq!(
        (found.reference.to_string(), found.models().count()),
        ("acme/models@v2".into(), 1)
    );
    assert!(found.manifests[0].has_plugin);
    assert_eq!(
        found.folder(&world.store),
        Some(world.store.tree_path(&found.tree_hash.unwrap()))
    );

    world.register("acme/deep@feat/x//models/a", r#"{"base_name": "d"}"#);
    let browser = SourceRef::parse("https://github.com/acme/deep/tree/feat/x/models/a").unwrap();
    assert_eq!(world.registry.remove(&browser).unwrap().models().count(), 1);

    let wrong = SourceRef::parse("acme/model").unwrap();
    let error = world.registry.find(&wrong).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("did you mean `github.com/acme/models`"),
        "{error}"
    );
    world.registry.remove(&spelling).unwrap();
    assert!(world.registry.remove(&spelling).is_err());
    assert_eq!(names(&world.catalog().list(&ModelFilter::default())), ["c"]);
}

#[test]
fn a_damaged_record_hides_no_other() {
    let world = world();
    world.register("acme/models", r#"{"base_name": "a"}"#);
    std::fs::write(world.folder.path().join("data/sources/broken.json"), "{").unwrap();
    assert_eq!(world.registry.sources().unwrap().len(), 1);
}

#[test]
fn filters_are_all_tags_any_license_one_source_and_downloaded() {
    let world = world();
    world.register("acme/one", r#"
        {"base_name": "a", "base_filename": "a.bin", "tags": ["x", "y"], "license": "MIT, Apache 2.0"},
        {"base_name": "b", "tags": ["x"], "license": "GPL", "manager": {"type": "modelzoo.ModelManager", "config": {"file": "Cargo.toml"}}}"#);
    world.register("acme/two", r#"{"base_name": "c", "tags": ["y"]}"#);
    let catalog = world.catalog();
    let list = |filter: &ModelFilter<'_>| names(&catalog.list(filter));
    let strings = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(list(&ModelFilter::default()), ["a", "b", "c"]);
    assert_eq!(
        list(&ModelFilter {
            tags: strings(&["x", "y"]),
            ..ModelFilter::default()
        }),
        ["a"]
    );
    assert_eq!(
        list(&ModelFilter {
            licenses: strings(&["Apache 2.0", "GPL"]),
            ..ModelFilter::default()
        }),
        ["a", "b"]
    );
    let source = SourceRef::parse("https://github.com/acme/two/tree/main").unwrap();
    assert_eq!(
        list(&ModelFilter {
            source: Some(&source),
            ..ModelFilter::default()
        }),
        ["c"]
    );
    let unknown = SourceRef::parse("acme/three").unwrap();
    assert!(
        list(&ModelFilter {
            source: Some(&unknown),
            ..ModelFilter::default()
        })
        .is_empty()
    );

    let downloaded = ModelFilter {
        downloaded_in: Some(&world.store),
        ..ModelFilter::default()
    };
    assert_eq!(
        list(&downloaded),
        ["b"],
        "a file of the source itself is there with the source"
    );
    // A model that is a folder counts as well.
    std::fs::create_dir_all(world.store.model_dir("github.com/acme/one", "a")).unwrap();
    assert_eq!(list(&downloaded), ["a", "b"]);
}

#[test]
fn names_are_found_with_the_newest_version_over_all_sources() {
    let world = world();
    world.register(
        "acme/one",
        r#"{"base_name": "net-1.1", "version": "1.9"}, {"base_name": "same"}"#,
    );
    world.register(
        "acme/two",
        r#"{"base_name": "net-1.1", "version": "1.10"}, {"base_name": "same"}"#,
    );
    let catalog = world.catalog();
    assert_eq!(catalog.find("net-1.1").unwrap().name(), "net-1.1@1.10");
    assert_eq!(
        catalog.find("net-1.1@1.9").unwrap().source().identity,
        "github.com/acme/one"
    );
    let error = catalog.find("same").unwrap_err();
    assert_eq!(
        error.to_string(),
        "several sources have a model `same`: acme/one, acme/two"
    );
    assert_eq!(
        error.next_step(),
        Some(NextStep::NameSource {
            source: "acme/one".to_owned(),
            model: "same".to_owned()
        })
    );
    let error = catalog.find("net-1.1@2").unwrap_err();
    assert!(error.to_string().contains("did you mean `net-1.1@1."), "{error}");
}

#[test]
fn a_name_that_one_source_has_twice_counts_once() {
    let world = world();
    world.register(
        "acme/one",
        r#"{"base_name": "a", "author": "first"}, {"base_name": "a", "author": "second"}"#,
    );
    let catalog = world.catalog();
    assert_eq!(
        catalog.find("a").unwrap().entry().author.as_deref(),
        Some("first")
    );
    assert!(catalog.problems()[0].contains("more than once"));
}

#[test]
fn configured_manifests_add_models() {
    let world = world();
    let path = world.folder.path().join("my-models.json");
    std::fs::write(&path, r#"{"models": [{"base_name": "mine"}]}"#).unwrap();
    let missing = PathBuf::from("/no/such/manifest.json");
    let catalog = Catalog::load(&world.registry, &[path.clone(), missing]).unwrap();
    let model = catalog.find("mine").unwrap();
    assert_eq!(
        *model.source().reference.location(),
        crate::reference::Location::Path(path)
    );
    assert!(!model.manifest().has_plugin);
    assert!(catalog.problems()[0].contains("/no/such/manifest.json"));
}

#[test]
fn a_local_source_is_read_again_and_known_by_its_absolute_path() {
    let world = world();
    let folder = world.folder.path().join("local");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(
        folder.join("manifest.json"),
        r#"{"models": [{"base_name": "before"}]}"#,
    )
    .unwrap();
    let mut source = world.source(folder.to_str().unwrap(), r#"{"base_name": "before"}"#, &[]);
    (source.root, source.path) = (folder.clone(), folder.clone());
    source.manifests[0].folder.clone_from(&folder);
    let registered = world.registry.register(&source).unwrap();
    assert!(registered.reference.is_local_path() && registered.folder_in_tree.is_none());
    std::fs::write(
        folder.join("manifest.json"),
        r#"{"models": [{"base_name": "after"}]}"#,
    )
    .unwrap();
    assert!(world.catalog().find("after").is_ok());
}

#[test]
fn an_update_says_what_it_changes() {
    let world = world();
    let old = world.source(
        "acme/one",
        r#"{"base_name": "a", "license": "MIT"}, {"base_name": "b"}"#,
        &[("same", "1"), ("changed", "1"), ("gone", "1")],
    );
    let registered = world.registry.register(&old).unwrap();
    let same = Update::between(&registered, &old, &world.store).unwrap();
    assert!(!same.is_change && same.models.is_empty() && same.files == Some(vec![]));

    let new = world.source(
        "acme/one",
        r#"{"base_name": "a", "license": "GPL"}, {"base_name": "c"}"#,
        &[("same", "1"), ("changed", "2"), ("added", "1")],
    );
    let update = Update::between(&registered, &new, &world.store).unwrap();
    assert_eq!(
        update.models,
        [
            ModelChange::Changed {
                name: "a".into(),
                fields: vec!["license".into()]
            },
            ModelChange::Removed { name: "b".into() },
            ModelChange::Added { name: "c".into() },
        ]
    );
    assert_eq!(
        update.files.unwrap(),
        [
            FileChange::Added { path: "added".into() },
            FileChange::Changed {
                path: "changed".into()
            },
            FileChange::Removed { path: "gone".into() },
        ]
    );
    assert!(update.is_change && update.old_commit != update.new_commit);
    // The old state may have been collected.
    world
        .store
        .remove(world.store.tree_path(&old.tree_hash).parent().unwrap())
        .unwrap();
    assert_eq!(
        Update::between(&registered, &new, &world.store).unwrap().files,
        None
    );
}

#[test]
fn requirements_are_checked_against_the_machine() {
    let machine = Machine {
        api_version: semver::Version::new(0, 2, 0),
        target: "x86_64-unknown-linux-gnu".into(),
        features: vec!["cuda".into()],
        gpu: None,
        library_dirs: Vec::new(),
    };
    let unmet = |requirements: &str, machine: &Machine| {
        let manifest = manifest(&format!(
            r#"{{"base_name": "m", "requirements": {requirements}}}"#
        ));
        check_requirements(&manifest.models[0], machine)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert!(
        unmet(
            r#"{"packages": ["torch"], "cpu": {"support": true}, "gpu": {"cuda_version": ">=99"}}"#,
            &machine
        )
        .is_empty()
    );
    assert!(
        unmet(
            r#"{"modelzoo": {"min_api_version": "0.2", "features": ["cuda"]}}"#,
            &machine
        )
        .is_empty()
    );
    let all = r#"{"modelzoo": {"min_api_version": "0.3", "targets": ["aarch64-apple-darwin"], "features": ["metal"],
                  "system_libraries": ["nothere"]}, "cpu": {"support": false}}"#;
    assert_eq!(
        unmet(all, &machine),
        [
            "version 0.3.0 of modelzoo's plugin API is needed, but this one has 0.2.0",
            "the plugin supports aarch64-apple-darwin, not x86_64-unknown-linux-gnu",
            "the Cargo feature `metal` is needed, which is not on here",
            "the system library libnothere is not installed",
            "it does not run without a GPU, and no GPU was found",
        ]
    );
    let gpu = Gpu {
        is_nvidia: true,
        cuda_version: Some("12.4".into()),
        cudnn_version: None,
    };
    let with_gpu = Machine {
        gpu: Some(gpu),
        ..machine
    };
    let needs = r#"{"cpu": {"support": false}, "gpu": {"cuda_version": ">=12,<13", "cudnn_version": ">=9"}}"#;
    assert_eq!(
        unmet(needs, &with_gpu),
        ["cuDNN>=9 is needed, and none was found"]
    );
}
