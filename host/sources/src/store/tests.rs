//! Publication, verification and collection, with many processes in mind.
use super::*;
use modelzoo_base::error::{Diagnose as _, NextStep};
use std::{path::Path, time::Duration};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store")).unwrap();
    (folder, store)
}

/// Stages a tree with one file, and publishes it.
fn publish(store: &Store, content: &str) -> (Sha256Digest, PathBuf) {
    let staging = store.stage().unwrap();
    let tree = staging.path().join(TREE);
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("file"), content).unwrap();
    let hash = crate::tree::hash_folder(&tree, &|_| false).unwrap();
    let place = store.publish_source(&staging, &hash).unwrap();
    (hash, place)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_folder_is_marked_as_a_cache() {
    let (_folder, store) = store();
    let tag = std::fs::read_to_string(store.root().join("CACHEDIR.TAG")).unwrap();
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));
    assert!(store.root().is_absolute());
}

#[test]
fn a_store_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Store::open(file.join("store")).unwrap_err();
    assert!(error.to_string().contains("file/store"), "{error}");
    assert_eq!(error.next_step(), Some(NextStep::MoveStore));
}

#[test]
fn the_same_tree_published_many_times_at_once_is_there_once() {
    let (_folder, store) = store();
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| publish(&store, "same"))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(results.iter().all(|result| *result == results[0]));
    assert_eq!(names(&store.sources_dir()), [results[0].0.to_string()]);
    assert_eq!(
        store.source_tree(&results[0].0).unwrap(),
        Some(results[0].1.clone())
    );
    assert!(names(&store.temporary_dir()).is_empty());
}

#[test]
fn an_entry_without_its_marker_is_replaced() {
    let (_folder, store) = store();
    let (hash, place) = publish(&store, "content");
    // What a power failure may leave: a name without its content.
    std::fs::remove_file(store.source_entry(&hash).join("source.json")).unwrap();
    std::fs::write(place.join("file"), "").unwrap();
    assert_eq!(store.source_tree(&hash).unwrap(), None);
    assert_eq!(publish(&store, "content"), (hash, place.clone()));
    assert_eq!(std::fs::read_to_string(place.join("file")).unwrap(), "content");
}

#[test]
fn changes_are_noticed_with_and_without_a_stamp() {
    let (_folder, store) = store();
    let (hash, place) = publish(&store, "content");
    let file = place.join("file");
    let settle = |path: &Path| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60))
            .unwrap();
    };
    settle(&file);
    for _ in 0..2 {
        // The first use hashes and writes the stamp, the second trusts it.
        assert!(store.source_tree(&hash).unwrap().is_some());
    }
    let marker = std::fs::read_to_string(store.source_entry(&hash).join("source.json")).unwrap();
    assert!(marker.contains("stamp"), "{marker}");
    // Same size, same time of modification.
    std::fs::write(&file, "CONTENT").unwrap();
    settle(&file);
    assert!(
        matches!(store.source_tree(&hash), Err(StoreError::Changed { expected, .. }) if expected == hash)
    );
    std::fs::write(place.join("more"), "").unwrap();
    assert!(store.source_tree(&hash).is_err());
}

#[test]
fn verification_finds_and_removes_what_is_broken() {
    let (_folder, store) = store();
    let (good, _) = publish(&store, "good");
    let (bad, place) = publish(&store, "bad");
    std::fs::write(place.join("file"), "worse").unwrap();
    std::fs::write(store.weights_path(&Sha256Digest::of("w")), "w").unwrap();
    let broken_weights = store.weights_path(&Sha256Digest::of("v"));
    std::fs::write(&broken_weights, "w").unwrap();
    let artifact = |name: &str, library: &str| {
        let place = store.artifacts_dir().join(Sha256Digest::of(name).to_string());
        std::fs::create_dir(&place).unwrap();
        let file = place
            .join("plugin")
            .with_extension(std::env::consts::DLL_EXTENSION);
        std::fs::write(file, library).unwrap();
        let record = format!("{{\"sha256\": \"{}\"}}", Sha256Digest::of("library"));
        std::fs::write(place.join("artifact.json"), record).unwrap();
        place
    };
    let (good_plugin, bad_plugin) = (artifact("a", "library"), artifact("b", "other"));

    let check = |repair| {
        let mut broken = Vec::new();
        let mut count = 0;
        let mut checked = |entry: &StoreEntry, verdict: &Verdict| {
            count += 1;
            if *verdict != Verdict::Intact {
                broken.push(entry.name.clone());
            }
        };
        store.verify(repair, &mut checked).unwrap();
        (count, broken)
    };
    let expected = vec![
        bad.to_string(),
        Sha256Digest::of("v").to_string(),
        Sha256Digest::of("b").to_string(),
    ];
    assert_eq!(check(false), (6, expected.clone()));
    assert_eq!(check(true), (6, expected));
    assert_eq!(check(true), (3, vec![]));
    assert!(store.source_tree(&good).unwrap().is_some() && !broken_weights.exists());
    assert!(good_plugin.exists() && !bad_plugin.exists());
}

#[test]
fn collection_keeps_what_is_used_and_what_is_in_the_making() {
    let (_folder, store) = store();
    let (kept, _) = publish(&store, "kept");
    let (old, _) = publish(&store, "old");
    let alive = store.stage().unwrap();
    let dead = store.temporary_dir().join("stage-dead");
    std::fs::create_dir(&dead).unwrap();
    std::fs::write(dead.with_extension("lock"), "").unwrap();

    let everything = GcOptions {
        unused_for: Some(Duration::ZERO),
        keep_sources: vec![kept],
        ..GcOptions::default()
    };
    let planned = store.garbage(&everything).unwrap();
    assert!(store.source_tree(&old).unwrap().is_some() && dead.exists());
    let collected = store.gc(&everything).unwrap();
    let paths = |garbage: &Garbage| Vec::from_iter(garbage.entries.iter().map(|entry| entry.path.clone()));
    assert_eq!(paths(&planned), paths(&collected));
    assert!(
        collected
            .entries
            .iter()
            .any(|entry| entry.name == old.to_string())
    );
    assert!(store.source_tree(&kept).unwrap().is_some() && store.source_tree(&old).unwrap().is_none());
    assert!(alive.path().exists() && !dead.exists());
}

#[test]
fn what_was_compiled_for_an_old_compiler_goes_unless_somebody_builds() {
    let (_folder, store) = store();
    let compiled = store.build_parts().remove(0);
    let days_ago = |days: u64| SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
    for (name, days) in [("old", 40), ("new", 1)] {
        std::fs::create_dir_all(compiled.join(name)).unwrap();
        std::fs::write(compiled.join(name).join("libcandle.rlib"), "compiled").unwrap();
        let record = std::fs::File::create(compiled.join(name).with_extension("json")).unwrap();
        record.set_modified(days_ago(days)).unwrap();
    }
    let options = GcOptions {
        unused_for: Some(Duration::from_secs(30 * 24 * 60 * 60)),
        ..GcOptions::default()
    };

    let build = std::fs::File::create(store.build_dir().join("lock")).unwrap();
    build.lock().unwrap();
    assert_eq!(store.gc(&options).unwrap(), Garbage::default());
    let found_before_the_build = Garbage {
        entries: store.list().unwrap(),
        size_bytes: 0,
    };
    assert_eq!(found_before_the_build.entries.len(), 2);
    store.delete(&found_before_the_build).unwrap();
    assert!(compiled.join("old").exists() && compiled.join("new").exists());

    drop(build);
    let garbage = store.gc(&options).unwrap();
    assert_eq!((garbage.entries.len(), garbage.size_bytes), (1, 8));
    assert!(!compiled.join("old").exists() && !compiled.join("old.json").exists());
    assert!(compiled.join("new").exists() && compiled.join("new.json").exists());
}

#[test]
fn only_what_is_in_the_store_is_removed() {
    let (folder, store) = store();
    let outside = folder.path().join("precious");
    std::fs::write(&outside, "").unwrap();
    assert!(store.remove(&outside).is_err() && outside.exists());
    assert!(store.remove(&store.root().join("../precious")).is_err() && outside.exists());
}

#[test]
fn records_are_found_by_what_they_are_about() {
    let (_folder, store) = store();
    let record = CommitRecord {
        identity: "github.com/u/r".into(),
        commit: "a".repeat(40),
        tree_hash: Sha256Digest::of("x"),
        committed_at: Some(1),
        omissions: Vec::new(),
        bundle: None,
    };
    store.record_commit(&record).unwrap();
    assert_eq!(
        store.commit_record("github.com/u/r", &record.commit),
        Some(record.clone())
    );
    assert_eq!(store.commit_record("github.com/u/R", &record.commit), None);
}
