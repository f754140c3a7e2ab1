//! A model that is published in a Git repository, with its weights at a server.

use super::{User, copy_folder, published::git, sample};
use serde_json::{Value, json};
use std::fs;

/// Publishes a source with the model `m`, whose weights are where `manager` says; registers it and allows its code.
/// Gives the repository's URL.
pub fn publish_model(user: &User, manager: Value) -> String {
    let source = user.path("source");
    copy_folder(&sample("brightness"), &source);
    let manager = json!({ "type": "modelzoo.ModelManager", "config": manager });
    let manifest = json!({
        "models": [{ "base_name": "m", "base_filename": "weights.bin", "manager": manager }],
    });
    fs::write(source.join("manifest.json"), manifest.to_string()).unwrap();
    git(&source, &["init", "--quiet"]);
    git(&source, &["add", "--all"]);
    git(&source, &["commit", "--quiet", "-m", "A model"]);
    let url = format!("file://{}/.git", source.display());
    user.run(["sources", "add", &url]).expect(0);
    user.run(["trust", "allow", &url]).expect(0);
    url
}
