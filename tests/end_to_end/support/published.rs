//! A sample source, published in a Git repository.

use super::{User, copy_folder, sample};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs Git in a folder, as somebody whose own configuration does not matter.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=Author",
            "-c",
            "user.email=author@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Publishes a sample as `acme/brightness.git` below `root`: a tag `v1` for the first commit, and a branch
/// `feature/bright` whose model has another description. Gives both commits.
pub fn publish(root: &Path) -> [String; 2] {
    let work = root.join("work");
    copy_folder(&sample("brightness"), &work);
    git(&work, &["init", "--quiet"]);
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "-m", "The first version"]);
    let first = git(&work, &["rev-parse", "HEAD"]);
    git(&work, &["tag", "v1"]);
    git(&work, &["checkout", "--quiet", "-b", "feature/bright"]);
    let manifest = work.join("manifest.json");
    let text = fs::read_to_string(&manifest)
        .unwrap()
        .replace("Tells bright", "Distinguishes bright");
    fs::write(&manifest, text).unwrap();
    git(&work, &["commit", "--quiet", "--all", "-m", "Say it better"]);
    let second = git(&work, &["rev-parse", "HEAD"]);
    git(&work, &["checkout", "--quiet", "main"]);
    let published = root.join("acme/brightness.git");
    fs::create_dir_all(published.parent().unwrap()).unwrap();
    git(
        root,
        &["clone", "--quiet", "--bare", "work", published.to_str().unwrap()],
    );
    git(&published, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    [first, second]
}

/// A user with an empty store; the URL of a repository with a sample source, its folder, and its two commits.
pub fn user_with_source() -> (User, String, PathBuf, [String; 2]) {
    let user = User::new().with_empty_store();
    let root = user.path("repositories");
    fs::create_dir(&root).unwrap();
    let commits = publish(&root);
    let repository = root.join("acme/brightness.git");
    (
        user,
        format!("file://{}", repository.display()),
        repository,
        commits,
    )
}
