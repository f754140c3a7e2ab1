//! Downloads by the real program from servers that are slow, broken, lying or elsewhere.

use crate::support::{
    Run, User,
    hosted::publish_model,
    http_server::{Answer, Seen, Server},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{fs, io::Write as _, path::Path};

const ETAG: &str = "\"v1\"";

fn weights() -> Vec<u8> {
    (0..200_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn user() -> User {
    User::new()
        .with_empty_store()
        .with_variable("MODELZOO_DOWNLOAD_STALL_TIMEOUT_SECONDS", "1")
        .with_variable("MODELZOO_DOWNLOAD_RETRIES", "3")
}

fn serve(answer: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static) -> Server {
    Server::start(answer)
}

#[track_caller]
fn downloads_all(user: &User) -> Run {
    let run = user.run(["download", "m"]).expect(0);
    assert!(
        fs::read(run.stdout.trim()).unwrap() == weights(),
        "the weights are damaged"
    );
    run
}

/// `download` fails with this code; no weights are left, and the store is sound.
#[track_caller]
fn fails(user: &User, code: i32) -> Run {
    let run = user.run(["download", "m"]).expect(code);
    user.run(["find", "m"]).expect(3);
    assert_eq!(fs::read_dir(user.path("store/weights")).unwrap().count(), 0);
    user.run(["store", "verify"]).expect(0);
    run
}

#[test]
fn what_breaks_off_stalls_or_has_trouble_is_continued_where_it_stopped() {
    let user = user();
    let server = serve(|number, seen| {
        let answer = Answer::with_ranges(seen, &weights(), ETAG);
        match number {
            0 => Answer::new("503 Service Unavailable", "").header("Retry-After", "0"),
            1 => answer.cut_at(200_000),
            2 => answer.stall_at(200_000),
            _ => answer,
        }
    });
    publish_model(
        &user,
        json!({ "url": server.url("/w"), "sha256": sha256(&weights()) }),
    );
    downloads_all(&user);
    let starts: Vec<_> = server.seen().iter().map(Seen::range_start).collect();
    assert_eq!(starts, [None, None, Some(200_000), Some(400_000)]);
    // What is there and verified is not asked for again.
    user.run(["delete", "m"]).expect(0);
    downloads_all(&user);
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn a_server_that_lies_is_found_out() {
    let user = user();
    let server = serve(|_, _| Answer::ok("something else"));
    publish_model(
        &user,
        json!({ "url": server.url("/w"), "sha256": sha256(&weights()) }),
    );
    let run = fails(&user, 6);
    assert!(run.stderr.contains(&sha256(b"something else")), "{}", run.stderr);
    assert!(run.stderr.contains("hint:"), "{}", run.stderr);
}

#[test]
fn a_page_for_people_is_not_taken_for_the_weights() {
    let user = user();
    let server = serve(|_, _| {
        Answer::ok("<!DOCTYPE html><html><head><title>Quota exceeded</title>")
            .header("Content-Type", "text/html")
    });
    publish_model(&user, json!({ "url": server.url("/w") }));
    let run = fails(&user, 1);
    assert!(run.stderr.contains("Quota exceeded"), "{}", run.stderr);
}

#[test]
fn weights_that_are_nowhere_are_not_found() {
    let user = user();
    let server = serve(|_, _| Answer::new("404 Not Found", ""));
    publish_model(&user, json!({ "url": server.url("/w") }));
    let run = fails(&user, 3);
    assert!(run.error().contains("404 Not Found"), "{}", run.stderr);
}

#[test]
fn offline_says_what_is_missing_and_asks_nobody() {
    let user = user();
    let server = serve(|number, _| match number {
        0 => Answer::new("404 Not Found", ""),
        _ => Answer::ok(weights()),
    });
    publish_model(&user, json!({ "url": server.url("/w") }));
    // The plugin is built by this, and the weights are still missing.
    fails(&user, 3);
    let run = user.run(["download", "m", "--offline"]).expect(3);
    assert!(run.error().contains(&server.url("/w")), "{}", run.stderr);
    assert!(run.stderr.contains("without --offline"), "{}", run.stderr);
    assert_eq!(server.seen().len(), 1);
    downloads_all(&user);
    let asked = server.seen().len();
    user.run(["download", "m", "--offline"]).expect(0);
    assert_eq!(server.seen().len(), asked);
}

#[test]
fn mirrors_of_the_configuration_and_of_the_manifest_are_used() {
    let user = user();
    let server = serve(|_, seen| match seen.path.as_str() {
        "/mirror/w" => Answer::ok(weights()),
        _ => Answer::new("404 Not Found", ""),
    });
    let config = format!(
        "[mirrors]\n\"https://weights.invalid/\" = \"{}\"\n",
        server.url("/mirror/")
    );
    let user = user.with_config(&config);
    publish_model(
        &user,
        json!({ "url": [server.url("/gone"), "https://weights.invalid/w"] }),
    );
    downloads_all(&user);
    let paths: Vec<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/gone", "/mirror/w"]);
}

#[test]
fn the_proxy_of_the_environment_is_used_for_weights_and_for_git() {
    let proxy = serve(|_, seen| match seen.path.as_str() {
        "http://weights.invalid/w" => Answer::ok(weights()),
        _ => Answer::new("404 Not Found", ""),
    });
    let user = user()
        .with_variable("http_proxy", &proxy.url(""))
        .with_variable("https_proxy", &proxy.url(""));
    publish_model(&user, json!({ "url": "http://weights.invalid/w" }));
    downloads_all(&user);
    user.run(["list", "https://git.invalid/user/repo.git"]).expect(1);
    assert_eq!(proxy.seen().pop().unwrap().path, "git.invalid:443");
}

#[test]
fn weights_in_an_archive_are_extracted_whatever_it_is_called() {
    let user = user();
    let archive = {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        let mut add = |name: &str, content: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append_data(&mut header, name, content).unwrap();
        };
        add("weights.bin", &weights());
        add("notes/readme.txt", b"notes");
        let mut gzip = tar.into_inner().unwrap();
        gzip.flush().unwrap();
        gzip.finish().unwrap()
    };
    let server = serve(move |_, _| Answer::ok(archive.clone()));
    publish_model(
        &user,
        json!({ "url": server.url("/w.tar.gz?download=1"), "extract_archive": true, "delete_archive": true }),
    );
    let run = downloads_all(&user);
    let folder = Path::new(run.stdout.trim()).parent().unwrap().to_owned();
    assert_eq!(
        fs::read_to_string(folder.join("notes/readme.txt")).unwrap(),
        "notes"
    );
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        2,
        "the archive itself is not kept"
    );
    user.run(["store", "verify"]).expect(0);
}
