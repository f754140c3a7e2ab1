use super::*;
use crate::{
    SourceRef,
    archive::{append, header},
    lock::Lock,
    store::{CommitRecord, Store},
    tree::{EntryKind, hash_folder},
};
use flate2::{Compression, write::GzEncoder};
use modelzoo_base::{
    Sha256Digest,
    error::{Diagnose as _, ErrorClass},
    progress::{Cancellation, NoObserver},
};
use semver::Version;
use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A machine with network, on which a source lies, and one without.
struct World {
    folder: tempfile::TempDir,
    here: Store,
    there: Store,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = |name: &str| Store::open(folder.path().join(name)).unwrap();
        let world = Self {
            here: store("here"),
            there: store("there"),
            folder,
        };
        world.write(
            "tree/manifest.json",
            r#"{"models": [{"base_name": "net", "base_filename": "net.bin"}]}"#,
        );
        world.write("tree/sub/code.rs", "// code");
        world.write("model/net.bin", "weights");
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn record(&self) -> CommitRecord {
        CommitRecord {
            identity: "github.com/acme/zoo".to_owned(),
            commit: COMMIT.to_owned(),
            tree_hash: hash_folder(&self.path("tree"), &|_| false).unwrap(),
            committed_at: Some(1),
            omissions: Vec::new(),
            bundle: None,
        }
    }

    /// A writer that has the source.
    fn writer(&self) -> BundleWriter {
        let mut writer = BundleWriter::new(&self.here).unwrap();
        let revision = BundledRevision {
            revision: "v1".to_owned(),
            ref_name: Some("refs/tags/v1".to_owned()),
            subdirectory: None,
        };
        writer
            .add_source(&reference(), self.record(), vec![revision], &self.path("tree"))
            .unwrap();
        writer
    }

    fn save(&self, writer: BundleWriter, name: &str) -> PathBuf {
        let path = self.path(name);
        writer
            .write(&path, &Lock::default(), &NoObserver, &Cancellation::default())
            .unwrap();
        path
    }

    /// The bundle of the source and its model.
    fn bundle(&self, name: &str) -> PathBuf {
        let mut writer = self.writer();
        let files = BTreeMap::from([("net.bin".to_owned(), Sha256Digest::of("weights"))]);
        writer
            .add_model(&reference(), "net", &self.path("model"), &files)
            .unwrap();
        self.save(writer, name)
    }

    /// Loads a bundle where there is no network.
    fn load(&self, bundle: &Path, expected: Option<Sha256Digest>) -> Result<(), BundleError> {
        let bundle = Bundle::open(bundle, expected)?;
        let unpacked = bundle.unpack(&self.there, &NoObserver, &Cancellation::default())?;
        unpacked.sources(&self.there)?;
        unpacked.publish(&self.there).map(drop)
    }

    /// What a bundle is refused with; then nothing of it must be there.
    #[track_caller]
    fn refusal(&self, bundle: &Path) -> BundleError {
        let before = self.there.list().unwrap();
        let error = self.load(bundle, None).unwrap_err();
        assert_eq!(self.there.list().unwrap(), before, "{error}");
        assert_eq!(self.there.commit_record("github.com/acme/zoo", COMMIT), None);
        error
    }

    /// The `.crate` file of a crate that has this file.
    fn crate_file(&self, name: &str, file: &str) -> PathBuf {
        self.write("Cargo.toml", "[package]");
        let path = self.path(&format!("{name}.crate"));
        let gzip = GzEncoder::new(fs::File::create(&path).unwrap(), Compression::fast());
        let mut tar = tar::Builder::new(gzip);
        append(&mut tar, file, EntryKind::File, &self.path("Cargo.toml")).unwrap();
        tar.into_inner().unwrap().finish().unwrap();
        path
    }
}

fn reference() -> SourceRef {
    "acme/zoo@v1".parse().unwrap()
}

/// A bundle with this index and these pieces, which need not be true.
fn forge(path: &Path, index: &str, pieces: &[&[u8]]) {
    let mut tar = tar::Builder::new(fs::File::create(path).unwrap());
    let name = format!("index-{}.json", Sha256Digest::of(index));
    tar.append_data(&mut header(index.len() as u64), name, index.as_bytes())
        .unwrap();
    for piece in pieces {
        let name = format!("pieces/{}", Sha256Digest::of(piece));
        tar.append_data(&mut header(piece.len() as u64), name, *piece)
            .unwrap();
    }
    tar.into_inner().unwrap().flush().unwrap();
}

#[test]
fn what_was_saved_is_there_where_it_is_loaded() {
    let world = World::new();
    world.load(&world.bundle("b"), None).unwrap();
    let record = world.there.commit_record("github.com/acme/zoo", COMMIT).unwrap();
    let bundle = Sha256Digest::of_file(world.path("b")).unwrap();
    assert_eq!(
        record,
        CommitRecord {
            bundle: Some(bundle),
            ..world.record()
        }
    );
    let tree = world.there.source_tree(&record.tree_hash).unwrap().unwrap();
    assert_eq!(fs::read_to_string(tree.join("sub/code.rs")).unwrap(), "// code");
    let revision = world.there.revision_record("github.com/acme/zoo", "v1").unwrap();
    assert_eq!(
        (revision.commit.as_str(), revision.ref_name.as_deref()),
        (COMMIT, Some("refs/tags/v1"))
    );
    let files = world.there.model_files("github.com/acme/zoo", "net").unwrap();
    assert_eq!(
        files,
        BTreeMap::from([("net.bin".to_owned(), Sha256Digest::of("weights"))])
    );
    world.load(&world.bundle("b"), None).unwrap();
}

#[test]
fn the_same_makes_the_same_file() {
    let world = World::new();
    let one = fs::read(world.bundle("one")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(one, fs::read(world.bundle("other")).unwrap());
}

#[test]
fn a_bundle_whose_hash_is_known_is_believed_and_another_one_refused() {
    let world = World::new();
    let bundle = world.bundle("b");
    let error = world.load(&bundle, Some(Sha256Digest::of("other"))).unwrap_err();
    assert!(matches!(error, BundleError::Other { .. }) && error.class() == ErrorClass::Integrity);
    world
        .load(&bundle, Some(Sha256Digest::of_file(&bundle).unwrap()))
        .unwrap();
    let record = world.there.commit_record("github.com/acme/zoo", COMMIT).unwrap();
    assert_eq!(record, world.record());
}

#[test]
fn what_was_cut_off_or_changed_anywhere_is_refused() {
    let world = World::new();
    let whole = fs::read(world.bundle("whole")).unwrap();
    let path = world.path("damaged");
    for length in (0..whole.len()).step_by(97) {
        fs::write(&path, &whole[..length]).unwrap();
        let error = world.refusal(&path);
        let is_told = matches!(
            error,
            BundleError::NotABundle { .. } | BundleError::Damaged { .. }
        );
        assert!(is_told, "{length}: {error}");
    }
    let ends = whole.len() - 1024;
    for at in (0..ends).step_by(61).filter(|at| whole[*at] != 0) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        let error = world.refusal(&path);
        let is_told = matches!(
            error,
            BundleError::NotABundle { .. } | BundleError::Damaged { .. } | BundleError::Read { .. }
        );
        assert!(is_told, "{at}: {error}");
    }
    fs::write(&path, [whole.as_slice(), b"more"].concat()).unwrap();
    assert!(
        world
            .refusal(&path)
            .to_string()
            .ends_with("it goes on after its end")
    );
}

#[test]
fn what_is_no_bundle_is_told_so() {
    let world = World::new();
    let zip = world.path("x");
    fs::write(&zip, b"PK\x03\x04 and so on").unwrap();
    assert!(matches!(world.refusal(&zip), BundleError::NotABundle { .. }));
    forge(&zip, r#"{"modelzoo_bundle": 2, "more": true}"#, &[]);
    assert!(matches!(
        world.refusal(&zip),
        BundleError::Newer { version: 2, .. }
    ));
    forge(&zip, r#"{"modelzoo_bundle": 1, "sources": 7}"#, &[]);
    assert!(
        world
            .refusal(&zip)
            .to_string()
            .contains("is damaged: its index: ")
    );
}

/// An index as the writer writes it, and the tree in it, to be changed.
fn index_and_tree(world: &World) -> (serde_json::Value, Vec<u8>) {
    let path = world.save(world.writer(), "honest");
    let index = Bundle::open(&path, None).unwrap().index().clone();
    let mut archive = tar::Archive::new(fs::File::open(&path).unwrap());
    let mut tree = Vec::new();
    let mut piece = archive.entries().unwrap().nth(1).unwrap().unwrap();
    std::io::Read::read_to_end(&mut piece, &mut tree).unwrap();
    (serde_json::to_value(index).unwrap(), tree)
}

#[test]
fn what_an_index_must_not_say_is_refused() {
    let world = World::new();
    let (index, tree) = index_and_tree(&world);
    let path = world.path("forged");
    let hash = Sha256Digest::of("x");
    let cases: [(&str, serde_json::Value, &str); 6] = [
        ("/sources/0/tree_hash", serde_json::json!(hash), "is another one"),
        ("/sources/0/commit", "../../x".into(), "is no full commit id"),
        (
            "/sources/0/reference",
            "/etc".into(),
            "is a path of another machine",
        ),
        ("/pieces", serde_json::json!([]), "its list of pieces"),
        (
            "/sources/0/models",
            serde_json::json!([{ "name": "net", "files": { "../../x": Sha256Digest::of(&tree) } }]),
            "its name leads to another folder",
        ),
        (
            "/sources/0/models",
            serde_json::json!([{ "name": "other", "files": {} }]),
            "says itself what the weights of other must be",
        ),
    ];
    for (pointer, value, reason) in cases {
        let mut forged = index.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        forged.pointer_mut(parent).unwrap()[key] = value;
        forge(&path, &forged.to_string(), &[&tree]);
        let error = world.refusal(&path);
        assert!(error.to_string().contains(reason), "{pointer}: {error}");
        assert_eq!(error.class(), ErrorClass::Integrity);
    }
}

#[test]
fn a_tree_that_leads_out_is_refused() {
    let world = World::new();
    let (mut index, honest) = index_and_tree(&world);
    let mut tar = tar::Builder::new(Vec::new());
    let mut leading_out = header(1);
    leading_out.as_gnu_mut().unwrap().name[..8].copy_from_slice(b"../../x\0");
    leading_out.set_cksum();
    tar.append(&leading_out, b"x".as_slice()).unwrap();
    let tree = tar.into_inner().unwrap();
    assert_ne!(tree, honest);
    index["sources"][0]["tree"] = serde_json::json!(Sha256Digest::of(&tree));
    index["pieces"] = serde_json::json!([{ "sha256": Sha256Digest::of(&tree), "size_bytes": tree.len() }]);
    forge(&world.path("forged"), &index.to_string(), &[&tree]);
    let error = world.refusal(&world.path("forged"));
    assert!(error.to_string().contains("`../../x` in it"), "{error}");
}

#[test]
fn a_bundle_that_contradicts_what_was_fetched_is_refused() {
    let world = World::new();
    let bundle = world.bundle("b");
    let other = CommitRecord {
        tree_hash: Sha256Digest::of("other"),
        ..world.record()
    };
    world.there.record_commit(&other).unwrap();
    let error = world.load(&bundle, None).unwrap_err();
    assert!(matches!(error, BundleError::Refused { .. }), "{error}");
    assert_eq!(
        world.there.commit_record("github.com/acme/zoo", COMMIT),
        Some(other)
    );
    // What was fetched and says the same is known as well as before.
    let world = World::new();
    world.there.record_commit(&world.record()).unwrap();
    world.load(&world.bundle("b"), None).unwrap();
    assert_eq!(
        world.there.commit_record("github.com/acme/zoo", COMMIT),
        Some(world.record())
    );
}

#[test]
fn crates_are_taken_where_the_source_pins_them_or_the_bundle_is_known() {
    let world = World::new();
    let file = world.crate_file("blur-1.0.0", "blur-1.0.0/Cargo.toml");
    let sha256 = Sha256Digest::of_file(&file).unwrap();
    let with_crate = |name: &str| {
        let mut writer = world.writer();
        writer
            .add_crate(&reference(), "blur", Version::new(1, 0, 0), file.clone())
            .unwrap();
        world.save(writer, name)
    };
    let unpinned = with_crate("unpinned");
    let error = world.refusal(&unpinned);
    assert!(
        matches!(&error, BundleError::Unpinned { name, .. } if name == "blur-1.0.0"),
        "{error}"
    );

    let pin =
        format!("version = 4\n[[package]]\nname = \"blur\"\nversion = \"1.0.0\"\nchecksum = \"{sha256}\"\n");
    world.write("tree/Cargo.lock", &pin);
    world.load(&with_crate("pinned"), None).unwrap();
    let folders = world.there.crates_of(&world.record().tree_hash);
    assert_eq!(folders, [world.there.crates_dir().join(sha256.to_string())]);
    let checksum = fs::read_to_string(folders[0].join(".cargo-checksum.json")).unwrap();
    assert!(checksum.contains(&sha256.to_string()) && folders[0].join("Cargo.toml").is_file());
    assert!(
        world
            .there
            .crates_of(&Sha256Digest::of("another tree"))
            .is_empty()
    );

    let other = World::new();
    other
        .load(&unpinned, Some(Sha256Digest::of_file(&unpinned).unwrap()))
        .unwrap();
    assert_eq!(other.there.crates_of(&other.record().tree_hash).len(), 1);
}

#[test]
fn a_crate_under_another_name_is_refused() {
    let world = World::new();
    let file = world.crate_file("blur-1.0.0", "blur-2.0.0/Cargo.toml");
    let mut writer = world.writer();
    writer
        .add_crate(&reference(), "blur", Version::new(1, 0, 0), file)
        .unwrap();
    let bundle = world.save(writer, "b");
    let expected = Sha256Digest::of_file(&bundle).unwrap();
    let error = world.load(&bundle, Some(expected)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("what it calls the crate blur-1.0.0 is another one"),
        "{error}"
    );
}
