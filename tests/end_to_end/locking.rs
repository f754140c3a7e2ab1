//! `modelzoo lock SOURCE`: what is pinned before anything has run.

use crate::support::{
    User,
    hosted::publish_model,
    hub::{Hub, sha256, small_model},
    project,
    published::{git, user_with_source},
};
use serde_json::{Value, json};
use std::fs;

fn lock_file(user: &User) -> String {
    fs::read_to_string(user.path("modelzoo.lock")).unwrap()
}

#[test]
fn a_source_is_pinned_before_it_runs_and_stays_where_it_is() {
    let (user, url, repository, [first, second]) = user_with_source();
    let told = user.run(["lock", &url, "--dry-run"]).expect(0);
    assert!(
        told.stdout.starts_with("would write to ") && told.stdout.contains(&first),
        "{}",
        told.stdout
    );
    assert!(!user.path("modelzoo.lock").exists());
    let run = user.run(["lock", &url]).expect(0);
    assert!(
        run.stdout.starts_with("+ file://") && run.stdout.contains(&first),
        "{}",
        run.stdout
    );
    // Only its plugin knows what its weights are.
    assert!(
        run.stderr
            .contains("the weights of test/brightness are not pinned"),
        "{}",
        run.stderr
    );
    let lock = lock_file(&user);
    assert!(lock.contains("cargo_lock = "), "{lock}");
    assert_eq!(fs::read_dir(user.path("store/artifacts")).unwrap().count(), 0);

    git(&repository, &["update-ref", "refs/heads/main", &second]);
    let run = user.run(["lock", &url, "--json"]).expect(0);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["changes"], json!([]));
    assert_eq!(lock_file(&user), lock);
    let info: Value = serde_json::from_str(&user.run(["info", &url, "--json"]).expect(0).stdout).unwrap();
    assert_eq!(
        info["commit"]["id"].as_str().or(info["commit"].as_str()),
        Some(first.as_str()),
        "{info}"
    );

    // Another source is added to it; the first stays.
    let other = format!("{url}@feature/bright");
    user.run(["lock", &other]).expect(0);
    let both = lock_file(&user);
    assert!(both.contains(&first) && both.contains(&second), "{both}");
    let run = user.run(["lock", &format!("{url}@v1"), "--locked"]).expect(1);
    assert!(run.error().contains("would have to change"), "{}", run.stderr);
    assert_eq!(lock_file(&user), both);
}

#[test]
fn what_the_source_knows_of_weights_is_pinned_and_enough_for_locked_runs() {
    let hub = Hub::with_model("google/vit-tiny", "vit_classifier");
    let user = hub.user();
    let model = "hf:google/vit-tiny";
    user.run(["lock", model]).expect(0);
    assert_eq!(hub.asked().len(), 0, "nothing was downloaded");
    let weights = fs::read(small_model("vit_classifier").join("model.safetensors")).unwrap();
    let lock = lock_file(&user);
    assert!(
        lock.contains(&sha256(&weights)) && lock.contains("built_in = "),
        "{lock}"
    );
    let photo = project().join("examples/photos/astronaut.jpg");
    user.run(["apply", model, photo.to_str().unwrap(), "--locked"])
        .expect(0);
    assert_eq!(lock_file(&user), lock);
    fs::remove_file(user.path("modelzoo.lock")).unwrap();
    user.run(["apply", model, photo.to_str().unwrap()]).expect(0);
    user.run(["lock"]).expect(0);
    assert_eq!(lock_file(&user), lock, "what ran is what was pinned");
}

#[test]
fn a_hash_of_the_manifest_is_pinned_and_one_of_an_archive_is_not() {
    let user = User::new().with_empty_store();
    let hash = "7".repeat(64);
    let url = publish_model(
        &user,
        json!({ "url": "https://example.org/weights.bin", "sha256": hash }),
    );
    let run = user.run(["lock", &url]).expect(0);
    assert!(!run.stderr.contains("not pinned"), "{}", run.stderr);
    assert!(
        lock_file(&user).contains(&format!("\"weights.bin\" = \"{hash}\"")),
        "{}",
        lock_file(&user)
    );

    let user = User::new().with_empty_store();
    let archive = json!({ "url": "https://example.org/w.zip", "sha256": hash, "extract_archive": true });
    let url = publish_model(&user, archive);
    let run = user.run(["lock", &url]).expect(0);
    assert!(
        run.stderr.contains("the weights of m are not pinned"),
        "{}",
        run.stderr
    );
    assert!(!lock_file(&user).contains(&hash), "{}", lock_file(&user));
}

#[test]
fn what_cannot_be_pinned_is_told() {
    let user = User::new().with_empty_store();
    let folder = project().join("plugins/nanodet");
    let run = user.run(["lock", folder.to_str().unwrap()]).expect(1);
    assert!(run.error().contains("nothing can be pinned to"), "{}", run.stderr);
    user.run(["lock", "./nowhere"]).expect(3);
    assert!(!user.path("modelzoo.lock").exists());
}
