use super::*;
use crate::source::SourceManifest;
use modelzoo_base::error::{Diagnose as _, ErrorClass, NextStep};
use std::path::PathBuf;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// 2026-11-01T00:00:00Z.
const COMMITTED: i64 = 1_793_491_200;

/// A source of somebody else's, and the decisions of a user.
struct World {
    folder: tempfile::TempDir,
    reference: SourceRef,
    decisions: TrustStore,
}

impl World {
    fn new(spelling: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tree")).unwrap();
        std::fs::write(folder.path().join("tree/lib.rs"), "fn main() {}").unwrap();
        let decisions = TrustStore::new(folder.path().join("data"));
        Self {
            folder,
            reference: spelling.parse().unwrap(),
            decisions,
        }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    fn check(&self, tree: &str, policy: &TrustPolicy, days_later: u64) -> Result<Verdict, TrustError> {
        let (identity, root) = (self.reference.identity(), self.root());
        let subject = subject(&self.reference, &identity, &root, tree);
        let committed = UNIX_EPOCH + Duration::from_secs(COMMITTED as u64);
        check(
            &subject,
            policy,
            &self.decisions,
            committed + Duration::from_secs(days_later * SECONDS_A_DAY),
        )
    }

    fn allow(&self, tree: &str) {
        let (identity, root) = (self.reference.identity(), self.root());
        self.decisions
            .allow(&subject(&self.reference, &identity, &root, tree))
            .unwrap();
    }
}

fn subject<'a>(reference: &'a SourceRef, identity: &'a str, root: &'a Path, tree: &str) -> Subject<'a> {
    let tree = Sha256Digest::of(tree);
    Subject {
        reference,
        identity,
        commit: Some(COMMIT),
        committed_at: Some(COMMITTED),
        tree,
        root,
        bundle: None,
    }
}

fn entries(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|entry| (*entry).to_owned()).collect()
}

#[test]
fn a_stranger_is_asked_for_with_a_spelling_of_exactly_this() {
    let world = World::new("acme/zoo@v1//models/a");
    let Verdict::Undecided(undecided) = world.check("one", &TrustPolicy::default(), 0).unwrap() else {
        panic!("a stranger was trusted");
    };
    assert_eq!(undecided.state, TrustState::Untrusted);
    let source = format!("acme/zoo@{COMMIT}//models/a");
    assert_eq!(undecided.source, source);
    let error = undecided.into_error();
    assert_eq!(error.to_string(), "github.com/acme/zoo//models/a is not trusted");
    assert_eq!(error.next_step(), Some(NextStep::AllowSource { source }));
}

#[test]
fn consent_is_for_one_tree_and_an_update_makes_it_stale() {
    let world = World::new("acme/zoo");
    let policy = TrustPolicy::default();
    world.allow("one");
    assert_eq!(
        world.check("one", &policy, 0).unwrap(),
        Verdict::Trusted(Grounds::Decision)
    );
    let Verdict::Undecided(undecided) = world.check("two", &policy, 0).unwrap() else {
        panic!("an update was trusted");
    };
    assert_eq!(undecided.state, TrustState::Stale);
    assert_eq!(undecided.allowed_commit.as_deref(), Some(COMMIT));
    assert!(
        undecided
            .into_error()
            .to_string()
            .contains("has changed since it was allowed (at commit 0123")
    );
    world.allow("two");
    assert_eq!(
        world.check("one", &policy, 0).unwrap(),
        Verdict::Trusted(Grounds::Decision)
    );
    assert_eq!(world.decisions.list().unwrap().len(), 2);
    world.allow("two");
    assert_eq!(
        world.decisions.list().unwrap().len(),
        2,
        "the same decision is kept once"
    );
}

#[test]
fn ones_own_folder_needs_no_question() {
    let world = World::new("/home/me/my-model");
    let policy = TrustPolicy {
        minimum_age_days: 7,
        require_signature: true,
        ..TrustPolicy::default()
    };
    assert_eq!(
        world.check("any", &policy, 0).unwrap(),
        Verdict::Trusted(Grounds::OwnFolder)
    );
}

#[test]
fn a_denial_wins_over_all() {
    let world = World::new("acme/zoo");
    let policy = TrustPolicy {
        allow: entries(&["*"]),
        ..TrustPolicy::default()
    };
    assert_eq!(
        world.check("one", &policy, 0).unwrap(),
        Verdict::Trusted(Grounds::Policy)
    );
    world.allow("one");
    world.decisions.deny("github.com/Acme").unwrap();
    let error = world.check("one", &policy, 0).unwrap_err();
    assert!(matches!(error, TrustError::Denied { .. }) && error.class() == ErrorClass::NotTrusted);
    assert_eq!(
        world
            .decisions
            .state("github.com/acme/zoo", Sha256Digest::of("one"))
            .unwrap(),
        TrustState::Denied
    );

    let policy = TrustPolicy {
        allow: entries(&["acme/zoo"]),
        deny: entries(&["ACME"]),
        ..TrustPolicy::default()
    };
    let error = World::new("acme/zoo").check("one", &policy, 0).unwrap_err();
    let expected = "github.com/acme/zoo is denied by the configuration (trust.deny has `ACME`)";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn decisions_can_be_taken_back() {
    let world = World::new("acme/zoo");
    world.allow("one");
    assert_eq!(world.decisions.revoke("github.com/acme/zoo").unwrap().len(), 1);
    assert!(matches!(
        world.check("one", &TrustPolicy::default(), 0),
        Ok(Verdict::Undecided(_))
    ));
    assert!(world.decisions.revoke("github.com/acme/zoo").unwrap().is_empty());
    world.decisions.deny("github.com/acme/zoo").unwrap();
    world.allow("one");
    assert_eq!(
        world.check("one", &TrustPolicy::default(), 0).unwrap(),
        Verdict::Trusted(Grounds::Decision)
    );
}

#[test]
fn a_commit_has_to_be_old_enough() {
    let policy = TrustPolicy {
        allow: entries(&["*"]),
        minimum_age_days: 7,
        ..TrustPolicy::default()
    };
    let world = World::new("acme/zoo");
    let error = world.check("one", &policy, 6).unwrap_err();
    assert!(
        matches!(
            error,
            TrustError::TooYoung {
                days: 6,
                minimum_days: 7,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(
        world.check("one", &policy, 7).unwrap(),
        Verdict::Trusted(Grounds::Policy)
    );
    let (identity, root) = (world.reference.identity(), world.root());
    let mut undated = subject(&world.reference, &identity, &root, "one");
    for committed_at in [None, Some(-1)] {
        undated.committed_at = committed_at;
        let error = check(&undated, &policy, &world.decisions, SystemTime::now()).unwrap_err();
        assert!(matches!(error, TrustError::UnknownAge { .. }), "{error}");
    }
    undated.committed_at = Some(i64::MAX);
    let error = check(&undated, &policy, &world.decisions, UNIX_EPOCH).unwrap_err();
    assert!(
        matches!(
            error,
            TrustError::TooYoung { days: 0, .. } | TrustError::UnknownAge { .. }
        ),
        "{error}"
    );
}

#[test]
fn a_signature_has_to_be_of_this_tree_by_this_key() {
    let world = World::new("acme/zoo");
    let author = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let stranger = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let sign = |keys: &minisign::KeyPair| {
        let message = message_to_sign(&world.root()).unwrap();
        let signature = minisign::sign(None, &keys.sk, message.as_bytes(), None, None).unwrap();
        std::fs::write(world.root().join(SIGNATURE_FILE), signature.into_string()).unwrap();
    };
    let mut policy = TrustPolicy {
        allow: entries(&["*"]),
        ..TrustPolicy::default()
    };
    policy.keys.insert("acme/zoo".to_owned(), author.pk.to_base64());
    policy.keys.insert("acme".to_owned(), stranger.pk.to_base64());

    assert!(matches!(
        world.check("one", &policy, 0),
        Err(TrustError::Unsigned { .. })
    ));
    sign(&author);
    assert_eq!(
        world.check("one", &policy, 0).unwrap(),
        Verdict::Trusted(Grounds::Policy)
    );
    std::fs::write(world.root().join("lib.rs"), "fn main() { evil() }").unwrap();
    assert!(matches!(
        world.check("one", &policy, 0),
        Err(TrustError::BadSignature { .. })
    ));
    sign(&stranger);
    assert!(matches!(
        world.check("one", &policy, 0),
        Err(TrustError::BadSignature { .. })
    ));
    std::fs::write(world.root().join(SIGNATURE_FILE), "nonsense").unwrap();
    assert!(matches!(
        world.check("one", &policy, 0),
        Err(TrustError::BadSignature { .. })
    ));

    policy.keys.insert("acme/zoo".to_owned(), "nonsense".to_owned());
    let error = world.check("one", &policy, 0).unwrap_err();
    assert!(
        matches!(error, TrustError::BadKey { .. }) && error.class() != ErrorClass::NotTrusted,
        "{error}"
    );
    policy.keys.clear();
    assert!(
        world.check("one", &policy, 0).is_ok(),
        "no key is known, and none is asked for"
    );
    policy.require_signature = true;
    assert!(matches!(
        world.check("one", &policy, 0),
        Err(TrustError::NoKey { .. })
    ));
}

#[test]
fn decisions_of_many_processes_are_all_kept() {
    let world = World::new("acme/zoo");
    std::thread::scope(|scope| {
        for number in 0..16 {
            let decisions = &world.decisions;
            scope.spawn(move || decisions.deny(&format!("github.com/evil{number}")).unwrap());
        }
    });
    assert_eq!(world.decisions.list().unwrap().len(), 16);
}

#[test]
fn damaged_decisions_are_neither_ignored_nor_overwritten() {
    let world = World::new("acme/zoo");
    world.decisions.deny("github.com/acme/zoo").unwrap();
    let text = std::fs::read_to_string(world.decisions.path()).unwrap() + "damage";
    std::fs::write(world.decisions.path(), &text).unwrap();
    assert!(matches!(
        world.check("one", &TrustPolicy::default(), 0),
        Err(TrustError::Damaged { .. })
    ));
    assert!(matches!(
        world.decisions.deny("x"),
        Err(TrustError::Damaged { .. })
    ));
    assert_eq!(std::fs::read_to_string(world.decisions.path()).unwrap(), text);
}

/// A resolved source with these files.
fn source(root: &Path, files: &[(&str, &str)]) -> ResolvedSource {
    for (path, text) in files {
        modelzoo_base::file::write(&root.join(path), text).unwrap();
    }
    let manifest = crate::manifest::Manifest::load(&root.join("manifest.json")).unwrap();
    ResolvedSource {
        reference: "acme/zoo".parse().unwrap(),
        identity: "github.com/acme/zoo".to_owned(),
        commit: Some(crate::source::SourceCommit {
            id: COMMIT.to_owned(),
            ref_name: None,
            committed_at: Some(COMMITTED),
        }),
        tree_hash: Sha256Digest::of("tree"),
        root: root.to_owned(),
        path: root.to_owned(),
        manifests: vec![SourceManifest {
            published: None,
            folder: root.to_owned(),
            manifest,
        }],
        omissions: Vec::new(),
        fetched: false,
        bundle: None,
    }
}

const MANIFEST: &str =
    r#"{"name": "acme/zoo", "models": [{"base_name": "net", "license": "MIT, Apache 2.0"}]}"#;

#[test]
fn the_summary_says_what_runs_and_where_it_comes_from() {
    let folder = tempfile::tempdir().unwrap();
    let lock = r#"
        version = 4
        [[package]]
        name = "net"
        version = "0.1.0"
        [[package]]
        name = "serde"
        version = "1.0.0"
        source = "registry+https://github.com/rust-lang/crates.io-index"
        [[package]]
        name = "odd"
        version = "0.1.0"
        source = "git+https://example.com/odd#0123"
    "#;
    let cargo = "[package]\nname = \"net\"\nlicense = \"BSD-3-Clause\"\n";
    let files = [
        ("manifest.json", MANIFEST),
        ("Cargo.toml", cargo),
        ("Cargo.lock", lock),
        ("build.rs", ""),
    ];
    let source = source(folder.path(), &files);
    let summary = Summary::of(&source, &source.manifests[0]);
    assert_eq!(summary.owner.as_deref(), Some("github.com/acme"));
    assert_eq!(summary.commit.as_deref(), Some(COMMIT));
    assert_eq!(summary.committed_at.unwrap().to_string(), "2026-11-01T00:00:00Z");
    assert_eq!(summary.licences, ["Apache 2.0", "BSD-3-Clause", "MIT"]);
    assert_eq!(summary.dependencies, Some(2));
    assert_eq!(
        summary.foreign_dependencies,
        ["odd (git+https://example.com/odd#0123)"]
    );
    assert_eq!(
        (summary.build_scripts.as_slice(), summary.is_complete),
        (["net".to_owned()].as_slice(), false)
    );

    let built = |name: &str, source: Option<&str>, has_build_script, is_proc_macro| CrateFacts {
        name: name.to_owned(),
        source: source.map(str::to_owned),
        has_build_script,
        is_proc_macro,
    };
    let registry = Some("registry+https://github.com/rust-lang/crates.io-index");
    let summary = summary.with_crates(&[
        built("net", None, true, false),
        built("ring", registry, true, false),
        built("serde_derive", registry, false, true),
        built("odd", Some("git+https://example.com/odd#0123"), false, false),
    ]);
    assert_eq!(summary.build_scripts, ["net", "ring"]);
    assert_eq!(summary.proc_macros, ["serde_derive"]);
    assert_eq!(summary.dependencies, Some(3));
    assert_eq!(
        summary.foreign_dependencies,
        ["odd (git+https://example.com/odd#0123)"]
    );
    assert!(summary.is_complete);
}

#[test]
fn the_summary_of_a_bare_source_leaves_out_what_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let cargo = "[package]\nname = \"net\"\nbuild = false\n[lib]\nproc-macro = true\n";
    let files = [
        ("manifest.json", MANIFEST),
        ("Cargo.toml", cargo),
        ("build.rs", ""),
    ];
    let source = source(folder.path(), &files);
    let summary = Summary::of(&source, &source.manifests[0]);
    assert_eq!((summary.dependencies, summary.build_scripts.len()), (None, 0));
    assert_eq!(summary.proc_macros, ["net"]);
}

#[test]
fn the_word_of_a_bundle_makes_nothing_the_code_of_an_owner_who_is_allowed() {
    let world = World::new("acme/zoo");
    let policy = TrustPolicy {
        allow: entries(&["acme"]),
        ..TrustPolicy::default()
    };
    let (identity, root) = (world.reference.identity(), world.root());
    let mut bundled = subject(&world.reference, &identity, &root, "one");
    bundled.bundle = Some(Sha256Digest::of("bundle"));
    let check = |subject: &Subject<'_>, policy: &TrustPolicy| {
        check(subject, policy, &world.decisions, SystemTime::now())
    };
    assert!(matches!(check(&bundled, &policy), Ok(Verdict::Undecided(_))));

    let author = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let message = message_to_sign(&root).unwrap();
    let signature = minisign::sign(None, &author.sk, message.as_bytes(), None, None).unwrap();
    std::fs::write(root.join(SIGNATURE_FILE), signature.into_string()).unwrap();
    let mut with_key = policy.clone();
    with_key.keys.insert("acme".to_owned(), author.pk.to_base64());
    assert_eq!(
        check(&bundled, &with_key).unwrap(),
        Verdict::Trusted(Grounds::Policy)
    );

    world.decisions.allow(&bundled).unwrap();
    assert_eq!(
        check(&bundled, &policy).unwrap(),
        Verdict::Trusted(Grounds::Decision)
    );
}
