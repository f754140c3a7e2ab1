//! Sources from `file://` repositories, from a real Git server, and from this machine.
mod hostile;
mod in_place;

use super::*;
use crate::{
    access::Access,
    config::{Config, Mirrors},
    download::{Credentials, Downloader},
    git::GitError,
    store::{GcOptions, Store},
    testing::{Entry, TestRepository},
};
use modelzoo_base::{
    error::Diagnose as _,
    progress::{Cancellation, NoObserver},
};
use modelzoo_test_support::git_server::GitServer;
use tempfile::TempDir;

/// A store, and folders for repositories.
struct World {
    folder: TempDir,
    store: Store,
    mirrors: Mirrors,
    credentials: Credentials,
    offline: bool,
    refresh: bool,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        Self {
            folder,
            store,
            mirrors: Mirrors::default(),
            credentials: Credentials::default(),
            offline: false,
            refresh: false,
        }
    }

    fn served(&self) -> PathBuf {
        self.folder.path().join("served")
    }

    /// A repository with two commits, tags and branches; the ids of the older and the newer.
    fn repository(&self, name: &str) -> (TestRepository, String, String) {
        let repository = TestRepository::new(&self.served().join(name));
        let old = repository.commit_source("main", "old", &[("src/lib.rs", Entry::File("//! old"))]);
        repository.tag("v1", &old);
        repository.annotated_tag("v1-signed", &old);
        let new = repository.commit_source("main", "new", &[("run.sh", Entry::Executable("#!/bin/sh"))]);
        repository.commit_source(
            "feat/x",
            "branch",
            &[("models/a/manifest.json", Entry::File("{\"models\": []}"))],
        );
        (repository, old, new)
    }

    fn resolve(&self, spelling: &str) -> Result<ResolvedSource, SourceError> {
        let config = Config {
            mirrors: self.mirrors.clone(),
            ..Config::default()
        };
        let options = ResolveOptions {
            store: &self.store,
            access: Access {
                downloader: &Downloader::with_credentials(&config, self.offline, self.credentials.clone()),
                observer: &NoObserver,
                cancellation: &Cancellation::default(),
            },
            refresh: self.refresh,
        };
        resolve(&SourceRef::parse(spelling).unwrap(), &options)
    }

    fn model(&self, spelling: &str) -> String {
        let source = self
            .resolve(spelling)
            .unwrap_or_else(|error| panic!("{spelling}: {}", chain(&error)));
        source.select(None).unwrap().1.name()
    }
}

/// An error with all its causes, as the user sees them.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Branch, tag, annotated tag, commit, its beginning, and a path after a branch.
fn check_all_revisions(world: &World, base: &str, old: &str, new: &str) {
    for (revision, model) in [
        ("", "new"),
        ("@main", "new"),
        ("@v1", "old"),
        ("@v1-signed", "old"),
        ("@refs/tags/v1", "old"),
        ("@feat/x", "branch"),
        (&format!("@{new}"), "new"),
        (&format!("@{old}"), "old"),
        (&format!("@{}", &new[..10]), "new"),
        (&format!("@{}", &old[..10]), "old"),
    ] {
        assert_eq!(world.model(&format!("{base}{revision}")), model, "{revision}");
    }
}

#[test]
fn a_file_repository_by_every_kind_of_revision() {
    let world = World::new();
    let (repository, old, new) = world.repository("repo.git");
    check_all_revisions(&world, &repository.url(), &old, &new);
    let source = world.resolve(&format!("{}@v1-signed", repository.url())).unwrap();
    let commit = source.commit.unwrap();
    assert_eq!(
        (commit.id, commit.ref_name.as_deref()),
        (old, Some("refs/tags/v1-signed"))
    );
    assert_eq!(commit.committed_at, Some(1_700_000_000));
    assert!(source.root.join("src/lib.rs").is_file());
    assert!(!source.manifests[0].has_plugin());
}

#[test]
fn a_served_repository_by_every_kind_of_revision() {
    let world = World::new();
    let (repository, old, new) = world.repository("user/repo.git");
    let server = GitServer::open(&world.served());
    check_all_revisions(&world, &format!("{}user/repo", server.url()), &old, &new);
    // Old commits without a ref of their own, where the server allows them.
    let fresh = World::new();
    let middle = repository.commit_source("main", "middle", &[]);
    repository.commit_source("main", "last", &[]);
    repository.allow_any_commit();
    assert_eq!(
        fresh.model(&format!("{}user/repo@{middle}", server.url())),
        "middle"
    );
    assert_eq!(fresh.model(&format!("{}user/repo", server.url())), "last");
    // The beginning of such a commit means the same for ever.
    let beginning = format!("{}user/repo@{}", server.url(), &middle[..12]);
    assert_eq!(fresh.model(&beginning), "middle");
    let requests = server.requests().len();
    assert_eq!(fresh.model(&beginning), "middle");
    assert_eq!(server.requests().len(), requests);
}

#[test]
fn a_mirror_of_github_takes_browser_urls_and_the_token() {
    let mut world = World::new();
    world.repository("user/repo.git");
    let server = GitServer::with_token(&world.served(), "secret");
    world.mirrors.insert("https://github.com/", server.url());
    world.credentials = Credentials::new(Some("secret".into()), None, Vec::new());

    let source = world
        .resolve("https://github.com/user/repo/tree/feat/x/models/a")
        .unwrap();
    assert_eq!(source.identity, "github.com/user/repo//models/a");
    assert_eq!(source.path, source.root.join("models/a"));
    assert_eq!(source.reference.to_string(), "user/repo@feat/x//models/a");
    assert_eq!(world.model("user/repo/feat/x"), "branch");
    let first = &server.requests()[0];
    assert_eq!(
        first.authorization, None,
        "a server is first asked without credentials"
    );

    world.credentials = Credentials::new(Some("wrong".into()), None, Vec::new());
    let error = world.resolve("user/repo@v1").unwrap_err();
    assert!(
        matches!(
            &error,
            SourceError::Git(GitError::Authentication { refused: true, .. })
        ),
        "{}",
        chain(&error)
    );
    world.credentials = Credentials::default();
    let error = world.resolve("user/repo@v1").unwrap_err();
    assert!(
        matches!(
            &error,
            SourceError::Git(GitError::Authentication { refused: false, .. })
        ),
        "{}",
        chain(&error)
    );
    assert!(error.next_step().unwrap().to_string().contains("GITHUB_TOKEN"));
}

#[test]
fn redirects_are_followed_without_credentials() {
    let world = World::new();
    world.repository("user/repo.git");
    let server = GitServer::open(&world.served());
    let redirecting = GitServer::redirecting(&server.url());
    assert_eq!(world.model(&format!("{}user/repo", redirecting.url())), "new");
}

#[test]
fn what_is_known_is_not_fetched_again() {
    let mut world = World::new();
    let (repository, _, new) = world.repository("user/repo.git");
    let server = GitServer::open(&world.served());
    let base = format!("{}user/repo", server.url());
    assert!(world.resolve(&base).unwrap().fetched);
    let after_first = server.requests().len();

    let again = world.resolve(&base).unwrap();
    assert!(!again.fetched);
    assert_eq!(
        server.requests().len(),
        after_first + 1,
        "one request looks the branch up"
    );
    assert_eq!(server.requests()[after_first].method, "GET");
    world.resolve(&format!("{base}@{new}")).unwrap();
    assert_eq!(
        server.requests().len(),
        after_first + 1,
        "a commit needs no request"
    );

    world.offline = true;
    assert_eq!(world.resolve(&base).unwrap().commit, again.commit);
    let error = world.resolve(&format!("{base}@v1")).unwrap_err();
    assert!(error.to_string().contains("@v1` is not in the store"), "{error}");

    world.offline = false;
    let newest = repository.commit_source("main", "newest", &[]);
    let moved = world.resolve(&base).unwrap();
    assert_eq!(moved.commit.unwrap().id, newest);
    assert!(
        again.root.join("manifest.json").is_file(),
        "commits live side by side"
    );
}

#[test]
fn a_tree_that_was_changed_is_fetched_again() {
    let world = World::new();
    let (repository, ..) = world.repository("repo.git");
    let source = world.resolve(&repository.url()).unwrap();
    std::fs::write(source.root.join("run.sh"), "changed").unwrap();
    assert!(world.store.source_tree(&source.tree_hash).is_err());
    let again = world.resolve(&repository.url()).unwrap();
    assert!(again.fetched && again.tree_hash == source.tree_hash);
    assert_eq!(
        std::fs::read_to_string(again.root.join("run.sh")).unwrap(),
        "#!/bin/sh"
    );
    assert_eq!(std::fs::read_dir(world.store.temporary_dir()).unwrap().count(), 0);
    assert!(world.store.gc(&GcOptions::default()).unwrap().entries.is_empty());
}

#[test]
fn missing_things_are_named() {
    let world = World::new();
    let (repository, ..) = world.repository("user/repo.git");
    let server = GitServer::open(&world.served());
    let base = repository.url();
    for (spelling, expected) in [
        (
            format!("{base}@v11"),
            "has no branch, tag or commit `v11`; did you mean `v1`",
        ),
        (
            format!("{base}@{}", "1".repeat(40)),
            "has no branch, tag or commit `1111",
        ),
        (
            format!("{}user/repo@{}", server.url(), "1".repeat(40)),
            "has no branch, tag or commit `1111",
        ),
        (format!("{base}//nowhere"), "has no folder `nowhere`"),
        (format!("{base}@v1//src"), "it has neither a manifest.json"),
        (format!("{base}-x"), "there is no Git repository at file:///"),
        (
            format!("{}user/none", server.url()),
            "there is no Git repository at http://",
        ),
        (
            "http://127.0.0.1:1/user/repo".into(),
            "cannot reach http://127.0.0.1:1/user/repo",
        ),
        ("./no/such/folder".into(), "there is no folder ./no/such/folder"),
        ("./Cargo.toml".into(), "is neither a folder nor an archive"),
    ] {
        let error = world.resolve(&spelling).expect_err(&spelling);
        assert!(
            error.to_string().contains(expected),
            "{spelling}: {}",
            chain(&error)
        );
    }
    let empty = TestRepository::new(&world.served().join("empty.git"));
    assert!(
        world
            .resolve(&empty.url())
            .unwrap_err()
            .to_string()
            .contains("is empty")
    );
}

#[test]
fn a_folder_of_the_name_of_a_repository_is_told_when_there_is_no_such_repository() {
    let mut world = World::new();
    world.mirrors.insert("https://github.com/", "http://127.0.0.1:1/");
    // Of this crate, in whose folder tests run.
    let error = world.resolve("src/git").unwrap_err();
    assert!(
        matches!(error, SourceError::FolderOfThisName { .. }),
        "{}",
        chain(&error)
    );
    let hint = error.next_step().unwrap().to_string();
    assert!(hint.contains("`./src/git`"), "{hint}");
    let error = world.resolve("no/folder").unwrap_err();
    assert!(matches!(error, SourceError::Git(_)), "{}", chain(&error));
}

#[test]
fn repositories_of_another_hash_are_named() {
    let world = World::new();
    let repository = world.served().join("sha256.git");
    let made = std::process::Command::new("git")
        .args(["init", "--quiet", "--bare", "--object-format=sha256"])
        .arg(&repository)
        .status()
        .unwrap();
    assert!(made.success());
    let server = GitServer::open(&world.served());
    let urls = [
        format!("file://{}", repository.display()),
        format!("{}sha256.git", server.url()),
    ];
    for url in urls {
        let error = world.resolve(&url).unwrap_err();
        let is_named = matches!(error, SourceError::Git(GitError::ObjectFormat { .. }));
        assert!(is_named, "{}", chain(&error));
    }
}

#[test]
fn several_manifests_in_one_repository() {
    let world = World::new();
    let repository = TestRepository::new(&world.served().join("many.git"));
    repository.commit(
        "main",
        &[
            (
                "a/manifest.json",
                Entry::File("{\"models\": [{\"base_name\": \"a\"}]}"),
            ),
            ("a/deeper/manifest.json", Entry::File("not read")),
            (
                "b/c/manifest.json",
                Entry::File("{\"models\": [{\"base_name\": \"b\"}]}"),
            ),
            (".hidden/manifest.json", Entry::File("not read")),
        ],
    );
    let source = world.resolve(&repository.url()).unwrap();
    assert_eq!(source.models().count(), 2);
    let (manifest, model) = source.select(Some("b")).unwrap();
    assert_eq!(
        (manifest.folder.clone(), model.name()),
        (source.root.join("b/c"), "b".into())
    );
    assert!(source.select(None).is_err());
    assert_eq!(world.model(&format!("{}//a", repository.url())), "a");
}
