//! Continuing what is there, and never mixing two contents.
use super::*;

const SIZE: usize = 3_000_000;

/// Leaves behind what a killed process does: the first `bytes` of a download from `url`.
fn interrupted(request: &Request, url: &str, bytes: &[u8], etag: Option<&str>, total: usize) {
    let partial = request.destination.with_file_name(".model.bin.part");
    std::fs::write(&partial, bytes).unwrap();
    let record = serde_json::json!({ "url": url, "etag": etag, "last_modified": null, "total": total });
    std::fs::write(partial.with_extension("part.json"), record.to_string()).unwrap();
}

#[test]
fn a_broken_connection_is_continued_where_it_broke() {
    let server = Server::start(|number, seen| {
        let answer = Answer::with_ranges(seen, &content(SIZE), "\"v1\"");
        if number < 2 {
            answer.cut_at(1_000_000)
        } else {
            answer
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let downloaded = fetch(&request(server.url("/m"), folder.path())).unwrap();
    assert_eq!(downloaded.sha256, Sha256Digest::of(content(SIZE)));
    assert_eq!(std::fs::read(downloaded.path).unwrap(), content(SIZE));
    let seen = server.seen();
    let starts: Vec<_> = seen.iter().map(Seen::range_start).collect();
    assert_eq!(starts, [None, Some(1_000_000), Some(2_000_000)]);
    assert_eq!(seen[1].header("if-range"), Some("\"v1\""));
    assert_eq!(names_in(folder.path()), ["model.bin"]);
}

#[test]
fn what_a_killed_process_left_is_continued_at_any_byte() {
    let server = Server::start(|_, seen| Answer::with_ranges(seen, &content(1000), "\"v1\""));
    for done in [1, 499, 999, 1000] {
        let folder = tempfile::tempdir().unwrap();
        let request = request(server.url("/m"), folder.path());
        interrupted(
            &request,
            &server.url("/m"),
            &content(1000)[..done],
            Some("\"v1\""),
            1000,
        );
        assert_eq!(
            fetch(&request).unwrap().sha256,
            Sha256Digest::of(content(1000)),
            "{done} bytes were there"
        );
        // A whole file is not known to be the server's before it has sent some of it.
        assert_eq!(server.seen().last().unwrap().range_start(), Some(done.min(999)));
        assert_eq!(names_in(folder.path()), ["model.bin"]);
    }
}

#[test]
fn a_server_that_ignores_ranges_is_read_from_the_start() {
    let server = Server::start(|_, _| Answer::ok(content(1000)).header("ETag", "\"v1\""));
    let folder = tempfile::tempdir().unwrap();
    let request = request(server.url("/m"), folder.path());
    interrupted(
        &request,
        &server.url("/m"),
        &content(1000)[..500],
        Some("\"v1\""),
        1000,
    );
    assert_eq!(fetch(&request).unwrap().sha256, Sha256Digest::of(content(1000)));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_file_that_changed_on_the_server_is_read_from_the_start() {
    let server = Server::start(|_, seen| Answer::with_ranges(seen, &content(1000), "\"v2\""));
    let folder = tempfile::tempdir().unwrap();
    let request = request(server.url("/m"), folder.path());
    interrupted(&request, &server.url("/m"), &[0; 500], Some("\"v1\""), 1000);
    assert_eq!(fetch(&request).unwrap().sha256, Sha256Digest::of(content(1000)));
}

#[test]
fn a_server_that_continues_another_content_is_noticed() {
    // Ignores If-Range, and each answer has another ETag until the client asks for the whole.
    let server = Server::start(|number, seen| {
        let range = seen.range_start();
        let etag = format!("\"{}\"", if range.is_some() { number + 10 } else { 0 });
        let answer = match range {
            Some(start) => Answer::new("206 Partial Content", &content(1000)[start..])
                .header("Content-Range", format!("bytes {start}-999/1000")),
            None => Answer::ok(content(1000)),
        };
        answer.header("ETag", etag)
    });
    let folder = tempfile::tempdir().unwrap();
    let request = request(server.url("/m"), folder.path());
    interrupted(&request, &server.url("/m"), &[0; 500], Some("\"v1\""), 1000);
    assert_eq!(fetch(&request).unwrap().sha256, Sha256Digest::of(content(1000)));
    let starts: Vec<_> = server.seen().iter().map(Seen::range_start).collect();
    assert_eq!(starts, [Some(500), None]);
}

#[test]
fn a_range_that_starts_elsewhere_is_not_appended() {
    let server = Server::start(|_, seen| match seen.range_start() {
        Some(_) => Answer::new("206 Partial Content", &content(1000)[400..])
            .header("Content-Range", "bytes 400-999/1000"),
        None => Answer::ok(content(1000)),
    });
    let folder = tempfile::tempdir().unwrap();
    let request = request(server.url("/m"), folder.path());
    interrupted(
        &request,
        &server.url("/m"),
        &content(1000)[..500],
        Some("\"v1\""),
        1000,
    );
    assert_eq!(fetch(&request).unwrap().sha256, Sha256Digest::of(content(1000)));
}

#[test]
fn without_a_validator_only_a_known_digest_allows_to_continue() {
    let server = Server::start(|_, seen| Answer::with_ranges(seen, &content(1000), "W/\"weak\""));
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(server.url("/m"), folder.path());
    interrupted(&request, &server.url("/m"), &content(1000)[..500], None, 1000);
    assert_eq!(fetch(&request).unwrap().sha256, Sha256Digest::of(content(1000)));
    assert_eq!(server.seen()[0].range_start(), None);

    std::fs::remove_file(&request.destination).unwrap();
    request.sha256 = Some(Sha256Digest::of(content(1000)));
    interrupted(
        &request,
        "https://another.example/mirror",
        &content(1000)[..500],
        Some("\"its\""),
        1000,
    );
    assert_eq!(Some(fetch(&request).unwrap().sha256), request.sha256);
    let last = server.seen().pop().unwrap();
    assert_eq!((last.range_start(), last.header("if-range")), (Some(500), None));
}

#[test]
fn a_wrong_beginning_is_found_by_the_digest_and_read_again() {
    let server = Server::start(|_, seen| Answer::with_ranges(seen, &content(1000), "\"v1\""));
    let folder = tempfile::tempdir().unwrap();
    let mut request = request(server.url("/m"), folder.path());
    request.sha256 = Some(Sha256Digest::of(content(1000)));
    interrupted(&request, &server.url("/m"), &[7; 500], Some("\"v1\""), 1000);
    assert_eq!(Some(fetch(&request).unwrap().sha256), request.sha256);
    let starts: Vec<_> = server.seen().iter().map(Seen::range_start).collect();
    assert_eq!(starts, [Some(500), None]);
}

#[test]
fn a_damaged_record_means_a_fresh_start() {
    let server = Server::start(|_, seen| Answer::with_ranges(seen, &content(1000), "\"v1\""));
    let folder = tempfile::tempdir().unwrap();
    let request = request(server.url("/m"), folder.path());
    interrupted(&request, &server.url("/m"), &[7; 500], Some("\"v1\""), 1000);
    std::fs::write(folder.path().join(".model.bin.part.json"), "{").unwrap();
    assert_eq!(fetch(&request).unwrap().sha256, Sha256Digest::of(content(1000)));
    assert_eq!(server.seen()[0].range_start(), None);
}

#[test]
fn what_failed_for_good_can_be_continued_later() {
    let server = Server::start(|number, seen| match number {
        0 => Answer::with_ranges(seen, &content(1000), "\"v1\"").cut_at(600),
        1 => Answer::new("403 Forbidden", ""),
        _ => Answer::with_ranges(seen, &content(1000), "\"v1\""),
    });
    let folder = tempfile::tempdir().unwrap();
    let request = request(server.url("/m"), folder.path());
    assert!(fetch(&request).is_err());
    assert_eq!(
        names_in(folder.path()),
        [".model.bin.part", ".model.bin.part.json"]
    );
    assert_eq!(fetch(&request).unwrap().sha256, Sha256Digest::of(content(1000)));
    assert_eq!(server.seen()[2].range_start(), Some(600));
}
