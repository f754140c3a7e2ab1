//! Many processes that resolve into one store, and some that are killed while they do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use modelzoo_base::progress::{Cancellation, NoObserver};
use modelzoo_sources::{
    Access, ResolveOptions, SourceRef, Store,
    config::Config,
    download::{Credentials, Downloader},
    resolve,
    store::{GcOptions, StoreEntryKind, Verdict},
};
use modelzoo_test_support::alone::{expect_one_passed, start_test};
use std::{
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

/// Tell a child process of this test which store and which source it works with.
const STORE: &str = "MODELZOO_KILLS_STORE";
const SOURCE: &str = "MODELZOO_KILLS_SOURCE";

#[test]
#[ignore = "a program of its own"]
fn the_process_that_resolves() {
    let variable = |name| std::env::var(name).expect("another test says what to resolve");
    resolve_into(&Store::open(variable(STORE)).unwrap(), &variable(SOURCE));
}

fn resolve_into(store: &Store, source: &str) {
    let options = ResolveOptions {
        store,
        access: Access {
            downloader: &Downloader::with_credentials(&Config::default(), false, Credentials::default()),
            observer: &NoObserver,
            cancellation: &Cancellation::default(),
        },
        refresh: false,
    };
    resolve(&SourceRef::parse(source).unwrap(), &options).unwrap();
}

fn start_child(store: &Path, source: &str) -> Child {
    start_test("the_process_that_resolves")
        .env(STORE, store)
        .env(SOURCE, source)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A repository with a branch for each number, each with files of its own.
fn repository(folder: &Path, branches: usize) -> PathBuf {
    const FILES: usize = 12;
    let path = folder.join("repository.git");
    let repository = git2::Repository::init_bare(&path).unwrap();
    let author = git2::Signature::new("Author", "author@example.com", &git2::Time::new(0, 0)).unwrap();
    for branch in 0..branches {
        let mut tree = repository.treebuilder(None).unwrap();
        let mut add = |name: &str, content: &str| {
            tree.insert(name, repository.blob(content.as_bytes()).unwrap(), 0o100_644)
                .unwrap();
        };
        add("manifest.json", "{\"models\": [{\"base_name\": \"m\"}]}");
        (0..FILES).for_each(|file| add(&format!("file{file}"), &format!("{branch} {file}\n").repeat(50)));
        let tree = repository.find_tree(tree.write().unwrap()).unwrap();
        let reference = format!("refs/heads/branch{branch}");
        repository
            .commit(Some(&reference), &author, &author, "A commit", &tree, &[])
            .unwrap();
    }
    path
}

#[test]
fn two_hundred_kills_leave_a_sound_store() {
    const KILLS: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path(), KILLS);
    let store = Store::open(folder.path().join("store")).unwrap();
    let source = |branch: usize| format!("file://{}@branch{branch}", repository.display());
    let mut killed = 0;
    for branch in 0..KILLS {
        let mut child = start_child(store.root(), &source(branch));
        // Spread over all that a child does, in an order that has nothing to do with it.
        std::thread::sleep(Duration::from_micros((branch as u64 * 7919) % 80_000));
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
    }
    assert!(killed > 0, "all children were done before they were killed");

    let mut broken = Vec::new();
    let mut checked = |entry: &modelzoo_sources::store::StoreEntry, verdict: &Verdict| {
        if *verdict != Verdict::Intact {
            broken.push((entry.clone(), verdict.clone()));
        }
    };
    store.verify(false, &mut checked).unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    (0..KILLS)
        .step_by(20)
        .for_each(|branch| resolve_into(&store, &source(branch)));
    store.gc(&GcOptions::default()).unwrap();
    let left = store.list().unwrap();
    assert!(
        left.iter().all(|entry| entry.kind == StoreEntryKind::Source),
        "{left:?}"
    );
}

#[test]
fn thirty_two_processes_at_once_end_with_one_copy() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path(), 1);
    let store = Store::open(folder.path().join("store")).unwrap();
    let source = format!("file://{}@branch0", repository.display());
    let children: Vec<_> = (0..32).map(|_| start_child(store.root(), &source)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        expect_one_passed(&String::from_utf8_lossy(&output.stdout));
    }
    let entries = store.list().unwrap();
    assert_eq!(entries.len(), 1, "{entries:?}");
    store
        .verify(false, &mut |_, verdict| assert_eq!(*verdict, Verdict::Intact))
        .unwrap();
}
