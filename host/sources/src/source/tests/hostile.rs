//! Repositories and servers that mean harm.
use super::{World, chain};
use crate::{
    download::Credentials,
    git::OmissionKind,
    testing::{Entry, TestRepository},
};
use modelzoo_test_support::git_server::GitServer;
use std::path::Path;

#[test]
fn hostile_repositories_are_refused_by_name() {
    let world = World::new();
    let repository = TestRepository::new(&world.served().join("hostile.git"));
    let outside = world.folder.path().join("outside");
    for (branch, entry, expected) in [
        (
            "absolute",
            Entry::Link("/etc/passwd"),
            "`dir/x` is refused because it is a symbolic link out of the source",
        ),
        (
            "above",
            Entry::Link("../../outside"),
            "`dir/x` is refused because it is a symbolic link out of the source",
        ),
    ] {
        repository.commit_source(branch, "m", &[("dir/x", entry)]);
        let error = world
            .resolve(&format!("{}@{branch}", repository.url()))
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    for (name, expected) in [
        (&b".."[..], "leads to another folder"),
        (b"../outside", "contains a separator"),
        (b".GIT", "belongs to Git"),
        (b"a\\b", "contains a separator"),
        (b"\xff", "not UTF-8"),
    ] {
        repository.commit_tree("names", repository.tree_with_name(name, "x"));
        let error = world.resolve(&format!("{}@names", repository.url())).unwrap_err();
        assert!(chain(&error).contains(expected), "{}", chain(&error));
    }
    assert!(!outside.exists());
}

#[test]
fn submodules_and_lfs_files_are_reported_and_nothing_is_executed() {
    let world = World::new();
    let repository = TestRepository::new(&world.served().join("special.git"));
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    repository.commit_source(
        "main",
        "m",
        &[
            (
                ".gitattributes",
                Entry::File("* filter=evil\n*.txt text eol=crlf\n"),
            ),
            (
                ".gitmodules",
                Entry::File("[submodule \"sub\"]\npath = sub\nurl = ext::sh -c x\n"),
            ),
            (
                "hooks/post-checkout",
                Entry::Executable("#!/bin/sh\ntouch /tmp/hooked"),
            ),
            ("text.txt", Entry::File("a\nb\n")),
            ("weights.bin", Entry::File(pointer)),
            ("sub", Entry::Submodule),
            ("link", Entry::Link("hooks/post-checkout")),
        ],
    );
    let source = world.resolve(&repository.url()).unwrap();
    let omitted: Vec<_> = source
        .omissions
        .iter()
        .map(|o| (o.path.as_str(), o.kind))
        .collect();
    assert_eq!(
        omitted,
        [
            ("sub", OmissionKind::Submodule),
            ("weights.bin", OmissionKind::LfsPointer)
        ]
    );
    assert_eq!(
        std::fs::read_to_string(source.root.join("text.txt")).unwrap(),
        "a\nb\n"
    );
    assert_eq!(
        std::fs::read_link(source.root.join("link")).unwrap(),
        Path::new("hooks/post-checkout")
    );
    // The hash that was computed while writing is the one that verification computes.
    assert_eq!(
        world.store.source_tree(&source.tree_hash).unwrap(),
        Some(source.root.clone())
    );
    assert_eq!(
        world.resolve(&repository.url()).unwrap().omissions,
        source.omissions
    );
}

#[test]
fn the_token_goes_nowhere_else() {
    let mut world = World::new();
    world.repository("user/repo.git");
    let other = GitServer::with_token(&world.served(), "secret");
    world.credentials = Credentials::new(Some("secret".into()), None, Vec::new());
    // A host that is not GitHub asks for credentials.
    world.resolve(&format!("{}user/repo", other.url())).unwrap_err();
    // The mirror of GitHub sends the client on to another host, which asks for credentials.
    let redirecting = GitServer::redirecting(&other.url().replace("127.0.0.1", "localhost"));
    world.mirrors.insert("https://github.com/", redirecting.url());
    world.resolve("user/repo").unwrap_err();
    assert!(!other.requests().is_empty());
    assert!(
        other
            .requests()
            .iter()
            .all(|request| request.authorization.is_none())
    );
}

#[test]
fn the_token_does_not_follow_to_another_port() {
    let mut world = World::new();
    world.repository("user/repo.git");
    world.credentials = Credentials::new(Some("secret".into()), None, Vec::new());
    for known_by_its_token in [false, true] {
        let other = GitServer::with_token(&world.served(), "secret");
        let first = match known_by_its_token {
            true => GitServer::redirecting_members("secret", &other.url()),
            false => GitServer::redirecting(&other.url()),
        };
        world.mirrors.insert("https://github.com/", first.url());
        let error = world.resolve("user/repo").unwrap_err();
        assert!(!chain(&error).contains("secret"), "{}", chain(&error));
        let told = other
            .requests()
            .iter()
            .any(|request| request.authorization.is_some());
        assert!(!told, "the other server saw the token: {}", chain(&error));
        let shown = first
            .requests()
            .iter()
            .any(|request| request.authorization.is_some());
        assert_eq!(shown, known_by_its_token);
    }
}
