mod failures;
mod redirects;
mod resume;
mod sharing;

use super::*;
use modelzoo_base::progress::NoObserver;
use modelzoo_test_support::http_server::{Answer, Seen, Server};
use std::{path::Path, time::Duration};

/// Content that no shift of itself equals, so that a wrong seam is noticed.
fn content(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(bytes)
    .collect()
}

/// A downloader that does not wait long, with tokens.
fn downloader(config: &Config) -> Downloader {
    let tokens = ["github-secret", "hf-secret"].map(|token| Some(token.to_owned()));
    let [github, hugging_face] = tokens;
    let credentials = Credentials::new(github, hugging_face, config.github.hosts.clone());
    let mut downloader = Downloader::with_credentials(config, false, credentials);
    downloader.first_pause = Duration::from_millis(2);
    downloader
}

fn config() -> Config {
    let mut config = Config::default();
    config.download.retries = 3;
    config.download.stall_timeout = Duration::from_millis(400);
    config
}

fn request(url: impl Into<String>, folder: &Path) -> Request {
    Request {
        urls: vec![url.into()],
        sha256: None,
        size: None,
        destination: folder.join("model.bin"),
    }
}

fn fetch(request: &Request) -> Result<Downloaded, DownloadError> {
    downloader(&config()).fetch(request, &NoObserver, &Cancellation::default())
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_is_downloaded_with_its_folder_and_nothing_else() {
    let server = Server::start(|_, _| Answer::ok(content(300_000)));
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(server.url("/m"), &folder.path().join("new"));
    request.sha256 = Some(Sha256Digest::of(content(300_000)));
    request.size = Some(300_000);
    let downloaded = fetch(&request).unwrap();
    assert_eq!(downloaded.url.as_deref(), Some(server.url("/m").as_str()));
    assert_eq!(
        (downloaded.size, Some(downloaded.sha256)),
        (300_000, request.sha256)
    );
    assert_eq!(std::fs::read(&downloaded.path).unwrap(), content(300_000));
    assert_eq!(names_in(&folder.path().join("new")), ["model.bin"]);
}

#[test]
fn a_file_that_is_there_with_its_digest_is_not_asked_for() {
    let server = Server::start(|_, _| Answer::ok("new"));
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(server.url("/m"), folder.path());
    std::fs::write(&request.destination, "old").unwrap();
    request.sha256 = Some(Sha256Digest::of("old"));
    assert_eq!(fetch(&request).unwrap().url, None);
    assert!(server.seen().is_empty());
    request.sha256 = Some(Sha256Digest::of("new"));
    assert!(fetch(&request).unwrap().url.is_some());
    assert_eq!(std::fs::read(&request.destination).unwrap(), b"new");
}

#[test]
fn an_empty_file_and_one_of_unknown_length_are_files_too() {
    let server = Server::start(|_, seen| match seen.path.as_str() {
        "/empty" => Answer::ok(""),
        _ => Answer::ok(content(70_000)).claiming(None),
    });
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        fetch(&request(server.url("/empty"), folder.path())).unwrap().size,
        0
    );
    assert_eq!(
        fetch(&request(server.url("/unknown"), folder.path()))
            .unwrap()
            .size,
        70_000
    );
}

#[test]
fn file_urls_are_copied_even_offline() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("a weight#1.bin");
    std::fs::write(&original, content(1000)).unwrap();
    let request = request(Url::from_file_path(&original).unwrap(), folder.path());
    let offline = Downloader::with_credentials(&config(), true, Credentials::default());
    let downloaded = offline
        .fetch(&request, &NoObserver, &Cancellation::default())
        .unwrap();
    assert_eq!(downloaded.sha256, Sha256Digest::of(content(1000)));
    assert_eq!(names_in(folder.path()), ["a weight#1.bin", "model.bin"]);
}

#[test]
fn offline_refuses_at_once_and_says_what_is_missing() {
    let server = Server::start(|_, _| Answer::ok(""));
    let folder = tempfile::tempdir().unwrap();
    let request = request(server.url("/m"), folder.path());
    let offline = Downloader::with_credentials(&config(), true, Credentials::default());
    let error = offline
        .fetch(&request, &NoObserver, &Cancellation::default())
        .unwrap_err();
    assert!(
        matches!(&error, DownloadError::Offline { destination, .. } if *destination == request.destination)
    );
    assert!(error.to_string().contains(&server.url("/m")), "{error}");
    assert!(server.seen().is_empty());
    assert!(names_in(folder.path()).is_empty());
}

#[test]
fn mirrors_are_asked_in_place_of_the_original() {
    let server = Server::start(|_, _| Answer::ok("x"));
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config
        .mirrors
        .insert("https://github.com/", server.url("/mirror/"));
    let request = request("https://github.com/u/r/m.bin", folder.path());
    let downloaded = downloader(&config)
        .fetch(&request, &NoObserver, &Cancellation::default())
        .unwrap();
    assert_eq!(downloaded.url.as_deref(), Some("https://github.com/u/r/m.bin"));
    assert_eq!(server.seen()[0].path, "/mirror/u/r/m.bin");
    assert_eq!(
        server.seen()[0].header("authorization"),
        None,
        "the mirror is not GitHub"
    );
}

#[test]
fn the_next_url_is_tried_when_one_fails() {
    let server = Server::start(|_, seen| match seen.path.as_str() {
        "/gone" => Answer::new("404 Not Found", ""),
        "/other" => Answer::ok("other"),
        _ => Answer::ok("good"),
    });
    let folder = tempfile::tempdir().unwrap();
    let mut request = request("nonsense", folder.path());
    request
        .urls
        .extend(["/gone", "/other", "/good"].map(|path| server.url(path)));
    request.sha256 = Some(Sha256Digest::of("good"));
    assert_eq!(fetch(&request).unwrap().url, Some(server.url("/good")));
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn progress_is_told_and_cancelling_stops() {
    struct CancelAtFirst(Cancellation);
    impl Observer for CancelAtFirst {
        fn notice(&self, event: Event<'_>) {
            let Event::Downloading { done, total, .. } = event else {
                panic!("only a download is going on, not {event:?}");
            };
            assert_eq!(total, Some(1_000_000));
            if done > 0 {
                self.0.cancel();
            }
        }
    }
    let server = Server::start(|_, _| Answer::ok(content(1_000_000)).stall_at(1000));
    let folder = tempfile::tempdir().unwrap();
    let cancellation = Cancellation::default();
    let request = request(server.url("/m"), folder.path());
    let result = downloader(&config()).fetch(&request, &CancelAtFirst(cancellation.clone()), &cancellation);
    assert!(matches!(result, Err(DownloadError::Cancelled { .. })));
    assert!(!request.destination.exists());
}

#[test]
fn it_can_be_called_from_an_asynchronous_program() {
    let server = Server::start(|_, _| Answer::ok("x"));
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let downloaded = runtime
        .block_on(async { fetch(&request(server.url("/m"), folder.path())) })
        .unwrap();
    assert_eq!(downloaded.size, 1);
}
