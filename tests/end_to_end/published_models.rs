//! Folders with published models, as `save_pretrained` leaves them: what runs at once, and in which words malformed ones
//! are refused.

use crate::support::{
    Run, User, copy_folder,
    http_server::{Answer, Server},
    hub::{sha256, small_model},
    project,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn photo() -> String {
    project()
        .join("examples/photos/astronaut.jpg")
        .display()
        .to_string()
}

/// A copy of a small model that may be changed.
fn copied(user: &User, model: &str, name: &str) -> PathBuf {
    let folder = user.path(name);
    copy_folder(&small_model(model), &folder);
    folder
}

fn apply(user: &User, folder: &Path) -> Run {
    user.run(["apply", folder.to_str().unwrap(), &photo()])
}

fn configure(folder: &Path, change: impl FnOnce(&mut Value)) {
    let path = folder.join("config.json");
    let mut config = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut config);
    fs::write(path, config.to_string()).unwrap();
}

#[test]
fn a_folder_is_a_model_without_compiler_or_consent() {
    // Nothing could be compiled here.
    let user = User::new().with_variable("PATH", "/nowhere");
    let folder = copied(&user, "vit_classifier", "my-fine-tuned-vit");
    let run = apply(&user, &folder).expect(0);
    let label = &run.json_lines()[0]["predictions"];
    assert_eq!(label["_cls"], "Classification");
    assert!(
        run.stderr.lines().all(|line| !line.contains("trust")),
        "{}",
        run.stderr
    );
    let folder = folder.to_str().unwrap();
    let run = user
        .run(["apply", folder, &photo(), "--set", "top_k=2"])
        .expect(0);
    let labels = run.json_lines()[0]["predictions"]["classifications"].clone();
    assert_eq!(labels.as_array().unwrap().len(), 2, "{labels}");
    let run = user.run(["apply", folder, &photo(), "--set", "topk=2"]).expect(2);
    assert!(run.error().contains("topk"), "{}", run.stderr);
    let run = user
        .run(["apply", folder, &photo(), "--isolation", "none"])
        .expect(0);
    assert_eq!(&run.json_lines()[0]["predictions"]["label"], &label["label"]);
    let run = user.run(["embed", folder, &photo()]).expect(0);
    assert_eq!(run.json_lines()[0]["embeddings"].as_array().unwrap().len(), 24);

    let info: Value = serde_json::from_str(&user.run(["info", folder, "--json"]).expect(0).stdout).unwrap();
    assert_eq!(info["name"], "my-fine-tuned-vit");
    assert!(
        info["built_in"].as_str().unwrap().starts_with("modelzoo-vision "),
        "{info}"
    );
    let told = user.run(["info", folder]).expect(0).stdout;
    assert!(told.contains("built in: modelzoo-vision"), "{told}");
}

#[test]
fn the_plugin_is_shut_in_as_any_other_and_told_where_labels_come_from() {
    let user = User::new();
    let folder = copied(&user, "vit_classifier", "vit");
    let dataset = user.path("photos.sqlite");
    let dataset = dataset.to_str().unwrap();
    user.run(["dataset", "create", dataset, &photo()]).expect(0);
    let arguments = ["apply", folder.to_str().unwrap(), dataset, "--sandbox", "on"];
    let run = user.run(arguments);
    if run.code == 1 && run.error().contains("this system has no limits of") {
        return;
    }
    run.expect(0);
    let told = user.run(["dataset", "info", dataset, "--json"]).expect(0).stdout;
    let weights = fs::read(folder.join("model.safetensors")).unwrap();
    assert!(
        told.contains("\"modelzoo-vision ") && told.contains(&sha256(&weights)),
        "{told}"
    );
}

#[test]
fn every_task_runs_from_its_folder() {
    let user = User::new();
    for (model, class) in [
        ("detr_basic", "Detections"),
        ("segformer_segmenter", "Segmentation"),
        ("depth_anything_relative", "Heatmap"),
        ("timm_resnet18", "Classification"),
    ] {
        let run = apply(&user, &small_model(model)).expect(0);
        assert_eq!(run.json_lines()[0]["predictions"]["_cls"], class, "{model}");
    }
    let clip = small_model("clip");
    let run = user.run([
        "apply",
        clip.to_str().unwrap(),
        &photo(),
        "--set",
        "classes=cat,dog",
    ]);
    let label = run.expect(0).json_lines()[0]["predictions"]["label"].clone();
    assert!(["cat", "dog"].contains(&label.as_str().unwrap()), "{label}");
    let run = user
        .run(["embed", clip.to_str().unwrap(), "--prompt", "a cat"])
        .expect(0);
    assert!(!run.stdout.is_empty());
}

#[test]
fn two_classes_that_transformers_saves_without_names_have_its_own() {
    let user = User::new();
    let folder = small_model("yolos_padded");
    let config = fs::read_to_string(folder.join("config.json")).unwrap();
    assert!(!config.contains("id2label"));
    let run = user.run([
        "apply",
        folder.to_str().unwrap(),
        &photo(),
        "--set",
        "score_threshold=0",
    ]);
    let found = run.expect(0).json_lines()[0]["predictions"]["detections"].clone();
    let labels: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["label"].as_str().unwrap())
        .collect();
    assert!(!labels.is_empty());
    assert!(
        labels.iter().all(|label| ["LABEL_0", "LABEL_1"].contains(label)),
        "{labels:?}"
    );
}

#[test]
fn photographs_get_the_labels_that_the_models_own_code_gives_them() {
    let user = User::new();
    let golden = fs::read(project().join("plugin-api/vision/tests/photographs.json")).unwrap();
    let golden: serde_json::Map<String, Value> = serde_json::from_slice(&golden).unwrap();
    assert!(golden.len() > 15, "{}", golden.len());
    for (model, photos) in golden {
        let folder = small_model(&model);
        for (photo, expected) in photos.as_object().unwrap() {
            let photo = project().join("examples/photos").join(photo);
            let mut arguments = vec!["apply", folder.to_str().unwrap(), photo.to_str().unwrap()];
            if expected.is_array() {
                arguments.extend(["--set", "score_threshold=0"]);
            }
            let found = user.run(arguments).expect(0).json_lines()[0]["predictions"].clone();
            let Some(objects) = expected.as_array() else {
                assert!(
                    is_same(&found, expected),
                    "{model}: {found} instead of {expected}"
                );
                continue;
            };
            let found = found["detections"].as_array().unwrap();
            assert_eq!(found.len(), objects.len(), "{model}");
            for object in objects {
                let corners = numbers(&object["corners"]);
                let is_it = |found: &&Value| {
                    let sides = numbers(&found["bounding_box"]);
                    let there = [sides[0], sides[1], sides[0] + sides[2], sides[1] + sides[3]];
                    is_same(found, object) && overlap(&there, &corners) > 0.99
                };
                assert!(
                    found.iter().any(|found| is_it(&found)),
                    "{model}: {object} is not in {found:?}"
                );
            }
        }
    }
}

/// The same label, with a score that is as good as the same.
fn is_same(found: &Value, expected: &Value) -> bool {
    let score = |value: &Value| value["confidence"].as_f64().unwrap();
    found["label"] == expected["label"] && (score(found) - score(expected)).abs() < 0.005
}

fn numbers(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

/// The shared part of two boxes, by their corners.
fn overlap(one: &[f64], other: &[f64]) -> f64 {
    let area = |corners: &[f64]| (corners[2] - corners[0]) * (corners[3] - corners[1]);
    let width = one[2].min(other[2]) - one[0].max(other[0]);
    let height = one[3].min(other[3]) - one[1].max(other[1]);
    let shared = width.max(0.0) * height.max(0.0);
    shared / (area(one) + area(other) - shared)
}

#[test]
fn files_that_are_links_and_weights_in_several_files_are_read() {
    let user = User::new();
    // As a hub's cache keeps them.
    let (blobs, snapshot) = (copied(&user, "vit_classifier", "blobs"), user.path("snapshot"));
    fs::create_dir(&snapshot).unwrap();
    for file in fs::read_dir(&blobs).unwrap() {
        let name = file.unwrap().file_name();
        std::os::unix::fs::symlink(blobs.join(&name), snapshot.join(&name)).unwrap();
    }
    apply(&user, &snapshot).expect(0);

    let folder = copied(&user, "vit_classifier", "sharded");
    fs::rename(
        folder.join("model.safetensors"),
        folder.join("model-00001-of-00001.safetensors"),
    )
    .unwrap();
    let header = header_of(&fs::read(folder.join("model-00001-of-00001.safetensors")).unwrap());
    let map: serde_json::Map<_, _> = header
        .keys()
        .filter(|name| *name != "__metadata__")
        .map(|name| (name.clone(), "model-00001-of-00001.safetensors".into()))
        .collect();
    let index = json!({ "metadata": {}, "weight_map": map });
    fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
    apply(&user, &folder).expect(0);
}

#[test]
fn code_beside_a_manifest_wins() {
    let user = User::new();
    let folder = copied(&user, "vit_classifier", "both");
    copy_folder(&crate::support::sample("brightness"), &folder);
    let run = user.run(["info", folder.to_str().unwrap(), "--json"]).expect(0);
    let info: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&info["has_plugin"], &info["built_in"]),
        (&json!(true), &Value::Null)
    );
}

#[test]
fn surplus_tensors_are_told_and_left_out() {
    let user = User::new();
    let folder = copied(&user, "vit_classifier", "surplus");
    configure(&folder, |config| config["num_hidden_layers"] = 1.into());
    let run = apply(&user, &folder).expect(0);
    assert!(run.stderr.contains("the network does not use"), "{}", run.stderr);
}

#[test]
fn a_missing_description_of_the_preprocessing_is_told() {
    let user = User::new();
    let folder = copied(&user, "vit_classifier", "bare");
    fs::remove_file(folder.join("preprocessor_config.json")).unwrap();
    let run = apply(&user, &folder).expect(0);
    let told = run
        .stderr
        .lines()
        .filter(|line| line.contains("no preprocessor_config.json in"));
    assert_eq!(told.count(), 1, "{}", run.stderr);
}

/// The header of a safetensors file.
fn header_of(content: &[u8]) -> serde_json::Map<String, Value> {
    let length = u64::from_le_bytes(content[..8].try_into().unwrap()) as usize;
    serde_json::from_slice(&content[8..8 + length]).unwrap()
}

/// A safetensors file with this header, and the data of another.
fn with_header(content: &[u8], header: &str) -> Vec<u8> {
    let length = u64::from_le_bytes(content[..8].try_into().unwrap()) as usize;
    let mut changed = (header.len() as u64).to_le_bytes().to_vec();
    changed.extend_from_slice(header.as_bytes());
    changed.extend_from_slice(&content[8 + length..]);
    changed
}

type Damage = fn(&Path);

/// The exit codes: a model that is broken, and one that is not for this program.
const BROKEN: i32 = 1;
const INCOMPATIBLE: i32 = 7;

fn set(folder: &Path, key: &str, value: Value) {
    configure(folder, |config| config[key] = value);
}

fn damage_weights(folder: &Path, damage: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let path = folder.join("model.safetensors");
    let content = fs::read(&path).unwrap();
    fs::write(path, damage(content)).unwrap();
}

fn pickle_instead(folder: &Path, content: &[u8]) {
    fs::remove_file(folder.join("model.safetensors")).unwrap();
    fs::write(folder.join("pytorch_model.bin"), content).unwrap();
}

/// What may be wrong with a model, and a part of the line that says so.
const DAMAGES: &[(&str, i32, &str, Damage)] = &[
    ("truncated", BROKEN, "model.safetensors", |folder| {
        damage_weights(folder, |mut content| {
            content.truncate(content.len() / 2);
            content
        });
    }),
    ("empty", BROKEN, "model.safetensors", |folder| {
        damage_weights(folder, |_| Vec::new())
    }),
    ("a header of 100 GB", BROKEN, "model.safetensors", |folder| {
        damage_weights(folder, |mut content| {
            content[..8].copy_from_slice(&(100_u64 << 30).to_le_bytes());
            content
        });
    }),
    (
        "a header that is no JSON",
        BROKEN,
        "model.safetensors",
        |folder| {
            damage_weights(folder, |content| with_header(&content, "{\"a\": "));
        },
    ),
    ("a tensor twice in one file", BROKEN, "more than once", |folder| {
        damage_weights(folder, |content| {
            let header = serde_json::to_string(&header_of(&content)).unwrap();
            let (name, value) = header_of(&content)
                .into_iter()
                .find(|(name, _)| name != "__metadata__")
                .unwrap();
            let twice = format!("{{\"{name}\":{value},{}", &header[1..]);
            with_header(&content, &twice)
        });
    }),
    ("a tensor in two files", BROKEN, "is in both", |folder| {
        let weights = fs::read(folder.join("model.safetensors")).unwrap();
        fs::remove_file(folder.join("model.safetensors")).unwrap();
        for file in ["one.safetensors", "two.safetensors"] {
            fs::write(folder.join(file), &weights).unwrap();
        }
        let mut names = header_of(&weights).into_iter().map(|(name, _)| name);
        let name = names.find(|name| name != "__metadata__").unwrap();
        let other = names.find(|name| name != "__metadata__").unwrap();
        let index = json!({ "weight_map": { name: "one.safetensors", other: "two.safetensors" } });
        fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
    }),
    (
        "an index that leads elsewhere",
        BROKEN,
        "no name of a file beside it",
        |folder| {
            fs::remove_file(folder.join("model.safetensors")).unwrap();
            let index = json!({ "weight_map": { "a": "../../etc/passwd" } });
            fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
        },
    ),
    (
        "an index of a file that is missing",
        BROKEN,
        "model-2.safetensors cannot be read",
        |folder| {
            let index = json!({ "weight_map": { "a": "model-2.safetensors" } });
            fs::remove_file(folder.join("model.safetensors")).unwrap();
            fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
        },
    ),
    (
        "tensors in the same place",
        BROKEN,
        "model.safetensors",
        |folder| {
            damage_weights(folder, |content| {
                let mut header = header_of(&content);
                let mut names = header.keys().filter(|name| *name != "__metadata__").cloned();
                let (one, other) = (names.next().unwrap(), names.next().unwrap());
                drop(names);
                header[&other] = header[&one].clone();
                with_header(&content, &Value::Object(header).to_string())
            });
        },
    ),
    ("other shapes", BROKEN, "has dimensions", |folder| {
        set(folder, "intermediate_size", json!(41))
    }),
    ("missing tensors", BROKEN, "there is no tensor `", |folder| {
        set(folder, "num_hidden_layers", json!(3))
    }),
    ("no weights", BROKEN, "there are no weights in", |folder| {
        fs::remove_file(folder.join("model.safetensors")).unwrap();
    }),
    ("four channels", INCOMPATIBLE, "`num_channels` in", |folder| {
        set(folder, "num_channels", json!(4))
    }),
    ("a negative size", BROKEN, "`hidden_size` in", |folder| {
        set(folder, "hidden_size", json!(-24))
    }),
    ("a size of a terabyte", BROKEN, "`hidden_size` in", |folder| {
        set(folder, "hidden_size", json!(1_u64 << 40));
    }),
    (
        "an unknown activation",
        INCOMPATIBLE,
        "`hidden_act` in",
        |folder| set(folder, "hidden_act", json!("mish")),
    ),
    (
        "a configuration that is no JSON",
        BROKEN,
        "config.json is no JSON object",
        |folder| {
            fs::write(folder.join("config.json"), "{\"model_type\": ").unwrap();
        },
    ),
    (
        "preprocessing that is no JSON",
        BROKEN,
        "preprocessor_config.json is no JSON object",
        |folder| {
            fs::write(folder.join("preprocessor_config.json"), "[]").unwrap();
        },
    ),
    (
        "a picture of a terabyte",
        BROKEN,
        "has no elements or more than",
        |folder| {
            let sides = json!({ "size": { "height": 1 << 20, "width": 1 << 20 } });
            fs::write(folder.join("preprocessor_config.json"), sides.to_string()).unwrap();
        },
    ),
    ("a filter that is none", BROKEN, "`resample` in", |folder| {
        fs::write(folder.join("preprocessor_config.json"), "{\"resample\": 99}").unwrap();
    }),
    ("a division by zero", BROKEN, "`image_std` in", |folder| {
        fs::write(
            folder.join("preprocessor_config.json"),
            "{\"image_std\": [0, 0, 0]}",
        )
        .unwrap();
    }),
    ("a pickle that runs a program", BROKEN, "system", |folder| {
        // What `pickle.dumps` makes of an object whose `__reduce__` gives `(os.system, ("touch ran",))`.
        pickle_instead(
            folder,
            b"\x80\x02cposix\nsystem\nX\x09\x00\x00\x00touch ran\x85R.",
        );
    }),
    ("an archive that is none", BROKEN, "pytorch_model.bin", |folder| {
        pickle_instead(folder, b"PK\x03\x04 and no more")
    }),
];

#[test]
fn malformed_models_are_one_clear_line_each() {
    let user = User::new();
    for (name, code, part, damage) in DAMAGES {
        let folder = copied(&user, "vit_classifier", &name.replace(' ', "_"));
        damage(&folder);
        let run = apply(&user, &folder).expect(*code);
        assert!(run.error().contains(part), "{name}: {}", run.stderr);
        assert_eq!(run.stderr.matches("error: ").count(), 1, "{name}: {}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{name}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{name}: {}", run.stdout);
        assert!(
            !folder.join("ran").exists() && !user.path("ran").exists(),
            "{name}"
        );
    }
}

#[test]
fn a_model_of_embeddings_is_not_asked_for_labels() {
    let user = User::new();
    for (model, hint) in [
        ("dinov2_backbone", "use `embed`"),
        ("clip", "--set classes=cat,dog"),
    ] {
        let run = apply(&user, &small_model(model)).expect(2);
        assert!(run.error().contains("makes embeddings only"), "{}", run.stderr);
        assert!(run.stderr.contains(hint), "{}", run.stderr);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
    }
}

/// A manifest as FiftyOne's is for torchvision's models, with the weights where torchvision has them, behind a mirror.
#[test]
fn a_manifest_for_torchvision_needs_no_plugin() {
    let golden = small_model("torchvision_mobilenet_v2");
    let weights = fs::read(golden.join("weights.pth")).unwrap();
    let server = Server::start(move |_, seen| match seen.path.as_str() {
        "/models/mobilenet_v2-b0353104.pth" => Answer::ok(weights.clone()),
        _ => Answer::new("404 Not Found", ""),
    });
    let user = User::new()
        .with_variable("PATH", "/nowhere")
        .with_config(&format!(
            "[mirrors]\n\"https://download.pytorch.org/\" = \"{}\"\n",
            server.url("/")
        ));
    let mut manifest: Value =
        serde_json::from_slice(&fs::read(golden.join("manifest.json")).unwrap()).unwrap();
    let url = "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth";
    manifest["models"][0]["base_filename"] = json!("mobilenet_v2-b0353104.pth");
    manifest["models"][0]["manager"] =
        json!({"type": "fiftyone.core.models.ModelManager", "config": {"url": url}});
    let source = user.path("torchvision");
    fs::create_dir(&source).unwrap();
    let write = |manifest: &Value| fs::write(source.join("manifest.json"), manifest.to_string()).unwrap();
    write(&manifest);
    let label = apply(&user, &source).expect(0).json_lines()[0]["predictions"].clone();
    let from_file = apply(&user, &golden).expect(0).json_lines()[0]["predictions"].clone();
    assert!(is_same(&label, &from_file), "{label} instead of {from_file}");
    assert!(label["label"].as_str().unwrap().starts_with("class "), "{label}");
    assert_eq!(server.seen().len(), 1, "what is there is not downloaded again");
    let info = user.run(["info", source.to_str().unwrap()]).expect(0);
    assert!(
        info.stdout.contains("built in: modelzoo-vision"),
        "{}",
        info.stdout
    );

    for (key, value, part) in [
        (
            "entrypoint_fcn",
            json!("os.system"),
            "`default_deployment_config_dict.config.entrypoint_fcn` in manifest.json",
        ),
        (
            "entrypoint_fcn",
            json!("torchvision.models.mobilenet_v9"),
            "the nearest that are: mobilenet_v2",
        ),
        ("transforms_fcn", json!("os.system"), "transforms_fcn"),
        ("image_std", json!([1, 0, 1]), "image_std"),
        ("image_min_dim", json!(-4), "image_min_dim"),
        ("labels_string", json!("cat,dog"), "dimensions [10, 1280]"),
    ] {
        let mut changed = manifest.clone();
        changed["models"][0]["default_deployment_config_dict"]["config"][key] = value;
        write(&changed);
        let run = apply(&user, &source);
        assert_ne!(run.code, 0, "{key}");
        assert!(run.error().contains(part), "{}", run.stderr);
    }
    assert_eq!(server.seen().len(), 1);
}
