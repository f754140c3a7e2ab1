//! Files that are datasets, and those that are not.

use super::{pictures, place};
use crate::{
    dataset::{Dataset, Reason},
    record::SampleRecord,
};
use rusqlite::Connection;

#[test]
fn nothing_is_created_over_a_file() {
    let (_folder, path) = place();
    std::fs::write(&path, "precious").unwrap();
    let error = Dataset::create(&path).unwrap_err();
    assert!(matches!(error.reason, Reason::Exists), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_creation_that_was_interrupted_can_be_done_again() {
    let (_folder, path) = place();
    std::fs::write(&path, "").unwrap();
    assert_eq!(Dataset::create(&path).unwrap().len().unwrap(), 0);
}

#[test]
fn what_is_no_dataset_is_refused_and_left_alone() {
    let (folder, path) = place();
    assert!(matches!(
        Dataset::open(&path).unwrap_err().reason,
        Reason::NotFound
    ));
    assert!(matches!(
        Dataset::open(folder.path()).unwrap_err().reason,
        Reason::NotADataset("it is a folder")
    ));

    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "x".repeat(10_000)).unwrap();
    assert!(matches!(
        Dataset::open(&text).unwrap_err().reason,
        Reason::NotADataset("it is no SQLite file")
    ));
    assert_eq!(std::fs::read_to_string(&text).unwrap().len(), 10_000);

    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE samples (id INTEGER)")
        .unwrap();
    assert!(matches!(
        Dataset::open(&foreign).unwrap_err().reason,
        Reason::NotADataset("it is an SQLite file of another program")
    ));
}

#[test]
fn a_later_format_is_refused_with_its_number() {
    let (_folder, dataset) = pictures(1);
    let path = dataset.path().to_owned();
    drop(dataset);
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 7)
        .unwrap();
    let error = Dataset::open(&path).unwrap_err();
    assert!(matches!(error.reason, Reason::Newer { found: 7, .. }), "{error}");
}

#[test]
fn a_closed_dataset_is_one_file() {
    let (folder, dataset) = pictures(3);
    drop(dataset);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_filled_dataset_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/photos.db");
    let fill = |dataset: &mut Dataset| {
        let mut writer = dataset.writer()?;
        writer.add(SampleRecord::image("a.jpg"))?;
        assert!(!path.exists());
        writer.finish()
    };
    let missing = Dataset::create_filled(&path, |dataset| {
        fill(dataset)?;
        Dataset::open(folder.path().join("absent.db")).map(drop)
    });
    assert!(matches!(missing.unwrap_err().reason, Reason::NotFound));
    assert!(!path.exists());
    assert_eq!(Dataset::create_filled(&path, fill).unwrap().added, 1);
    assert_eq!(Dataset::open(&path).unwrap().len().unwrap(), 1);
    assert!(matches!(
        Dataset::create_filled(&path, fill).unwrap_err().reason,
        Reason::Exists
    ));
    drop(Dataset::open(&path).unwrap());
    assert_eq!(std::fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
}
