//! What goes wrong on the way from a reference to a loaded model: servers, builds, artifacts and weights. Every command
//! that goes this way stops at the same place, says the same, and ends with the same code.

use super::{black_picture, run};
use crate::support::{
    User, copy_folder,
    hosted::publish_model,
    http_server::{Answer, Server},
    published::user_with_source,
    sample,
};
use serde_json::json;
use std::{fs, path::Path};

/// Commands that need the files of a source.
const RESOLVING: [&str; 9] = [
    "info SOURCE",
    "download SOURCE",
    "requirements SOURCE",
    "sources add SOURCE",
    "trust allow SOURCE",
    "apply SOURCE pictures",
    "embed SOURCE pictures",
    "embed SOURCE --prompt cat",
    "plugin bench SOURCE pictures",
];

/// Commands that need the model of a source, and so its library.
const LOADING: [&str; 4] = [
    "apply SOURCE pictures",
    "embed SOURCE pictures",
    "embed SOURCE --prompt cat",
    "plugin bench SOURCE pictures",
];

/// Runs the commands with this source: each ends with `code` and the same words, which are given.
#[track_caller]
fn told_by_all(user: &User, commands: &[&str], source: &str, code: i32) -> String {
    let mut told = Vec::new();
    for words in commands {
        let words = words.replace("SOURCE", source);
        let run = run(user, &words);
        assert_eq!(run.code, code, "{words}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{words}");
        // What a command says while it works is not its error.
        let from_error = run.stderr.find("error: ");
        let error = &run.stderr[from_error.unwrap_or_else(|| panic!("{words}: {}", run.stderr))..];
        told.push(error.trim_end().to_owned());
    }
    let first = told[0].clone();
    for (one, words) in told.iter().zip(commands) {
        assert_eq!(*one, first, "{words}");
    }
    first
}

fn user() -> User {
    let user = User::new()
        .with_empty_store()
        .with_variable("MODELZOO_DOWNLOAD_RETRIES", "0")
        .with_variable("MODELZOO_DOWNLOAD_STALL_TIMEOUT_SECONDS", "1");
    black_picture(&user);
    user
}

#[test]
fn servers_that_do_not_give_what_they_should() {
    let server = Server::start(|_, seen| match seen.path.split('/').nth(1) {
        Some("lost") => Answer::new("404 Not Found", ""),
        Some("locked") => Answer::new("401 Unauthorized", ""),
        Some("broken") => Answer::new("500 Internal Server Error", ""),
        Some("page") => Answer::ok("<!DOCTYPE html><html>Welcome</html>"),
        _ => Answer::ok("cut").claiming(Some(3000)).cut_at(3),
    });
    let user = user();
    for (path, code, reason) in [
        ("/lost/model.git", 3, "no Git repository"),
        ("/locked/model.git", 1, "credentials"),
        ("/broken/model.git", 1, "500"),
        ("/page/model.git", 1, "because: "),
        ("/lost/model.zip", 3, "404"),
        ("/locked/model.zip", 1, "401"),
        ("/broken/model.zip", 1, "500"),
        ("/page/model.zip", 1, "a web page came"),
        ("/cut/model.tar.gz", 1, "broke after 3 bytes of 3000"),
    ] {
        let error = told_by_all(&user, &RESOLVING, &server.url(path), code);
        assert!(error.contains(reason), "{path}: {error}");
        assert_eq!(error.matches(&server.url(path)).count(), 1, "{error}");
    }
    // Nobody listens there.
    let error = told_by_all(&user, &RESOLVING, "http://127.0.0.1:9/model.git", 1);
    assert!(error.contains("127.0.0.1:9"), "{error}");
    let left = fs::read_dir(user.path("store/sources")).unwrap().count();
    assert_eq!(left, 0, "what failed leaves nothing");
}

#[test]
fn code_that_nobody_has_allowed_or_that_somebody_has_denied() {
    let (user, url, _, _) = user_with_source();
    black_picture(&user);
    let error = told_by_all(&user, &LOADING, &url, 4);
    assert!(error.contains("\nhint: "), "{error}");
    run(&user, &format!("trust deny {url}")).expect(0);
    let error = told_by_all(&user, &LOADING, &url, 4);
    assert!(error.contains("denied"), "{error}");
}

#[test]
fn a_plugin_that_does_not_compile() {
    let user = user();
    copy_folder(&sample("broken"), &user.path("source"));
    let error = told_by_all(&user, &LOADING, "./source", 5);
    assert!(error.contains("error[E"), "the compiler's own words: {error}");
}

#[test]
fn a_library_that_was_changed_after_it_was_built() {
    let user = user();
    copy_folder(&sample("brightness"), &user.path("source"));
    run(&user, "apply ./source pictures").expect(0);
    damage(&user.path("store/artifacts"), "so");
    let error = told_by_all(&user, &LOADING, "./source", 6);
    assert!(error.contains("\nhint: "), "{error}");
}

#[test]
fn libraries_that_are_no_plugins_of_this_host() {
    for sample_name in ["foreign_abi", "foreign_contract", "not_a_plugin"] {
        let user = User::new();
        black_picture(&user);
        copy_folder(&sample(sample_name), &user.path("source"));
        let error = told_by_all(&user, &LOADING, "./source", 7);
        assert!(error.contains("\nhint: "), "{error}");
    }
}

#[test]
fn weights_that_are_not_what_the_manifest_says() {
    let user = user();
    let server = Server::start(|_, _| Answer::ok("weights"));
    let manager = json!({ "url": server.url("/w"), "sha256": "0".repeat(64) });
    let url = publish_model(&user, manager);
    let commands = [&LOADING[..], &["download SOURCE"]].concat();
    let error = told_by_all(&user, &commands, &url, 6);
    assert!(error.contains(&"0".repeat(64)), "{error}");
}

#[test]
fn a_run_that_may_change_nothing_of_what_is_pinned() {
    let (user, url, _, _) = user_with_source();
    black_picture(&user);
    let tagged = format!("{url}@v1");
    run(&user, &format!("trust allow {tagged}")).expect(0);
    run(&user, &format!("apply {tagged} pictures")).expect(0);
    let locked = LOADING.map(|words| format!("{words} --locked"));
    let locked = locked.each_ref().map(String::as_str);
    let error = told_by_all(&user, &locked, &tagged, 1);
    assert!(error.contains("modelzoo.lock"), "{error}");
    run(&user, "lock").expect(0);
    let lock = user.path("modelzoo.lock");
    let text = fs::read_to_string(&lock).unwrap();
    let tree = text
        .lines()
        .find_map(|line| line.strip_prefix("tree = "))
        .unwrap();
    fs::write(&lock, text.replace(tree, &format!("\"{}\"", "0".repeat(64)))).unwrap();
    let error = told_by_all(&user, &LOADING, &tagged, 6);
    assert!(error.contains("modelzoo.lock"), "{error}");
}

/// Changes one byte of each file with this ending.
fn damage(folder: &Path, ending: &str) {
    let mut changed = 0;
    for entry in walkdir::WalkDir::new(folder) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == ending) {
            let mut content = fs::read(&path).unwrap();
            let last = content.len() - 1;
            content[last] ^= 1;
            fs::remove_file(&path).unwrap();
            fs::write(&path, content).unwrap();
            changed += 1;
        }
    }
    assert!(changed > 0, "no .{ending} in {}", folder.display());
}
