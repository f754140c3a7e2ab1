//! Redirects, and who gets to see a token.
use super::*;
use std::sync::{Arc, OnceLock};

fn authorization(server: &Server) -> Vec<Option<String>> {
    server
        .seen()
        .iter()
        .map(|seen| seen.header("authorization").map(str::to_owned))
        .collect()
}

/// Fetches `url` with `server` known as an Enterprise host of GitHub.
fn fetch_as_github(server: &Server, url: String) -> Result<Downloaded, DownloadError> {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.github.hosts = vec![server.address().to_owned()];
    downloader(&config).fetch(
        &request(url, folder.path()),
        &NoObserver,
        &Cancellation::default(),
    )
}

#[test]
fn redirects_are_followed_and_the_token_stays_with_its_host() {
    let server = Server::start(|_, seen| match seen.path.as_str() {
        "/start" => Answer::redirect("/relative/../next"),
        _ => Answer::ok("x"),
    });
    fetch_as_github(&server, server.url("/start")).unwrap();
    assert_eq!(server.seen()[1].path, "/next");
    let token = Some("Bearer github-secret".to_owned());
    assert_eq!(authorization(&server), [token.clone(), token]);
}

#[test]
fn a_token_does_not_follow_to_another_host() {
    let elsewhere = Server::start(|_, _| Answer::ok("x"));
    let target = elsewhere.url("/m");
    let server = Server::start(move |_, _| Answer::redirect(target.as_str()));
    fetch_as_github(&server, server.url("/start")).unwrap();
    assert!(authorization(&server)[0].is_some());
    assert_eq!(authorization(&elsewhere), [None]);
}

#[test]
fn a_token_does_not_come_back_by_way_of_another_host() {
    let target = Arc::new(OnceLock::<String>::new());
    let back = Arc::clone(&target);
    let elsewhere = Server::start(move |_, _| Answer::redirect(back.get().unwrap().as_str()));
    let away = elsewhere.url("/away");
    let server = Server::start(move |_, seen| match seen.path.as_str() {
        "/start" => Answer::redirect(away.as_str()),
        _ => Answer::ok("x"),
    });
    target.set(server.url("/chosen-by-another")).unwrap();
    fetch_as_github(&server, server.url("/start")).unwrap();
    assert_eq!(
        authorization(&server),
        [Some("Bearer github-secret".to_owned()), None]
    );
    fetch_as_github(&server, elsewhere.url("/first")).unwrap();
    assert_eq!(authorization(&server).last(), Some(&None));
}

#[test]
fn mirrors_apply_to_redirects_too() {
    let mirror = Server::start(|_, _| Answer::ok("x"));
    let server = Server::start(|_, _| Answer::redirect("https://objects.example/m"));
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config
        .mirrors
        .insert("https://objects.example/", mirror.url("/objects/"));
    let request = request(server.url("/m"), folder.path());
    downloader(&config)
        .fetch(&request, &NoObserver, &Cancellation::default())
        .unwrap();
    assert_eq!(mirror.seen()[0].path, "/objects/m");
}

#[test]
fn a_circle_ends() {
    let server = Server::start(|_, _| Answer::redirect("/again"));
    let folder = tempfile::tempdir().unwrap();
    let error = fetch(&request(server.url("/m"), folder.path())).unwrap_err();
    assert!(
        error.to_string().contains("there are too many redirects"),
        "{error}"
    );
    assert_eq!(server.seen().len(), 11);
}

#[test]
fn a_redirect_to_a_local_file_is_refused() {
    for to in ["file:///etc/passwd", "ftp://example.com/m", "http://[broken"] {
        let server = Server::start(move |_, _| Answer::redirect(to));
        let folder = tempfile::tempdir().unwrap();
        let error = fetch(&request(server.url("/m"), folder.path())).unwrap_err();
        assert!(error.to_string().contains("is not followed"), "{to}: {error}");
    }
    let server = Server::start(|_, _| Answer::new("302 Found", ""));
    let folder = tempfile::tempdir().unwrap();
    let error = fetch(&request(server.url("/m"), folder.path())).unwrap_err();
    assert!(error.to_string().contains("names no address"), "{error}");
}

#[test]
fn an_encrypted_connection_is_not_left() {
    // The mirror stands for a site with https.
    let plain = Server::start(|_, _| Answer::ok("x"));
    let target = plain.url("/m");
    let server = Server::start(move |_, _| Answer::redirect(target.as_str()));
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.mirrors.insert("https://secure.example/", server.url("/"));
    let request = request("https://secure.example/m", folder.path());
    let error = downloader(&config)
        .fetch(&request, &NoObserver, &Cancellation::default())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("it would leave the encrypted connection"),
        "{error}"
    );
    assert!(plain.seen().is_empty());
}

#[test]
fn the_page_before_a_big_google_drive_file_is_passed() {
    let server = Server::start(|_, seen| {
        if seen.path.contains("uuid=42") {
            return Answer::ok("weights");
        }
        let form = r#"<html><form id="download-form" action="https://drive.usercontent.google.com/download">
            <input type="hidden" name="id" value="1AbC"><input type="hidden" name="uuid" value="42"></form>"#;
        Answer::ok(form).header("Content-Type", "text/html; charset=utf-8")
    });
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config
        .mirrors
        .insert("https://drive.usercontent.google.com/", server.url("/"));
    let request = request(
        "https://drive.google.com/file/d/1AbC/view?usp=sharing",
        folder.path(),
    );
    let downloaded = downloader(&config)
        .fetch(&request, &NoObserver, &Cancellation::default())
        .unwrap();
    assert_eq!(downloaded.sha256, Sha256Digest::of("weights"));
    assert_eq!(
        server.seen()[0].path,
        "/download?id=1AbC&export=download&confirm=t"
    );
    assert_eq!(server.seen()[1].path, "/download?id=1AbC&uuid=42");
}
