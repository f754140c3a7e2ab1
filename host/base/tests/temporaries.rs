//! The end of a program, which is one for the whole process: no other test can run beside it.

use modelzoo_base::file::{Temporary, remove_temporaries, temporary_file};
use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};

#[test]
fn what_is_made_is_known_and_after_the_end_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let names = || fs_err::read_dir(folder.path()).unwrap().count();
    let (known, file) = temporary_file(folder.path(), ".tmp").unwrap();
    let (_also_known, _folder) = Temporary::make(|| tempfile::tempdir_in(&folder)).unwrap();
    assert_eq!(names(), 2);
    // Whoever takes care of it says so.
    let kept = folder.path().join("kept");
    file.persist(&kept).unwrap();
    drop(known);
    let making = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let none = remove_temporaries();
        assert_eq!(names(), 1);
        assert!(kept.exists());
        let late = scope.spawn(|| {
            making.store(true, SeqCst);
            Temporary::make(|| tempfile::tempdir_in(&folder)).map(drop)
        });
        while !making.load(SeqCst) {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(50));
        assert!(!late.is_finished(), "it was made after the end");
        drop(none);
        late.join().unwrap().unwrap();
    });
}
