use super::*;
use modelzoo_base::error::{Diagnose as _, ErrorClass, NextStep};
use proptest::{collection::btree_map, prelude::*};
use std::path::{Path, PathBuf};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const OTHER_COMMIT: &str = "fedcba9876543210fedcba9876543210fedcba98";

fn digest(text: &str) -> Sha256Digest {
    Sha256Digest::of(text)
}

fn key(identity: &str, revision: Option<&str>) -> SourceKey {
    SourceKey {
        identity: identity.to_owned(),
        revision: revision.map(str::to_owned),
    }
}

/// A project with its own store.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(FILE_NAME)
    }

    fn place(&self) -> LockPlace {
        let records = self.folder.path().join("store/resolved");
        LockPlace {
            file: None,
            folder: Some(self.folder.path().join("deep/inside")),
            records,
        }
    }

    fn open(&self, locked: bool) -> Result<LockFile, LockError> {
        LockFile::open(self.place(), locked)
    }

    /// A project in which `acme` at `v1` is locked with one plugin and one file of weights.
    fn locked() -> Self {
        let project = Self::new();
        std::fs::write(project.path(), "version = 1\n").unwrap();
        let mut file = project.open(false).unwrap();
        run(&mut file, COMMIT, "tree").unwrap();
        file.save().unwrap();
        project
    }
}

/// What a run with the source `acme` at `v1` notes.
fn run(file: &mut LockFile, commit: &str, tree: &str) -> Result<(), LockError> {
    let acme = key("github.com/acme/zoo", Some("v1"));
    file.resolved(&acme, Some(commit), digest(tree), Some(digest("Cargo.lock")))?;
    file.built(&acme, "x86_64-unknown-linux-gnu", digest("plugin"))?;
    file.downloaded(&acme, "net@1.0", "net.safetensors", digest("weights"))
}

#[test]
fn the_text_can_be_read_by_people() {
    let project = Project::locked();
    let text = std::fs::read_to_string(project.path()).unwrap();
    let expected = format!(
        "# Written by modelzoo: what every source and model resolved to. Keep it under version control.\n\
         version = 1\n\n[[source]]\nidentity = \"github.com/acme/zoo\"\nref = \"v1\"\ncommit = \"{COMMIT}\"\n\
         tree = \"{}\"\ncargo_lock = \"{}\"\n\n[source.artifacts]\nx86_64-unknown-linux-gnu = \"{}\"\n\n\
         [source.weights.\"net@1.0\"]\n\"net.safetensors\" = \"{}\"\n",
        digest("tree"),
        digest("Cargo.lock"),
        digest("plugin"),
        digest("weights"),
    );
    assert_eq!(text, expected);
}

#[test]
fn the_lock_is_found_upwards_and_the_nearest_counts() {
    let project = Project::locked();
    assert_eq!(project.open(true).unwrap().path(), Some(project.path().as_path()));
    let nearer = project.folder.path().join("deep").join(FILE_NAME);
    std::fs::create_dir_all(nearer.parent().unwrap()).unwrap();
    std::fs::write(&nearer, "version = 1\n").unwrap();
    assert_eq!(project.open(true).unwrap().path(), Some(nearer.as_path()));
    let mut place = project.place();
    place.file = Some(project.path());
    assert_eq!(
        LockFile::open(place, true).unwrap().path(),
        Some(project.path().as_path())
    );
}

#[test]
fn a_browsers_url_is_found_under_what_it_turned_out_to_mean() {
    let project = Project::new();
    std::fs::write(project.path(), "version = 1\n").unwrap();
    let mut file = project.open(false).unwrap();
    let locked = key("github.com/acme/zoo//models/a", Some("feat/x"));
    file.resolved(&locked, Some(COMMIT), digest("tree"), None)
        .unwrap();
    file.save().unwrap();

    let file = project.open(false).unwrap();
    let settle = |spelling: &str| file.settle(&SourceRef::parse(spelling).unwrap()).to_string();
    assert_eq!(
        settle("https://github.com/acme/zoo/tree/feat/x/models/a"),
        "acme/zoo@feat/x//models/a"
    );
    for other in ["acme/zoo@v1", "https://github.com/acme/zoo/tree/feat/models/a"] {
        let reference = SourceRef::parse(other).unwrap();
        assert_eq!(file.settle(&reference), reference);
    }
}

#[test]
fn what_is_locked_is_pinned_until_it_is_released() {
    let project = Project::locked();
    let acme = key("github.com/acme/zoo", Some("v1"));
    let mut file = project.open(false).unwrap();
    assert_eq!(file.pinned(&acme).unwrap().commit.as_deref(), Some(COMMIT));
    assert_eq!(file.pinned(&key("github.com/acme/zoo", None)), None);
    assert_eq!(
        file.expected_weights(&acme, "net@1.0", "net.safetensors"),
        Some(digest("weights"))
    );
    file.release(&acme);
    assert_eq!(file.pinned(&acme), None);
    run(&mut file, OTHER_COMMIT, "new tree").unwrap();
    file.save().unwrap();
    assert_eq!(
        project
            .open(true)
            .unwrap()
            .pinned(&acme)
            .unwrap()
            .commit
            .as_deref(),
        Some(OTHER_COMMIT)
    );
}

#[test]
fn locked_accepts_the_same_and_refuses_the_rest_with_the_difference() {
    let project = Project::locked();
    let before = std::fs::read(project.path()).unwrap();
    let mut file = project.open(true).unwrap();
    run(&mut file, COMMIT, "tree").unwrap();
    let error = run(&mut file, OTHER_COMMIT, "new tree").unwrap_err();
    let (old_tree, new_tree) = (digest("tree"), digest("new tree"));
    let text = error.to_string();
    assert!(
        text.contains("modelzoo.lock would have to change, and must not:\n"),
        "{text}"
    );
    for line in [
        format!("\n  ~ github.com/acme/zoo at v1 commit: {COMMIT} -> {OTHER_COMMIT}"),
        format!("\n  ~ github.com/acme/zoo at v1 tree: {old_tree} -> {new_tree}"),
        format!(
            "\n  - github.com/acme/zoo at v1 weights of net@1.0: net.safetensors: {}",
            digest("weights")
        ),
    ] {
        assert!(text.contains(&line), "{text}");
    }
    let new = key("github.com/other/zoo", None);
    let error = file.resolved(&new, None, digest("x"), None).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with(&format!("\n  + github.com/other/zoo: {}", digest("x"))),
        "{error}"
    );
    let acme = key("github.com/acme/zoo", Some("v1"));
    assert!(matches!(
        file.downloaded(&acme, "other", "w", digest("w")),
        Err(LockError::Locked { .. })
    ));
    assert!(matches!(
        file.built(&acme, "x86_64-unknown-linux-gnu", digest("w")),
        Err(LockError::Locked { .. })
    ));
    file.built(&acme, "aarch64-apple-darwin", digest("another machine's"))
        .unwrap();
    file.save().unwrap();
    assert_eq!(std::fs::read(project.path()).unwrap(), before);
}

#[test]
fn locked_wants_a_lock() {
    let error = Project::new().open(true).unwrap_err();
    assert!(matches!(error, LockError::Missing { .. }));
    assert_eq!(error.next_step(), Some(NextStep::WriteLock));
    let project = Project::new();
    let mut place = project.place();
    place.file = Some(project.folder.path().join("named.lock"));
    assert!(
        LockFile::open(place.clone(), true)
            .unwrap_err()
            .to_string()
            .contains("named.lock")
    );
    let mut begun = LockFile::open(place, false).unwrap();
    run(&mut begun, COMMIT, "tree").unwrap();
    begun.save().unwrap();
    assert!(project.folder.path().join("named.lock").is_file());
}

#[test]
fn other_content_under_a_locked_name_is_an_integrity_error() {
    let project = Project::locked();
    let mut file = project.open(false).unwrap();
    let error = run(&mut file, COMMIT, "forged tree").unwrap_err();
    assert_eq!(error.class(), ErrorClass::Integrity, "{error}");
    assert!(
        error
            .to_string()
            .starts_with("the tree of github.com/acme/zoo at v1 is not what "),
        "{error}"
    );
    let acme = key("github.com/acme/zoo", Some("v1"));
    let error = file
        .downloaded(&acme, "net@1.0", "net.safetensors", digest("forged"))
        .unwrap_err();
    assert!(
        error.class() == ErrorClass::Integrity
            && error.to_string().contains("net.safetensors of the model net@1.0"),
        "{error}"
    );
    file.save().unwrap();
    assert_eq!(
        project.open(true).unwrap().pinned(&acme).unwrap().tree,
        digest("tree")
    );
}

#[test]
fn a_moved_tag_names_both_commits() {
    let project = Project::locked();
    let acme = key("github.com/acme/zoo", Some("v1"));
    let file = project.open(false).unwrap();
    assert_eq!(file.moved_tag(&acme, COMMIT), None);
    assert_eq!(
        file.moved_tag(&key("github.com/acme/zoo", Some("v2")), OTHER_COMMIT),
        None
    );
    let alarm = file.moved_tag(&acme, OTHER_COMMIT).unwrap();
    let expected =
        format!("the tag v1 of github.com/acme/zoo has moved: it was {COMMIT} and is now {OTHER_COMMIT}");
    assert_eq!(alarm.to_string(), expected);
    assert_eq!(
        alarm.next_step(),
        Some(NextStep::AcceptMovedTag {
            source: "github.com/acme/zoo@v1".to_owned()
        })
    );
    let mut file = file;
    file.release(&acme);
    assert_eq!(file.moved_tag(&acme, OTHER_COMMIT), None, "it is accepted");
}

#[test]
fn runs_without_a_lock_are_recorded_and_can_be_locked_later() {
    let project = Project::new();
    let acme = key("github.com/acme/zoo", Some("v1"));
    let mut file = project.open(false).unwrap();
    run(&mut file, COMMIT, "tree").unwrap();
    file.save().unwrap();
    assert!(!project.path().exists());
    let file = project.open(false).unwrap();
    assert_eq!(file.pinned(&acme), None, "a record pins nothing");
    assert!(file.moved_tag(&acme, OTHER_COMMIT).is_some(), "but it remembers");

    let recorded = RecordedLock::read(&project.place()).unwrap();
    let changes = recorded.changes();
    let path = recorded.write().unwrap();
    assert_eq!(path, project.folder.path().join("deep/inside").join(FILE_NAME));
    assert_eq!(
        changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [format!("+ {acme}: {COMMIT}")]
    );
    assert!(project.open(true).unwrap().pinned(&acme).is_some());
    assert_eq!(RecordedLock::read(&project.place()).unwrap().changes(), []);
}

#[test]
fn runs_at_the_same_time_keep_each_others_sources() {
    let project = Project::locked();
    let mut files: Vec<LockFile> = (0..8).map(|_| project.open(false).unwrap()).collect();
    std::thread::scope(|scope| {
        for (number, file) in files.iter_mut().enumerate() {
            scope.spawn(move || {
                let own = key(&format!("github.com/acme/{number}"), None);
                file.resolved(&own, Some(COMMIT), digest("tree"), None).unwrap();
                file.save().unwrap();
            });
        }
    });
    assert_eq!(project.open(true).unwrap().lock().sources.len(), 9);
}

#[test]
fn a_damaged_lock_is_refused_with_its_line_and_never_overwritten() {
    let source = format!("[[source]]\nidentity = \"a\"\ntree = \"{}\"\n", digest(""));
    for (text, expected) in [
        ("version = 1\n[[source]]\nidentity = 3\n".to_owned(), ":3: "),
        (
            "version = 1\n[[source]]\nidentity = \"a\"\ntree = \"xyz\"\n".to_owned(),
            ":4: `xyz` is no SHA-256 digest",
        ),
        (
            format!("version = 1\n{source}commit = \"--upload-pack=x\"\n"),
            ":5: `--upload-pack=x` is no full commit id",
        ),
        (format!("version = 1\n{source}{source}"), ":3: a is locked twice"),
        (
            "version = 1\nsurprise = 1\n".to_owned(),
            ":2: unknown field `surprise`",
        ),
        ("<<<<<<< HEAD\n".to_owned(), ":1: "),
        (
            "version = 2\nsurprise = 1\n".to_owned(),
            "has the format version 2",
        ),
    ] {
        let project = Project::new();
        std::fs::write(project.path(), &text).unwrap();
        let error = project.open(false).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert_eq!(std::fs::read_to_string(project.path()).unwrap(), text);
    }
}

fn any_digest() -> impl Strategy<Value = Sha256Digest> {
    any::<u64>().prop_map(|seed| Sha256Digest::of(seed.to_le_bytes()))
}

fn any_lock() -> impl Strategy<Value = Lock> {
    // Names as hostile as TOML allows: quotes, dots, newlines, anything.
    let key = (any::<String>(), any::<Option<String>>())
        .prop_map(|(identity, revision)| SourceKey { identity, revision });
    let source = (
        proptest::option::of("[0-9a-f]{40}|[0-9a-f]{64}"),
        any_digest(),
        proptest::option::of(any_digest()),
        btree_map(any::<String>(), any_digest(), 0..3),
        // A model without files is not written: it says nothing.
        btree_map(
            any::<String>(),
            btree_map(any::<String>(), any_digest(), 1..3),
            0..3,
        ),
    )
        .prop_map(|(commit, tree, cargo_lock, artifacts, weights)| LockedSource {
            built_in: None,
            commit,
            tree,
            cargo_lock,
            prebuilt: artifacts.clone(),
            artifacts,
            weights,
        });
    btree_map(key, source, 0..5).prop_map(|sources| Lock { sources })
}

proptest! {
    #[test]
    fn locks_round_trip(lock in any_lock()) {
        prop_assert_eq!(Lock::parse(&lock.to_toml(), Path::new(FILE_NAME)).unwrap(), lock);
    }

    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = Lock::parse(&text, Path::new(FILE_NAME));
    }

    #[test]
    fn changes_are_none_between_equals_and_mirror_each_other(one in any_lock(), other in any_lock()) {
        prop_assert_eq!(one.changes_to(&one), Vec::new());
        let there = one.changes_to(&other);
        let mut back = other.changes_to(&one);
        for change in &mut back {
            std::mem::swap(&mut change.before, &mut change.after);
        }
        prop_assert_eq!(there, back);
    }
}
