//! What every spelling means, and that spelling and meaning go round.
use super::*;
use proptest::prelude::*;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// Identity, URL and revision of a Git reference.
fn git(spelling: &str) -> (String, String, Revision) {
    let reference = SourceRef::parse(spelling).unwrap_or_else(|error| panic!("{error}"));
    let Location::Git(repository) = reference.location() else {
        panic!("{spelling} is no repository")
    };
    (
        reference.identity(),
        repository.url(),
        reference.revision().clone(),
    )
}

fn named(name: &str) -> Revision {
    Revision::Named(name.to_owned())
}

fn message(spelling: &str) -> String {
    SourceRef::parse(spelling).expect_err(spelling).to_string()
}

#[test]
fn all_spellings_of_a_github_repository_have_one_identity() {
    for spelling in [
        "user/repo",
        "User/Repo",
        "gh:user/repo",
        "user/repo/",
        "user/repo.git",
        "user/repo.GIT",
        "github.com/user/repo",
        "https://github.com/user/repo",
        "https://github.com/user/repo/",
        "https://github.com/user/repo.git",
        "http://github.com/user/repo",
        "https://www.github.com/user/repo",
        "git@Www.GitHub.com:user/repo",
        "https://GitHub.com/user/repo",
        "https://github.com:443/user/repo",
        "https://github.com/user/repo?tab=readme-ov-file#install",
        "https://github.com/user/repo/tree/main",
        "https://github.com/user/repo@v1",
        "git+https://github.com/user/repo",
        "git@github.com:user/repo.git",
        "ssh://git@github.com/user/repo",
        "ssh://git@github.com:22/user/repo.git",
        "user/repo@v1",
        "user/repo/v1",
        "user/repo//",
        " user/repo ",
    ] {
        assert_eq!(git(spelling).0, "github.com/user/repo", "{spelling}");
    }
    assert_eq!(git("user/repo").1, "https://github.com/user/repo");
    assert_eq!(
        git("git@github.com:user/repo.git").1,
        "ssh://git@github.com/user/repo"
    );
}

#[test]
fn refs_are_read_from_every_form() {
    for (spelling, revision) in [
        ("user/repo", Revision::Default),
        ("user/repo@v1.2", named("v1.2")),
        ("user/repo@feat/x/y", named("feat/x/y")),
        ("user/repo@v1@beta", named("v1@beta")),
        ("user/repo/v1", named("v1")),
        ("user/repo/a/b", Revision::RefOrPath("a/b".into())),
        ("user/repo/tree/a/b", Revision::RefOrPath("a/b".into())),
        ("https://github.com/user/repo/v1", named("v1")),
        ("https://github.com/user/repo/tree/main", named("main")),
        ("https://github.com/user/repo/tree/main/?x=y", named("main")),
        ("https://github.com/user/repo.name/tree/main", named("main")),
        (
            "https://github.com/user/repo/tree/feat/x/y",
            Revision::RefOrPath("feat/x/y".into()),
        ),
        (
            "https://github.com/user/repo/tree/feat%2Fx",
            Revision::RefOrPath("feat/x".into()),
        ),
        (
            "https://github.com/user/repo/releases/tag/v1.0",
            named("refs/tags/v1.0"),
        ),
        ("https://github.com/user/repo/commits/main", named("main")),
        ("https://github.com/user/repo/commit/abc1234", named("abc1234")),
        (
            "https://github.com/user/repo/blob/main/manifest.json",
            named("main"),
        ),
        ("https://gitlab.com/group/sub/repo/-/tree/main", named("main")),
        (
            "https://gitlab.com/a/repo/-/tree/fix/1@x/d.git",
            Revision::RefOrPath("fix/1@x/d.git".into()),
        ),
        (
            "https://gitlab.com/group/sub/repo/-/tags/v1",
            named("refs/tags/v1"),
        ),
        ("https://codeberg.org/user/repo/src/branch/main", named("main")),
        ("https://host.example/user/repo@v1", named("v1")),
        ("https://host.example/user/repo.git@v1", named("v1")),
        ("git@host.example:user/repo.git@feat/x", named("feat/x")),
        ("file:///srv/git/repo.git@v1", named("v1")),
    ] {
        assert_eq!(git(spelling).2, revision, "{spelling}");
    }
    for spelling in [
        format!("user/repo@{SHA}"),
        format!("https://github.com/user/repo/commit/{}", SHA.to_uppercase()),
    ] {
        assert_eq!(git(&spelling).2, Revision::Commit(SHA.into()), "{spelling}");
    }
}

#[test]
fn other_hosts_keep_their_path() {
    for (spelling, identity, url) in [
        (
            "https://gitlab.com/Group/sub/repo.git",
            "gitlab.com/Group/sub/repo",
            "https://gitlab.com/Group/sub/repo.git",
        ),
        (
            "git@gitlab.com:Group/repo.git",
            "gitlab.com/Group/repo",
            "ssh://git@gitlab.com/Group/repo.git",
        ),
        (
            "http://127.0.0.1:8080/user/repo",
            "127.0.0.1:8080/user/repo",
            "http://127.0.0.1:8080/user/repo",
        ),
        (
            "localhost:8080/repo",
            "localhost:8080/repo",
            "https://localhost:8080/repo",
        ),
        (
            "ssh://git@host.example:2222/a/b",
            "host.example:2222/a/b",
            "ssh://git@host.example:2222/a/b",
        ),
        (
            "alice@host.example:models",
            "alice@host.example:models",
            "alice@host.example:models",
        ),
        (
            "https://[::1]:8080/repo",
            "[::1]:8080/repo",
            "https://[::1]:8080/repo",
        ),
        (
            "https://dev.example/org/My%20Project/_git/r",
            "dev.example/org/My%20Project/_git/r",
            "https://dev.example/org/My%20Project/_git/r",
        ),
        (
            "file:///srv/git/repo.git",
            "file:///srv/git/repo",
            "file:///srv/git/repo.git",
        ),
        (
            "file://localhost/srv/repo/",
            "file:///srv/repo",
            "file:///srv/repo",
        ),
        (
            "https://mygithub.example/user/repo",
            "mygithub.example/user/repo",
            "https://mygithub.example/user/repo",
        ),
    ] {
        let (read_identity, read_url, _) = git(spelling);
        assert_eq!(
            (read_identity.as_str(), read_url.as_str()),
            (identity, url),
            "{spelling}"
        );
    }
}

#[test]
fn enterprise_hosts_behave_like_github() {
    let forges = Forges::with_enterprise_hosts(["github.corp.example"]);
    let reference = forges
        .parse("https://GitHub.corp.example/Team/Models/v2")
        .unwrap();
    assert_eq!(reference.identity(), "github.corp.example/team/models");
    assert_eq!(*reference.revision(), named("v2"));
    assert_eq!(forges.parse(&reference.to_string()).unwrap(), reference);
}

#[test]
fn folders_inside_a_source() {
    for (spelling, folder, revision) in [
        ("user/repo//models/a", "models/a", Revision::Default),
        ("user/repo@v1//models/a/", "models/a", named("v1")),
        (
            "https://github.com/user/repo/tree/a/b//models",
            "models",
            named("a/b"),
        ),
        ("https://host.example/r.git//models", "models", Revision::Default),
        ("git@host.example:r@v1//models", "models", named("v1")),
        ("file:///srv/repo@v1//models", "models", named("v1")),
    ] {
        let reference = SourceRef::parse(spelling).unwrap();
        assert_eq!(reference.subdirectory(), Some(folder), "{spelling}");
        assert_eq!(*reference.revision(), revision, "{spelling}");
        assert!(
            reference.identity().ends_with(&format!("//{folder}")),
            "{spelling}"
        );
    }
    for spelling in [
        "user/repo//../x",
        "user/repo//a//b",
        "user/repo//./a",
        "user/repo//%2e%2e/x",
        "user/repo//a@v1",
    ] {
        let message = message(spelling);
        assert!(message.contains("not a folder inside"), "{message}");
    }
}

#[test]
fn a_path_behind_tree_is_settled_by_its_folder() {
    let open = SourceRef::parse("https://github.com/u/r/tree/feat/x/models/a").unwrap();
    for (folder, settled) in [
        (Some("models/a"), "u/r@feat/x//models/a"),
        (Some("a"), "u/r@feat/x/models//a"),
        (None, "u/r@feat/x/models/a"),
        // No end of the path.
        (Some("b"), "u/r/tree/feat/x/models/a"),
        (Some("feat/x/models/a"), "u/r/tree/feat/x/models/a"),
    ] {
        assert_eq!(open.clone().settled(folder).to_string(), settled, "{folder:?}");
    }
    let closed = SourceRef::parse("u/r@v1//a").unwrap();
    assert_eq!(closed.clone().settled(Some("a")), closed);
}

#[test]
fn archives_and_paths() {
    for (spelling, url, folder) in [
        (
            "https://host.example/a/model.tar.gz",
            "https://host.example/a/model.tar.gz",
            None,
        ),
        (
            "https://host.example/a.zip?sig=1//2",
            "https://host.example/a.zip?sig=1//2",
            None,
        ),
        (
            "https://host.example/a.zip//sub?sig=1#frag",
            "https://host.example/a.zip?sig=1",
            Some("sub"),
        ),
        (
            "https://github.com/u/r/archive/refs/tags/v1.tar.gz",
            "https://github.com/u/r/archive/refs/tags/v1.tar.gz",
            None,
        ),
        (
            "https://github.com/u/r/releases/download/v1/m.tgz",
            "https://github.com/u/r/releases/download/v1/m.tgz",
            None,
        ),
        ("file:///srv/a.tar.zst", "file:///srv/a.tar.zst", None),
        ("file:///srv/a.zip//?x=1", "file:///srv/a.zip?x=1", None),
    ] {
        let reference = SourceRef::parse(spelling).unwrap();
        assert_eq!(*reference.location(), Location::Archive(url.into()), "{spelling}");
        assert_eq!(reference.subdirectory(), folder, "{spelling}");
        assert_eq!(SourceRef::parse(&reference.to_string()).unwrap(), reference);
    }
    // A tag or a repository may be called like an archive.
    assert_eq!(git("https://github.com/u/r/tree/v1.zip").2, named("v1.zip"));
    assert_eq!(
        git("https://host.example/a.zip.git").1,
        "https://host.example/a.zip.git"
    );
    assert_eq!(
        git("git+https://host.example/a.zip").1,
        "https://host.example/a.zip"
    );
    // In a group of groups, it may be called like a page.
    for spelling in [
        "https://host.example/a/b/src.git",
        "git+https://host.example/a/b/tree/c@v1",
        "https://host.example/a/b/src/c.git@v1",
        "https://hf:1/f",
        "https://host.example/a/b/blob/-/tree/main",
        "git@host.example:a/b/releases",
    ] {
        let reference = SourceRef::parse(spelling).unwrap();
        assert_eq!(SourceRef::parse(&reference.to_string()).unwrap(), reference);
        let identity = reference.identity();
        assert_eq!(SourceRef::parse(&identity).unwrap().identity(), identity);
    }

    for path in [
        ".",
        "..",
        "./nanodet",
        "../x@v1",
        "/srv/my models",
        "./a//b",
        ".hidden/x",
    ] {
        let reference = SourceRef::parse(path).unwrap();
        assert_eq!(*reference.location(), Location::Path(path.into()));
        assert!(reference.is_local_path());
    }
    assert_eq!(SourceRef::from_path("nanodet").to_string(), "./nanodet");
    assert_eq!(
        SourceRef::parse("./src/..").unwrap().identity(),
        SourceRef::parse(".").unwrap().identity()
    );
}

#[test]
fn refusals_say_what_is_wrong_and_what_was_understood() {
    for (spelling, expected) in [
        ("", "it is empty"),
        ("nanodet", "neither `user/repo`, nor a URL, nor a path"),
        ("us er/repo", "the character ' '"),
        ("user/re\0po", "the character '\\0'"),
        ("user/repo@--upload-pack=touch x", "the character ' '"),
        (
            "user/repo@--upload-pack=x",
            "it starts with `-`, like an option (understood: owner `user`, repository `repo`)",
        ),
        ("user/repo/--upload-pack=x", "it starts with `-`, like an option"),
        ("user/repo@a..b", "it contains `..`"),
        ("user/repo@a^{}", "it contains '^'"),
        ("user/repo@", "it is empty"),
        // Each character takes three in what is printed.
        (&format!("user/repo@{}", "%".repeat(2000)), "4096"),
        ("user/repo@v1.lock", "ends with `.lock`"),
        ("-user/repo", "`-user` cannot be a user name on GitHub"),
        ("u_ser!/repo", "cannot be a user name"),
        (
            "user/-repo",
            "`-repo` cannot be a repository (understood: owner `user`)",
        ),
        ("user/..", "`..` cannot be a repository"),
        ("git@Www.HuggingFace.co:I", "`I` cannot be a repository"),
        ("git@huggingface.co:I", "`I` cannot be a repository"),
        ("user/.giT", "`.giT` cannot be a repository"),
        (
            "ftp://host/x",
            "`ftp` URLs are not supported (understood: scheme `ftp`)",
        ),
        ("user/repo//a\u{2001}b", "is not a folder inside the source"),
        ("ext::sh -c x", "the character ' '"),
        ("https://user:secret@github.com/u/r", "it carries credentials"),
        ("https://ghp_secret@github.com/u/r", "it carries credentials"),
        ("https://-host/r", "`-host` is not a host name"),
        ("ssh://-oProxyCommand=x/r", "is not a host name"),
        ("ssh://-u@host/r", "it carries credentials"),
        ("https://host:99999/r", "is not a host name"),
        ("https:///r", "`` is not a host name"),
        ("https://host", "`` cannot be a repository"),
        ("host.org/-/tree/main", "`` cannot be a repository"),
        ("https://host/a/../b", "`a/../b` cannot be a repository"),
        ("https://github.com/user", "`user` cannot be a repository"),
        (
            "https://github.com/user/repo/issues/3",
            "its page `issues/3` is not a branch",
        ),
        (
            "https://github.com/user/repo/blob/main/model.py",
            "its page `blob/main/model.py`",
        ),
        (
            "https://github.com/user/repo/tree/%ff",
            "`%ff` is not a percent-encoded text",
        ),
        ("file://server/share", "`server` is not a host name"),
        ("file:///srv/../x", "cannot be a repository"),
        ("file:///srv/...git", "cannot be a repository"),
        ("https://host/.git.git", "cannot be a repository"),
    ] {
        let message = message(spelling);
        assert!(message.contains(expected), "{spelling}: {message}");
    }
    assert!(!message("https://user:secret@host/r").contains("secret"));
    assert!(message(&"x/".repeat(4000)).len() < 400);
}

/// Text made of the pieces that matter to the parser.
fn spellings() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "user",
        "repo",
        "/",
        "//",
        "@",
        ":",
        "https://",
        "ssh://",
        "git@",
        "file:///",
        "github.com",
        "host.example",
        ".git",
        "tree",
        "commit",
        "-",
        "main",
        "v1.0",
        ".zip",
        ".tar.gz",
        "?x=1",
        "#f",
        "%20",
        "%2F",
        "%",
        "..",
        ".",
        "releases",
        "tag",
        "gh:",
        ":8080",
        "refs/heads/x",
        "é",
        "[::1]",
        "localhost",
        "@{",
        "src",
        "branch",
        "blob",
        "manifest.json",
        "alice@",
        "git+",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 1..9).prop_map(|pieces| pieces.concat()),
        "(git\\+)?https://host\\.example/a/b/(src|tree|commits?|blob|releases)(/c)?(\\.git)?(@v1|/-/tree/x)?",
        ".{0,60}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_parses_goes_round(spelling in spellings()) {
        let Ok(reference) = SourceRef::parse(&spelling) else { return Ok(()) };
        let again = SourceRef::parse(&reference.to_string()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&again, &reference, "{}", reference);
        let identity = reference.identity();
        let by_identity = SourceRef::parse(&identity).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(by_identity.identity(), identity);
    }

    #[test]
    fn what_parses_holds_no_way_out(spelling in spellings()) {
        let Ok(reference) = SourceRef::parse(&spelling) else { return Ok(()) };
        if let Some(folder) = reference.subdirectory() {
            prop_assert!(folder.split('/').all(|part| !matches!(part, "" | "." | "..")), "{folder}");
        }
        if let Some(revision) = reference.revision().as_str() {
            prop_assert!(!revision.starts_with('-') && !revision.contains(".."), "{revision}");
        }
    }

    #[test]
    fn github_names_go_round(
        owner in "[A-Za-z0-9][A-Za-z0-9-]{0,20}",
        name in "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}",
        branch in "[a-z0-9]{1,5}(/[a-z0-9._-]{0,4}[a-z0-9]){0,3}",
    ) {
        prop_assume!(!name.ends_with(".git") && !branch.contains("..") && !branch.contains("/."));
        let spelling = format!("{owner}/{name}@{branch}");
        let reference = SourceRef::parse(&spelling).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(reference.to_string(), spelling);
    }
}

#[test]
fn models_of_the_hub_have_one_identity_however_they_are_spelt() {
    for (spelling, revision) in [
        ("hf:google/vit-base-patch16-224", None),
        ("https://huggingface.co/google/vit-base-patch16-224", None),
        ("huggingface.co/google/vit-base-patch16-224.git", None),
        ("http://hf.co/google/vit-base-patch16-224", None),
        ("hf:google/vit-base-patch16-224@refs/pr/1", Some("refs/pr/1")),
        (
            "https://huggingface.co/google/vit-base-patch16-224/tree/refs%2Fpr%2F1",
            Some("refs/pr/1"),
        ),
        (
            "https://huggingface.co/google/vit-base-patch16-224/tree/main",
            Some("main"),
        ),
    ] {
        let reference = SourceRef::parse(spelling).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(reference.identity(), "huggingface.co/google/vit-base-patch16-224");
        assert_eq!(reference.revision().as_str(), revision, "{spelling}");
        assert!(reference.to_string().starts_with("hf:google/"), "{reference}");
        assert_eq!(SourceRef::parse(&reference.to_string()), Ok(reference));
    }
    for refused in [
        "hf:gpt2",
        "hf:",
        "https://huggingface.co/datasets/imagenet",
        "https://huggingface.co/google/vit/discussions",
        "https://huggingface.co/google/vit/blob/main/config.json",
    ] {
        assert!(SourceRef::parse(refused).is_err(), "{refused}");
    }
    // Elsewhere, a server of this machine stands for the hub.
    let mirror = SourceRef::parse("http://127.0.0.1:8080/google/vit").unwrap();
    assert_eq!(mirror.identity(), "127.0.0.1:8080/google/vit");
}
