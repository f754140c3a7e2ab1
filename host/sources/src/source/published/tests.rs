//! Which folders are published models, and what of them is one.
use super::*;

const CONFIG_TEXT: &str = r#"{"model_type": "vit", "auto_map": {"AutoModel": "code.ViT"}}"#;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn published(files: &[(&str, &str)]) -> Option<(ModelEntry, PublishedModel)> {
    let folder = folder(files);
    let mut found = read(folder.path(), "owner/model").unwrap()?;
    Some((found.manifest.models.remove(0), found.published.unwrap()))
}

fn names(model: &PublishedModel) -> Vec<&str> {
    model.files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn a_configuration_with_its_weights_is_a_model() {
    let pointer = "version https://git-lfs.github.com/spec/v1\n\
                   oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 1000\n";
    let (entry, model) = published(&[
        (CONFIG, CONFIG_TEXT),
        ("model.safetensors", pointer),
        ("pytorch_model.bin", pointer),
        ("README.md", "---\nlicense: mit\n---\n"),
        ("code.py", "import os"),
    ])
    .unwrap();
    assert_eq!(
        (entry.name(), entry.license.as_deref(), entry.size_bytes),
        ("owner/model".to_owned(), Some("mit"), Some(1000))
    );
    assert!(model.has_code);
    assert_eq!(names(&model), [CONFIG, "README.md", "model.safetensors"]);
    let elsewhere: Vec<&str> = model.kept_elsewhere().map(|(name, _)| name).collect();
    assert_eq!(elsewhere, ["model.safetensors"]);
}

#[test]
fn an_index_brings_its_files_that_lie_beside_it() {
    let index =
        r#"{"weight_map": {"a": "one.safetensors", "b": "two.safetensors", "c": "../three", "d": 4}}"#;
    let (_, model) = published(&[
        (CONFIG, CONFIG_TEXT),
        ("model.safetensors.index.json", index),
        ("one.safetensors", ""),
    ])
    .unwrap();
    let weights = model.files.iter().filter(|file| file.is_weights);
    let weights: Vec<&str> = weights.map(|file| file.name.as_str()).collect();
    assert_eq!(weights, ["model.safetensors.index.json", "one.safetensors"]);
}

#[test]
fn other_folders_are_no_models() {
    assert!(published(&[]).is_none());
    assert!(published(&[(CONFIG, r#"{"port": 8080}"#)]).is_none());
    assert!(published(&[(CONFIG, "no JSON")]).is_none());
    assert!(published(&[("model.safetensors", "")]).is_none());
    // What is wrong with these is told when they are run.
    assert!(published(&[(CONFIG, "no JSON"), ("model.safetensors", "")]).is_some());
    assert!(published(&[(CONFIG, r#"{"architecture": "vit_base"}"#)]).is_some());
}

#[test]
fn any_folder_gives_a_name_that_a_model_may_have() {
    for (name, expected) in [
        ("vit@1\n", "vit-1-"),
        ("  ", "model"),
        ("google/vit", "google/vit"),
    ] {
        assert_eq!(model_name(name), expected);
    }
}
