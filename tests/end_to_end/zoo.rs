//! Sources, trust, the lock and the store, as a user meets them.

use crate::support::{
    self, Run, User, project,
    published::{git, user_with_source},
};
use modelzoo_sources::trust::SIGNATURE_FILE;
use serde_json::Value;
use std::fs;

fn apply(user: &User, model: &str, more: &[&str]) -> Run {
    let photos = project().join("examples/photos");
    user.run([&["apply", model, photos.to_str().unwrap()], more].concat())
}

#[test]
fn a_strangers_code_waits_for_consent_which_an_update_makes_stale() {
    let (user, url, repository, [first, _]) = user_with_source();
    let refused = apply(&user, &url, &[]).expect(4);
    assert_eq!(refused.stdout, "");
    let hint = refused
        .stderr
        .lines()
        .find(|line| line.contains("modelzoo trust allow"))
        .unwrap();
    assert!(hint.contains(&first), "the command names the commit: {hint}");
    assert!(
        !user
            .path("store/artifacts")
            .read_dir()
            .is_ok_and(|mut built| built.next().is_some())
    );

    user.run(["trust", "allow", &format!("{url}@{first}")]).expect(0);
    assert_eq!(apply(&user, &url, &[]).expect(0).json_lines().len(), 4);
    let listed: Value =
        serde_json::from_str(&user.run(["trust", "list", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(listed[0]["commit"], first.as_str());

    git(
        &repository,
        &["update-ref", "refs/heads/main", "refs/heads/feature/bright"],
    );
    apply(&user, &url, &[]).expect(4);
    user.run(["trust", "revoke", &url]).expect(0);
    apply(&user, &format!("{url}@{first}"), &[]).expect(4);
}

#[test]
fn the_question_for_consent_tells_what_would_run_and_is_answered_on_a_terminal() {
    let (user, url, _, [first, _]) = user_with_source();
    let photos = project().join("examples/photos");
    let arguments = [
        "apply",
        &url,
        photos.to_str().unwrap(),
        "--no-progress",
        "--color=never",
    ];

    let refused = user.run_on_terminal(arguments, "n\n").expect(4);
    let fact = |name: &str| {
        let mut lines = refused.stderr.lines();
        let line = lines.find_map(|line| line.trim_start().strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name}: {}", refused.stderr))
            .trim()
            .to_owned()
    };
    assert_eq!(fact("commit"), first);
    // Those of the plugin's own crate and of all that it needs; what is there to be seen is asked of Cargo.
    assert!(fact("dependencies").ends_with(" packages"), "{}", refused.stderr);
    assert!(fact("build scripts").contains("serde"), "{}", refused.stderr);
    assert!(fact("macros").contains("serde_derive"), "{}", refused.stderr);
    assert!(refused.stderr.contains("Run it? [y/N]"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("brightness is not trusted"),
        "{}",
        refused.stderr
    );
    assert_eq!(user.run(["trust", "list"]).expect(0).stdout, "");

    let allowed = user.run_on_terminal(arguments, "y\n").expect(0);
    assert!(allowed.stderr.contains("4 of 4 samples"), "{}", allowed.stderr);
    assert!(user.run(["trust", "list"]).expect(0).stdout.contains(&first));
    let again = apply(&user, &url, &[]).expect(0);
    assert!(!again.stderr.contains("Run it?"), "{}", again.stderr);
}

#[test]
fn what_the_question_for_consent_cannot_know_it_says() {
    let (user, url, repository, _) = user_with_source();
    let work = repository.parent().unwrap().parent().unwrap().join("work");
    let manifest = work.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let needs_more = text.replace("[dependencies]", "[dependencies]\nmodelzoo-nowhere = \"1\"");
    assert_ne!(text, needs_more);
    fs::write(&manifest, needs_more).unwrap();
    fs::write(work.join("build.rs"), "fn main() {}").unwrap();
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "-m", "Need more"]);
    git(&work, &["push", "--quiet", repository.to_str().unwrap(), "main"]);
    user.run(["sources", "add", &url]).expect(0);
    let photos = project().join("examples/photos");
    let arguments = [
        "apply",
        &url,
        photos.to_str().unwrap(),
        "--offline",
        "--no-progress",
        "--color=never",
    ];
    let run = user.run_on_terminal(arguments, "\n").expect(4);
    assert!(
        run.stderr.contains(
            "build scripts  brightness (of the plugin itself; not known of its dependencies, which are not here yet)"
        ),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("macros         none (of the plugin itself"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_lock_holds_a_source_and_tells_a_tag_that_moved() {
    let (user, url, repository, [first, second]) = user_with_source();
    let tagged = format!("{url}@v1");
    user.run(["trust", "allow", &tagged]).expect(0);
    let before = apply(&user, &tagged, &[]).expect(0);
    apply(&user, &tagged, &["--locked"]).expect(1);
    user.run(["lock"]).expect(0);
    let lock = fs::read_to_string(user.path("modelzoo.lock")).unwrap();
    assert!(lock.contains(&first), "{lock}");
    assert_eq!(
        apply(&user, &tagged, &["--locked"]).expect(0).stdout,
        before.stdout
    );

    git(&repository, &["tag", "--force", "v1", &second]);
    // What is locked goes on as it was; whoever asks for news is told of both commits.
    assert_eq!(
        apply(&user, &tagged, &["--locked"]).expect(0).stdout,
        before.stdout
    );
    user.run(["sources", "add", &tagged]).expect(0);
    let alarm = user.run(["update"]).expect(6);
    assert!(
        alarm.stderr.contains(&first) && alarm.stderr.contains(&second),
        "{}",
        alarm.stderr
    );
    // What the hint says is the way to accept it; whether the source is registered or not.
    user.run(["sources", "remove", &tagged]).expect(0);
    let (_, hint) = alarm.stderr.split_once("`modelzoo ").unwrap();
    let accept: Vec<&str> = hint.split_once('`').unwrap().0.split(' ').collect();
    user.run([&accept[..], &["--locked"]].concat()).expect(1);
    let told = user.run([&accept[..], &["--dry-run"]].concat()).expect(0);
    assert!(told.stdout.contains("~ manifest.json"), "{}", told.stdout);
    assert_eq!(fs::read_to_string(user.path("modelzoo.lock")).unwrap(), lock);
    let told = user.run(&accept).expect(0);
    assert!(told.stdout.contains("~ model test/brightness"), "{}", told.stdout);
    let now = fs::read_to_string(user.path("modelzoo.lock")).unwrap();
    assert!(now.contains(&second) && !now.contains(&first), "{now}");
    // It is other code, which was not allowed yet.
    apply(&user, &tagged, &["--locked"]).expect(4);
    assert_eq!(
        user.run(&accept).expect(0).stdout.matches("nothing new").count(),
        1
    );
    user.run(["update", "acme/nothing"]).expect(3);
}

#[test]
fn models_of_registered_sources_are_known_by_name() {
    let (user, url, _, [first, second]) = user_with_source();
    user.run(["sources", "add", &format!("{url}@v1")]).expect(0);
    let list = user.run(["list"]).expect(0);
    assert!(list.stdout.contains("test/brightness"), "{}", list.stdout);
    assert_eq!(
        user.run(["list", "--tags", "test", "--names-only"])
            .expect(0)
            .stdout,
        "test/brightness\n"
    );
    assert_eq!(user.run(["list", "--tags", "none"]).expect(0).stdout, "");
    let info: Value =
        serde_json::from_str(&user.run(["info", "test/brightness", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(info["commit"], first.as_str());
    let unknown = user.run(["info", "test/brightnes"]);
    assert!(unknown.stderr.contains("brightness"), "{}", unknown.stderr);

    user.run(["find", "test/brightness"]).expect(3);
    user.run(["trust", "allow", &format!("{url}@v1")]).expect(0);
    user.run(["download", "test/brightness"]).expect(0);
    let weights = user.run(["find", "test/brightness"]).expect(0).stdout;
    assert_eq!(fs::read_to_string(weights.trim()).unwrap(), "test/brightness");
    user.run(["delete", "test/brightness"]).expect(0);
    user.run(["find", "test/brightness"]).expect(3);

    user.run(["sources", "remove", &url]).expect(0);
    user.run(["sources", "add", &format!("{url}@feature/bright")])
        .expect(0);
    let sources: Value =
        serde_json::from_str(&user.run(["sources", "list", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(sources[0]["commit"]["id"], second.as_str());
}

#[test]
fn the_policy_denies_waits_and_wants_signatures() {
    let user = User::new().with_empty_store();
    let keys = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let publish = |name: &str, is_signed: bool| {
        let work = user.path(name);
        support::copy_folder(&support::sample("brightness"), &work);
        git(&work, &["init", "--quiet"]);
        if is_signed {
            // What is not published is not signed.
            fs::write(work.join(".gitignore"), "*.log\n").unwrap();
            fs::write(work.join("build.log"), "noise").unwrap();
            let text = user
                .run(["plugin", "signed-text", work.to_str().unwrap()])
                .expect(0);
            let signature = minisign::sign(None, &keys.sk, text.stdout.as_bytes(), None, None).unwrap();
            fs::write(work.join(SIGNATURE_FILE), signature.into_string()).unwrap();
        }
        git(&work, &["add", "--all"]);
        git(&work, &["commit", "--quiet", "-m", "A source"]);
        let served = user.path("served/acme").join(name);
        git(
            &work,
            &["clone", "--quiet", "--bare", ".", served.to_str().unwrap()],
        );
    };
    fs::create_dir_all(user.path("served/acme")).unwrap();
    publish("signed", true);
    publish("unsigned", false);
    let mirrors = format!(
        "[mirrors]\n\"https://github.com/\" = \"file://{}/\"\n[trust]\n",
        user.path("served").display()
    );
    let key = format!("keys = {{ acme = \"{}\" }}\n", keys.pk.to_base64());
    let mut user = user;
    for (policy, source, told) in [
        (
            "deny = [\"acme\"]\nallow = [\"acme/signed\"]\n",
            "acme/signed",
            "is denied by the configuration",
        ),
        (
            "allow = [\"acme\"]\nminimum_age_days = 7\n",
            "acme/signed",
            "0 days old, and the configuration asks for 7",
        ),
        (
            "allow = [\"acme\"]\nrequire_signature = true\n",
            "acme/signed",
            "no key is known",
        ),
        (
            &format!("allow = [\"acme\"]\n{key}"),
            "acme/unsigned",
            "has no signature (modelzoo.minisig)",
        ),
    ] {
        user = user.with_config(&format!("{mirrors}{policy}"));
        let refused = user.run(["download", source]).expect(4);
        assert!(refused.error().contains(told), "{policy}: {}", refused.stderr);
    }
    user = user.with_config(&format!(
        "{mirrors}allow = [\"acme\"]\nrequire_signature = true\n{key}"
    ));
    user.run(["download", "acme/signed"]).expect(0);

    user.run(["trust", "deny", "acme"]).expect(0);
    let refused = user.run(["download", "acme/signed"]).expect(4);
    assert!(refused.error().contains("was denied"), "{}", refused.stderr);
}

fn info(user: &User, model: &str, more: &[&str]) -> Value {
    let run = user.run([&["info", model, "--json"], more].concat()).expect(0);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_known_name_keeps_its_commit_and_its_weights_until_and_through_an_update() {
    let (user, url, repository, [first, second]) = user_with_source();
    user.run(["sources", "add", &url]).expect(0);
    user.run(["trust", "allow", &url]).expect(0);
    user.run(["download", "test/brightness"]).expect(0);
    git(
        &repository,
        &["update-ref", "refs/heads/main", "refs/heads/feature/bright"],
    );
    assert_eq!(info(&user, "test/brightness", &[])["commit"], first.as_str());
    assert_eq!(info(&user, &url, &[])["commit"], second.as_str());

    let shown = user.run(["update", "--dry-run"]).expect(0);
    assert!(
        shown.stdout.contains("~ model test/brightness: description"),
        "{}",
        shown.stdout
    );
    assert_eq!(info(&user, "test/brightness", &[])["commit"], first.as_str());
    user.run(["update"]).expect(0);
    assert_eq!(info(&user, "test/brightness", &[])["commit"], second.as_str());
    user.run(["find", "test/brightness"]).expect(0);
}

#[test]
fn an_update_looks_whether_an_archive_has_changed() {
    let user = User::new().with_empty_store();
    let source = user.path("source");
    let pack = |models: &str| {
        fs::create_dir_all(&source).unwrap();
        fs::write(
            source.join("manifest.json"),
            format!(r#"{{"models": [{models}]}}"#),
        )
        .unwrap();
        fs::write(source.join("Cargo.toml"), "[package]\nname = \"archived\"\n").unwrap();
        user.run(["plugin", "pack", "./source", "-o", "source.tar.gz"])
            .expect(0);
    };
    pack(r#"{"base_name": "test/one"}"#);
    let url = format!("file://{}", user.path("source.tar.gz").display());
    user.run(["sources", "add", &url]).expect(0);
    assert!(user.run(["update"]).expect(0).stdout.contains("nothing new"));

    pack(r#"{"base_name": "test/one"}, {"base_name": "test/two"}"#);
    let update = user.run(["update"]).expect(0).stdout;
    assert!(update.contains("+ model test/two"), "{update}");
    user.run(["info", "test/two"]).expect(0);

    // So does registering it once more, unless it is locked.
    pack(r#"{"base_name": "test/three"}"#);
    user.run(["sources", "add", &url]).expect(0);
    user.run(["info", "test/three"]).expect(0);
    user.run(["lock"]).expect(0);
    pack(r#"{"base_name": "test/four"}"#);
    user.run(["sources", "add", &url]).expect(0);
    user.run(["info", "test/four", "--offline"]).expect(3);
    user.run(["info", "test/three", "--locked"]).expect(0);
}

#[test]
fn what_the_address_bar_shows_can_be_registered_and_locked() {
    let user = User::new().with_empty_store();
    let work = user.path("work");
    fs::create_dir_all(work.join("models/a")).unwrap();
    fs::write(
        work.join("models/a/manifest.json"),
        r#"{"models": [{"base_name": "a"}]}"#,
    )
    .unwrap();
    git(&work, &["init", "--quiet"]);
    git(&work, &["checkout", "--quiet", "-b", "feat/x"]);
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "-m", "A model in a folder"]);
    let commit = git(&work, &["rev-parse", "HEAD"]);
    fs::create_dir(user.path("served")).unwrap();
    git(
        &user.path("served"),
        &["clone", "--quiet", "--bare", "../work", "acme/zoo"],
    );
    let mirror = format!(
        "[mirrors]\n\"https://github.com/\" = \"file://{}/\"\n",
        user.path("served").display()
    );
    let user = user.with_config(&mirror);

    let browser = "https://github.com/acme/zoo/tree/feat/x/models/a";
    user.run(["sources", "add", browser]).expect(0);
    assert_eq!(
        info(&user, "a", &["--offline"])["source"],
        "github.com/acme/zoo//models/a"
    );
    user.run(["lock"]).expect(0);
    git(
        &user.path("served/acme/zoo"),
        &["update-ref", "-d", "refs/heads/feat/x"],
    );
    for spelling in [browser, "acme/zoo@feat/x//models/a", "a"] {
        assert_eq!(
            info(&user, spelling, &["--locked"])["commit"],
            commit.as_str(),
            "{spelling}"
        );
    }
    user.run(["sources", "remove", browser]).expect(0);
    user.run(["info", "a"]).expect(3);
}

#[test]
fn a_store_that_was_changed_is_found_out() {
    let (user, url, _, _) = user_with_source();
    user.run(["list", &url]).expect(0);
    user.run(["verify"]).expect(0);
    let manifest = walkdir::WalkDir::new(user.path("store/sources"))
        .into_iter()
        .flatten()
        .find(|entry| entry.file_name() == "manifest.json")
        .unwrap();
    let text = fs::read_to_string(manifest.path()).unwrap();
    fs::remove_file(manifest.path()).unwrap();
    fs::write(manifest.path(), text.replace("bright", "fright")).unwrap();
    let broken = user.run(["store", "verify"]).expect(6);
    assert!(broken.stdout.contains("changed"), "{}", broken.stdout);
    user.run(["store", "verify", "--repair"]).expect(6);
    user.run(["store", "verify"]).expect(0);
    user.run(["list", &url]).expect(0);
}

#[test]
fn offline_works_with_what_is_there_and_says_what_is_not() {
    let (user, url, _, _) = user_with_source();
    let missing = user.run(["list", &url, "--offline"]).expect(3);
    assert!(missing.error().contains("brightness"), "{}", missing.stderr);
    let online = user.run(["list", &url]).expect(0);
    assert_eq!(
        user.run(["list", &url, "--offline"]).expect(0).stdout,
        online.stdout
    );
}

#[test]
fn the_doctor_looks_at_everything() {
    let user = User::new().with_empty_store();
    let checks: Value = serde_json::from_str(&user.run(["doctor", "--json"]).stdout).unwrap();
    let names: Vec<&str> = checks
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    for name in ["configuration", "cargo", "rustc", "ffmpeg"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}
