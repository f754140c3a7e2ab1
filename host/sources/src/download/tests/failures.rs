//! Servers that fail, lie or send something else.
use super::*;
use modelzoo_base::error::Diagnose as _;

/// The one failure of a request that only has one URL.
fn failure(request: &Request) -> FailureReason {
    match fetch(request) {
        Err(DownloadError::Failed { mut failures, .. }) if failures.len() == 1 => failures.remove(0).reason,
        other => panic!("expected one failed URL, not {other:?}"),
    }
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    for status in [
        "500 Internal Server Error",
        "503 Service Unavailable",
        "429 Too Many Requests",
    ] {
        let server = Server::start(move |number, _| match number {
            0 | 1 => Answer::new(status, "").header("Retry-After", "0"),
            _ => Answer::ok("good"),
        });
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            fetch(&request(server.url("/m"), folder.path())).unwrap().size,
            4,
            "{status}"
        );
    }
}

#[test]
fn retries_end() {
    let server = Server::start(|_, _| Answer::new("502 Bad Gateway", ""));
    let folder = tempfile::tempdir().unwrap();
    let reason = failure(&request(server.url("/m"), folder.path()));
    assert_eq!(reason.to_string(), "the server answered 502 Bad Gateway");
    assert_eq!(server.seen().len(), 4, "one attempt and three retries");
    assert!(names_in(folder.path()).is_empty());
}

#[test]
fn a_missing_file_is_not_asked_for_again() {
    let server = Server::start(|_, _| Answer::new("404 Not Found", ""));
    let folder = tempfile::tempdir().unwrap();
    let error = fetch(&request(server.url("/m"), folder.path())).unwrap_err();
    assert!(error.is_not_found() && error.next_step().is_none());
    let url = server.url("/m");
    let expected = format!("model.bin from {url}: the server answered 404 Not Found");
    assert!(error.to_string().ends_with(&expected), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_missing_private_file_hints_at_the_token() {
    let server = Server::start(|_, _| Answer::new("404 Not Found", ""));
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.github.hosts = vec![server.address().to_owned()];
    let without_token = Credentials::new(None, None, config.github.hosts.clone());
    let downloader = Downloader::with_credentials(&config, false, without_token);
    let request = request(server.url("/m"), folder.path());
    let error = downloader
        .fetch(&request, &NoObserver, &Cancellation::default())
        .unwrap_err();
    assert_eq!(
        error.next_step().unwrap().to_string(),
        "if the file is private, set GITHUB_TOKEN to a token that may read it"
    );
}

#[test]
fn nobody_listening_says_so() {
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let reason = failure(&request(format!("http://{address}/m"), folder.path()));
    assert!(
        reason
            .to_string()
            .starts_with("cannot connect: Connection refused"),
        "{reason}"
    );
}

#[test]
fn a_server_that_does_not_encrypt_is_not_talked_to_as_if() {
    let server = Server::start(|_, _| Answer::ok("x"));
    let folder = tempfile::tempdir().unwrap();
    let url = server.url("/m").replace("http://", "https://");
    let mut once = config();
    once.download.retries = 0;
    let error = downloader(&once)
        .fetch(
            &request(url, folder.path()),
            &NoObserver,
            &Cancellation::default(),
        )
        .unwrap_err();
    assert!(error.to_string().contains("cannot connect: tls"), "{error}");
}

#[test]
fn a_stalled_connection_is_given_up_and_continued() {
    let server = Server::start(|number, seen| {
        let answer = Answer::with_ranges(seen, &content(5000), "\"v1\"");
        if number == 0 {
            answer.stall_at(2000)
        } else {
            answer
        }
    });
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        fetch(&request(server.url("/m"), folder.path())).unwrap().size,
        5000
    );
    assert_eq!(server.seen()[1].range_start(), Some(2000));

    let server = Server::start(|_, _| Answer::ok("x").stall_at(0));
    let mut impatient = config();
    impatient.download.retries = 0;
    let request = request(server.url("/m"), folder.path());
    let error = downloader(&impatient)
        .fetch(&request, &NoObserver, &Cancellation::default())
        .unwrap_err();
    assert!(
        error.to_string().ends_with("nothing arrived for 0.4 s"),
        "{error}"
    );
}

#[test]
fn a_slow_server_is_not_a_stalled_one() {
    // Longer in all than the stall time-out, shorter in each pause.
    let server = Server::start(|_, _| Answer::ok(content(1000)).slowly(Duration::from_millis(60)));
    let folder = tempfile::tempdir().unwrap();
    fetch(&request(server.url("/m"), folder.path())).unwrap();
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_length_that_is_too_long_is_a_broken_connection() {
    let server = Server::start(|_, _| Answer::ok(content(1000)).claiming(Some(2000)));
    let folder = tempfile::tempdir().unwrap();
    let reason = failure(&request(server.url("/m"), folder.path()));
    assert!(
        matches!(
            reason,
            FailureReason::Broken {
                received: 1000,
                total: Some(2000)
            }
        ),
        "{reason:?}"
    );
    assert!(!folder.path().join("model.bin").exists());
}

#[test]
fn a_length_that_is_too_short_does_not_pass_as_the_file() {
    let server = Server::start(|_, _| Answer::ok(content(1000)).claiming(Some(500)));
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(server.url("/m"), folder.path());
    request.size = Some(1000);
    let reason = failure(&request);
    assert!(
        matches!(
            reason,
            FailureReason::SizeMismatch {
                expected: 1000,
                found: 500
            }
        ),
        "{reason:?}"
    );
    request.size = None;
    request.sha256 = Some(Sha256Digest::of(content(1000)));
    assert!(matches!(failure(&request), FailureReason::DigestMismatch { .. }));
    assert!(names_in(folder.path()).is_empty());
}

#[test]
fn an_endless_body_is_cut_at_the_expected_size() {
    let server = Server::start(|_, _| Answer::ok(content(5_000_000)).claiming(None));
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(server.url("/m"), folder.path());
    request.size = Some(1000);
    assert!(matches!(
        failure(&request),
        FailureReason::SizeMismatch { expected: 1000, .. }
    ));
    assert!(names_in(folder.path()).is_empty());
}

#[test]
fn a_wrong_digest_is_an_integrity_error_and_leaves_nothing() {
    let server = Server::start(|_, _| Answer::ok("evil"));
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(server.url("/m"), folder.path());
    request.sha256 = Some(Sha256Digest::of("good"));
    let error = fetch(&request).unwrap_err();
    assert!(error.is_integrity() && error.next_step().is_some());
    for digest in [Sha256Digest::of("evil"), Sha256Digest::of("good")] {
        assert!(error.to_string().contains(&digest.to_string()), "{error}");
    }
    assert_eq!(server.seen().len(), 1);
    assert!(names_in(folder.path()).is_empty());
}

#[test]
fn a_web_page_is_not_taken_for_the_file() {
    let page = "<!DOCTYPE html><html><head><title>Quota exceeded</title></head></html>";
    let server = Server::start(move |_, _| Answer::ok(page).header("Content-Type", "text/html"));
    let folder = tempfile::tempdir().unwrap();
    let error = fetch(&request(server.url("/m"), folder.path())).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("a web page came instead of the file: \"Quota exceeded\""),
        "{error}"
    );
    assert!(names_in(folder.path()).is_empty());
}

#[test]
fn a_compressed_answer_is_refused() {
    let server = Server::start(|_, _| Answer::ok("x").header("Content-Encoding", "gzip"));
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        failure(&request(server.url("/m"), folder.path())),
        FailureReason::Encoding { .. }
    ));
    assert_eq!(server.seen()[0].header("accept-encoding"), Some("identity"));
}

#[test]
fn other_schemes_and_missing_local_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["ftp://example.com/m", "not a url", "data:,x"] {
        assert!(
            matches!(
                failure(&request(url, folder.path())),
                FailureReason::UnsupportedUrl { .. }
            ),
            "{url}"
        );
    }
    let missing = fetch(&request("file:///nowhere/at/all", folder.path())).unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
    let mut none = request("", folder.path());
    none.urls.clear();
    assert!(matches!(fetch(&none), Err(DownloadError::NoUrl { .. })));
}

#[test]
fn a_password_in_a_url_is_not_printed() {
    let server = Server::start(|_, _| Answer::new("404 Not Found", ""));
    let folder = tempfile::tempdir().unwrap();
    let url = server.url("/m").replace("http://", "http://me:secret@");
    let error = format!("{:?}", fetch(&request(url, folder.path())).unwrap_err());
    assert!(!error.contains("secret"), "{error}");
}
