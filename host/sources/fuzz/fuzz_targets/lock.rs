//! Any bytes are a lock that goes round, or are refused in one line; and the file is as it was until something is written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_sources::lock::{LockFile, LockPlace, RecordedLock};
use std::fs;

fuzz_target!(|content: &[u8]| {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let path = folder.path().join("modelzoo.lock");
    fs::write(&path, content).expect("the folder is new");
    let place = LockPlace {
        file: Some(path.clone()),
        folder: None,
        records: folder.path().join("records"),
    };
    let before = match LockFile::open(place.clone(), true) {
        Ok(file) => file.lock().clone(),
        Err(error) => {
            assert_eq!(fs::read(&path).expect("it is there"), content);
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    RecordedLock::of(&place, before.sources.clone())
        .and_then(RecordedLock::write)
        .expect("what was read can be written");
    let again = LockFile::open(place, true).expect("what was written can be read");
    assert_eq!(*again.lock(), before);
});
