//! Downloads by whole processes: killed at any moment, and many at once.
#![allow(clippy::unwrap_used, reason = "these are tests")]
use modelzoo_base::Sha256Digest;
use modelzoo_base::progress::{Cancellation, NoObserver};
use modelzoo_sources::{
    config::Config,
    download::{Downloader, Request},
};
use modelzoo_test_support::{
    alone::{expect_one_passed, start_test},
    http_server::{Answer, Server},
};
use std::{
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

const SIZE: usize = 4_000_000;
const URL_VARIABLE: &str = "TEST_DOWNLOAD_URL";
const DESTINATION_VARIABLE: &str = "TEST_DOWNLOAD_DESTINATION";

fn content() -> Vec<u8> {
    let mut state = 7_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(SIZE)
    .collect()
}

/// Starts this program again, to do nothing but [`the_process_that_downloads`].
fn downloading(url: &str, destination: &Path) -> Child {
    start_test("the_process_that_downloads")
        .env(URL_VARIABLE, url)
        .env(DESTINATION_VARIABLE, destination)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for a process that is to succeed.
#[track_caller]
fn has_downloaded(child: Child) {
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    expect_one_passed(&String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "a program of its own"]
fn the_process_that_downloads() {
    let url = std::env::var(URL_VARIABLE).expect("another test says what to download");
    let destination = std::env::var_os(DESTINATION_VARIABLE).unwrap().into();
    let request = Request {
        urls: vec![url],
        sha256: None,
        size: None,
        destination,
    };
    let downloader = Downloader::new(&Config::default(), false);
    downloader
        .fetch(&request, &NoObserver, &Cancellation::default())
        .unwrap();
}

#[test]
fn two_hundred_kills_lose_nothing_and_damage_nothing() {
    let content = content();
    let expected = Sha256Digest::of(&content);
    let server = Server::start(move |_, seen| {
        Answer::with_ranges(seen, &content, "\"v1\"").slowly(Duration::from_millis(8))
    });
    let folder = tempfile::tempdir().unwrap();
    let destination = folder.path().join("model.bin");
    for kill in 0..200 {
        let mut child = downloading(&server.url("/m"), &destination);
        std::thread::sleep(Duration::from_micros(fastrand::u64(0..60_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        if destination.exists() {
            assert_eq!(
                Sha256Digest::of_file(&destination).unwrap(),
                expected,
                "after kill {kill}"
            );
            std::fs::remove_file(&destination).unwrap();
        }
    }
    has_downloaded(downloading(&server.url("/m"), &destination));
    assert_eq!(Sha256Digest::of_file(&destination).unwrap(), expected);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no partial file is left"
    );
    assert!(
        server.seen().iter().any(|seen| seen.range_start().is_some()),
        "nothing was ever continued"
    );
}

#[test]
fn thirty_two_processes_end_with_one_good_copy() {
    let content = content();
    let expected = Sha256Digest::of(&content);
    let server = Server::start(move |_, seen| {
        Answer::with_ranges(seen, &content, "\"v1\"").slowly(Duration::from_millis(100))
    });
    let folder = tempfile::tempdir().unwrap();
    let destination = folder.path().join("model.bin");
    let children: Vec<Child> = (0..32)
        .map(|_| downloading(&server.url("/m"), &destination))
        .collect();
    children.into_iter().for_each(has_downloaded);
    assert_eq!(Sha256Digest::of_file(&destination).unwrap(), expected);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(
        server.seen().len() < 32,
        "most processes wait for one that downloads"
    );
}
