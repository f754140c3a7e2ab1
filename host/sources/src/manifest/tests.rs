//! Real manifests, real mistakes, hostile files, and names.
use super::*;
use proptest::prelude::*;
use std::cmp::Ordering;

fn parse(text: &str) -> Result<Manifest, String> {
    Manifest::parse(text.as_bytes(), Path::new("manifest.json")).map_err(|error| error.to_string())
}

fn with_model(fields: &str) -> Result<ModelEntry, String> {
    let manifest = parse(&format!("{{\"models\": [{{\"base_name\": \"m\"\n{fields}\n}}]}}"))?;
    Ok(manifest.models.into_iter().next().unwrap())
}

#[test]
fn numbers_are_written_back_to_the_last_bit() {
    let manifest = parse(r#"{"models": [], "since": 919999999899999999999999}"#).unwrap();
    let again = parse(&serde_json::to_string(&manifest).unwrap()).unwrap();
    assert_eq!(again, manifest);
}

#[test]
fn all_real_manifests_are_read_and_written_back() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/manifests");
    let mut models = 0;
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let manifest = Manifest::load(&path).unwrap();
        assert!(
            manifest.name.is_some() && manifest.url.is_some(),
            "{}",
            path.display()
        );
        assert!(duplicate_names(&manifest.models).is_empty());
        for model in &manifest.models {
            assert_eq!(manifest.select(Some(&model.name())).unwrap(), model);
            assert!(!model.tags.is_empty() && model.base_filename.is_some());
        }
        let again = parse(&serde_json::to_string(&manifest).unwrap()).unwrap();
        assert_eq!(again, manifest);
        models += manifest.models.len();
        files += 1;
    }
    assert_eq!((files, models), (30, 102));
}

#[test]
fn every_field_is_read_and_unknown_ones_are_kept() {
    let text = r#"{
        "name": "acme/zoo", "url": "https://github.com/acme/zoo", "homepage": {"a": 1},
        "models": [{
            "base_name": "acme/squeezenet-1.1", "base_filename": "weights/sq.bin", "version": "1.1", "author": "A",
            "url": "u", "license": "MIT, Apache 2.0", "source": "s", "description": "d", "tags": ["a", "b"],
            "size_bytes": 12, "date_added": "2022-04-12 17:49:51", "colour": "blue",
            "requirements": {
                "packages": "torch>=1,<2, pillow[a,b]>=3|pillow-simd", "cpu": {"support": true, "packages": ["x"]},
                "gpu": {"support": true, "cuda_version": ">=11", "cudnn_version": "==8", "recommended": true},
                "modelzoo": {"min_api_version": "0.1", "targets": ["x86_64-unknown-linux-gnu"],
                             "features": ["cuda"], "system_libraries": ["ssl"]}
            },
            "manager": {"type": "fiftyone.core.models.ModelManager", "config": {
                "google_drive_id": "g", "url": ["https://a/x.zip", "https://b/x.zip"],
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "size_bytes": 3, "extract_archive": true, "delete_archive": true}},
            "default_deployment_config_dict": {"type": "a.b.C", "config": {"x": 1}},
            "training_data": [{"name": "COCO", "url": "https://cocodataset.org"}]
        }]
    }"#;
    let manifest = parse(text).unwrap();
    let model = &manifest.models[0];
    assert_eq!(model.name(), "acme/squeezenet-1.1@1.1");
    assert_eq!(model.licenses().collect::<Vec<_>>(), ["MIT", "Apache 2.0"]);
    assert!(model.has_any_license(&["Apache 2.0"]) && !model.has_any_license(&["GPL"]));
    assert!(model.has_tags(&["a", "b"]) && !model.has_tags(&["a", "c"]));
    let requirements = model.requirements.as_ref().unwrap();
    assert_eq!(requirements.packages[0].any_of, ["torch>=1,<2"]);
    assert_eq!(requirements.packages[1].any_of, ["pillow[a,b]>=3", "pillow-simd"]);
    assert_eq!(requirements.gpu.as_ref().unwrap().extra["recommended"], true);
    let plugin = requirements.modelzoo.as_ref().unwrap();
    assert_eq!(plugin.min_api_version, Some(semver::Version::new(0, 1, 0)));
    let manager = model.manager.as_ref().unwrap();
    assert_eq!(manager.origins.len(), 3);
    assert_eq!(manager.origins[0], Origin::GoogleDrive { id: "g".into() });
    assert!(manager.extract_archive && manager.delete_archive && manager.sha256.is_some());
    assert_eq!(manifest.extra["homepage"]["a"], 1);
    assert_eq!(model.extra["colour"], "blue");
    let written: Value = serde_json::to_value(&manifest).unwrap();
    assert_eq!(
        written["models"][0]["manager"]["config"]["url"][1],
        "https://b/x.zip"
    );
    assert_eq!(written["models"][0]["colour"], "blue");
}

#[test]
fn managers_name_files_of_every_kind() {
    let origins = |config: &str| {
        with_model(&format!(
            r#", "manager": {{"type": "modelzoo.ModelManager", "config": {config}}}"#
        ))
        .map(|model| model.manager.unwrap().origins)
    };
    assert_eq!(
        origins(r#"{"file": "weights/m.safetensors"}"#),
        Ok(vec![Origin::SourceFile("weights/m.safetensors".into())])
    );
    assert_eq!(
        origins(r#"{"repo": "google/vit", "file": "model.safetensors"}"#),
        Ok(vec![Origin::HuggingFace {
            repo: "google/vit".into(),
            file: "model.safetensors".into(),
            revision: "main".into(),
        }])
    );
    assert_eq!(origins("null"), Ok(vec![]));
    for (config, expected) in [
        (r#"{"file": "../m"}"#, "`../m` is not a relative path"),
        (r#"{"repo": "google/vit"}"#, "without a `file`"),
        (r#"{"sha256": "12"}"#, "is no SHA-256 digest"),
        (r#"{"url": 3}"#, "`url` must be a text or a list of texts"),
    ] {
        let message = origins(config).unwrap_err();
        assert!(
            message.contains(expected) && message.starts_with("manifest.json:3:"),
            "{message}"
        );
    }
    let unknown = with_model(r#", "manager": {"type": "acme.Manager", "config": {"url": 3}}"#).unwrap();
    assert!(!unknown.manager.unwrap().is_known());
}

#[test]
fn null_and_empty_stand_for_missing() {
    let model = with_model(
        r#", "version": "", "base_filename": "", "tags": null, "url": null, "manager": null, "size_bytes": null,
           "requirements": {"packages": null, "cpu": {}, "gpu": null}"#,
    )
    .unwrap();
    assert_eq!(model.name(), "m");
    assert_eq!(
        (model.base_filename, model.manager, model.tags.len()),
        (None, None, 0)
    );
    assert_eq!(parse("{\"models\": null}").unwrap(), Manifest::default());
    assert_eq!(parse("\u{feff}{}").unwrap(), Manifest::default());
}

#[test]
fn mistakes_are_reported_with_line_and_column() {
    for (text, expected) in [
        (
            "{\n  \"models\": [\n    {\"base_name\": 3}]}",
            "manifest.json:3:19: invalid type: integer `3`",
        ),
        (
            "{\n  \"models\": [\n    {\"version\": \"1\"}\n]}",
            "manifest.json:3:20: missing field `base_name`",
        ),
        (
            "{\"models\": [{\"base_name\": \"a@b\"}]}",
            "manifest.json:1:32: base_name `a@b` contains `@`",
        ),
        ("{\"models\": [{\"base_name\": \" \"}]}", "base_name is empty"),
        ("{\n\"models\": [}", "manifest.json:2:12: expected value"),
        ("[]", "manifest.json:1:"),
        ("", "manifest.json:1:0: EOF while parsing"),
        (
            "{\"models\": [{\"base_name\": \"a\", \"base_filename\": \"../../x\"}]}",
            "not a relative path inside",
        ),
        (
            "{\"models\": [{\"base_name\": \"a\", \"base_filename\": \"/etc/x\"}]}",
            "not a relative path inside",
        ),
        (
            "{\"models\": [{\"base_name\": \"a\", \"size_bytes\": \"12 MB\"}]}",
            "manifest.json:1:",
        ),
        (
            "{\"models\": [{\"base_name\": \"a\", \"base_name\": \"b\"}]}",
            "duplicate field `base_name`",
        ),
    ] {
        let message = parse(text).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn hostile_files_are_refused() {
    let deep = format!("{{\"x\": {}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(parse(&deep).unwrap_err().contains("recursion limit exceeded"));
    let error = Manifest::parse(b"{\"name\":\n \"\xff\"}", Path::new("m.json")).unwrap_err();
    assert_eq!(error.to_string(), "m.json:2:3: the manifest is not UTF-8 text");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    std::fs::File::create(&path)
        .unwrap()
        .set_len(100 * 1024 * 1024)
        .unwrap();
    assert!(
        Manifest::load(&path)
            .unwrap_err()
            .to_string()
            .contains("the limit is 8388608")
    );
    let missing = Manifest::load(&folder.path().join("none.json")).unwrap_err();
    assert!(missing.to_string().contains("none.json"));
}

#[test]
fn models_are_chosen_by_name_and_version() {
    let manifest = parse(
        r#"{"models": [
            {"base_name": "squeezenet-1.1-imagenet", "version": "1.9"},
            {"base_name": "squeezenet-1.1-imagenet", "version": "1.10"},
            {"base_name": "squeezenet-1.1-imagenet"},
            {"base_name": "other"}]}"#,
    )
    .unwrap();
    assert_eq!(
        manifest.select(Some("squeezenet-1.1-imagenet")).unwrap().name(),
        "squeezenet-1.1-imagenet@1.10"
    );
    assert_eq!(
        manifest
            .select(Some("squeezenet-1.1-imagenet@1.9"))
            .unwrap()
            .version
            .as_deref(),
        Some("1.9")
    );
    let error = manifest.select(Some("squeezenet-1.1-imagent")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("did you mean `squeezenet-1.1-imagenet"),
        "{error}"
    );
    assert!(matches!(manifest.select(None), Err(SelectError::NameNeeded { names }) if names.len() == 4));
    assert_eq!(Manifest::default().select(None), Err(SelectError::NoModels));
    let only =
        parse(r#"{"models": [{"base_name": "m", "version": "2"}, {"base_name": "m", "version": "3"}]}"#)
            .unwrap();
    assert_eq!(only.select(None).unwrap().name(), "m@3");
}

#[test]
fn versions_are_ordered_loosely() {
    for (older, newer) in [
        ("1.9", "1.10"),
        ("1.0", "1.0.1"),
        ("1.0", "1.0rc1"),
        ("0.0.0", "1"),
        ("v1", "v2"),
        ("1.a", "1.1"),
        ("2024-01-02", "2024-10-01"),
        ("1.99999999999999999999", "1.100000000000000000000"),
    ] {
        assert_eq!(compare_versions(older, newer), Ordering::Less, "{older} {newer}");
        assert_eq!(compare_versions(newer, older), Ordering::Greater);
    }
    assert_eq!(compare_versions("1.01", "1.1"), Ordering::Equal);
}

proptest! {
    #[test]
    fn names_go_round(base in "[a-z./-]{1,12}", version in proptest::option::of("[0-9a-z.]{1,6}")) {
        let name = ModelName { base: &base, version: version.as_deref() };
        let text = name.to_string();
        prop_assert_eq!(ModelName::parse(&text), name);
    }

    #[test]
    fn any_bytes_are_read_or_refused(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = Manifest::parse(&content, Path::new("manifest.json")) {
            prop_assert!(error.to_string().contains("manifest.json"));
        }
    }

    #[test]
    fn versions_have_a_total_order(a in "[0-9a-c.]{0,6}", b in "[0-9a-c.]{0,6}", c in "[0-9a-c.]{0,6}") {
        prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
        if compare_versions(&a, &b).is_le() && compare_versions(&b, &c).is_le() {
            prop_assert!(compare_versions(&a, &c).is_le());
        }
    }
}
