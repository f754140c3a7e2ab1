//! Several at once, and full disks.
use super::*;
use modelzoo_base::error::{Diagnose as _, NextStep};
#[cfg(target_os = "linux")]
use modelzoo_test_support::mount::Mounted;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn many_that_want_the_same_file_share_one_download() {
    let server = Server::start(|_, _| Answer::ok(content(500_000)).slowly(Duration::from_millis(10)));
    let folder = tempfile::tempdir().unwrap();
    let request = request(server.url("/m"), folder.path());
    std::thread::scope(|scope| {
        let fetches: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| fetch(&request).unwrap()))
            .collect();
        for fetch in fetches {
            assert_eq!(fetch.join().unwrap().sha256, Sha256Digest::of(content(500_000)));
        }
    });
    assert_eq!(server.seen().len(), 1, "the others waited");
    assert_eq!(names_in(folder.path()), ["model.bin"]);
}

#[test]
fn a_holder_that_hangs_does_not_hold_up_the_others() {
    let server = Server::start(|_, _| Answer::ok(content(1000)));
    let folder = tempfile::tempdir().unwrap();
    let request = request(server.url("/m"), folder.path());
    let held = std::fs::File::create(folder.path().join(".model.bin.part")).unwrap();
    held.lock().unwrap();
    struct CountWaiting(AtomicUsize);
    impl Observer for CountWaiting {
        fn notice(&self, event: Event<'_>) {
            if matches!(event, Event::Waiting { .. }) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    let waiting = CountWaiting(AtomicUsize::new(0));
    let downloaded = downloader(&config())
        .fetch(&request, &waiting, &Cancellation::default())
        .unwrap();
    assert_eq!(downloaded.sha256, Sha256Digest::of(content(1000)));
    assert_eq!(waiting.0.into_inner(), 1);
    assert_eq!(names_in(folder.path()), [".model.bin.part", "model.bin"]);
}

#[test]
fn what_dead_owners_left_is_removed_and_nothing_else() {
    let server = Server::start(|_, _| Answer::ok(content(1000)));
    let folder = tempfile::tempdir().unwrap();
    let kept = [
        ".model.bin.part-living12",
        ".model.bin.part-x.part",
        ".model.bin.partner",
    ];
    for name in kept.iter().chain(&[".model.bin.part-orphaned"]) {
        std::fs::write(folder.path().join(name), "x").unwrap();
    }
    let living = std::fs::File::open(folder.path().join(kept[0])).unwrap();
    living.lock().unwrap();
    fetch(&request(server.url("/m"), folder.path())).unwrap();
    let mut expected = kept.to_vec();
    expected.push("model.bin");
    assert_eq!(names_in(folder.path()), expected);
}

#[test]
fn a_destination_that_cannot_be_written_is_named() {
    let server = Server::start(|_, _| Answer::ok("x"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = fetch(&request(server.url("/m"), &folder.path().join("file"))).unwrap_err();
    assert!(matches!(&error, DownloadError::File { .. }), "{error:?}");
    assert!(error.to_string().contains("file/.model.bin.part"), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_and_leaves_nothing() {
    let Some(disk) = Mounted::tmpfs("size=1m") else {
        return;
    };
    for length in [Some(3_000_000), None] {
        let server = Server::start(move |_, _| Answer::ok(content(3_000_000)).claiming(length));
        let error = fetch(&request(server.url("/m"), disk.path())).unwrap_err();
        assert!(matches!(&error, DownloadError::DiskFull { .. }), "{error:?}");
        let needed = error.to_string().contains(": 3000000 more bytes are needed");
        assert_eq!(needed, length.is_some(), "{error}");
        assert_eq!(error.next_step(), Some(NextStep::FreeSpace));
        assert!(names_in(disk.path()).is_empty(), "{:?}", names_in(disk.path()));
    }
}
