//! The commands that the documents show, run as they stand there: with small models behind the names that they use, pictures in
//! `photos/`, and no compiler.

use crate::support::{
    Run, User, copy_folder, git_server::GitServer, hub::small_model, project, published::git,
};
use modelzoo_test_support::book::{Command, commands, documents};
use std::{collections::BTreeSet, fs, path::Path};

/// The published models that the documents name, and the small ones that answer for them.
const PUBLISHED: [(&str, &str); 11] = [
    ("google/vit-base-patch16-224", "vit_classifier"),
    ("PekingU/rtdetr_v2_r18vd", "rt_detr_v2"),
    ("openai/clip-vit-base-patch32", "clip"),
    ("google/owlv2-base-patch16-ensemble", "owl_v2"),
    ("nvidia/segformer-b0-finetuned-ade-512-512", "segformer_segmenter"),
    ("facebook/dinov2-small", "dinov2_backbone"),
    (
        "PaddlePaddle/PP-OCRv5_mobile_det_safetensors",
        "pp_ocr_mobile_detector",
    ),
    (
        "PaddlePaddle/PP-OCRv5_mobile_rec_safetensors",
        "pp_ocr_mobile_reader",
    ),
    ("usyd-community/vitpose-base-simple", "vitpose_simple"),
    ("facebook/sam-vit-base", "sam_windows"),
    ("facebook/sam2.1-hiera-tiny", "sam2"),
];

/// What is not run here, and why.
const NOT_RUN: [(&str, &str); 13] = [
    ("s3://", "object stores have tests of their own"),
    ("https://", "nothing is out there"),
    ("crawl.parquet", "a table of URLs, which are out there"),
    ("./my-model", "a plugin that is compiled"),
    ("./bright photos/", "a plugin that is compiled"),
    ("plugin check", "a plugin that is compiled"),
    ("plugin dev", "it asks the registry of crates"),
    ("--prebuilt", "a plugin that is compiled"),
    ("verify --rebuild", "a plugin that is compiled"),
    ("weights convert", "the tutorial's weights are not here"),
    (" . ", "the folder of the tutorial's crate, which is compiled"),
    (
        "./tests/plugins/given",
        "a plugin that is compiled, and a million pictures",
    ),
    ("doctor", "it looks for the network"),
];

/// Serves the models under the names that the documents use, as a hub and as a forge.
struct World {
    server: GitServer,
    _root: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for (name, small) in PUBLISHED {
            publish(root.path(), &format!("hub/{name}"), small);
        }
        publish(root.path(), "forge/user/repo", "vit_classifier");
        for name in ["lite0", "bright", "your-repository"] {
            publish(root.path(), &format!("forge/you/{name}"), "vit_classifier");
        }
        Self {
            server: GitServer::open(root.path()),
            _root: root,
        }
    }

    /// A reader who has what the documents take for granted.
    fn reader(&self) -> User {
        let mirrors = format!(
            "[mirrors]\n\"https://huggingface.co/\" = \"{0}/hub/\"\n\"https://github.com/\" = \"{0}/forge/\"\n",
            self.server.url().trim_end_matches('/')
        );
        let user = User::new()
            .with_empty_store()
            .with_config(&mirrors)
            .with_variable("PATH", "/usr/bin:/bin")
            .with_variable("CARGO_HOME", "/nowhere");
        let photos = project().join("examples/photos");
        copy_folder(&photos, &user.path("photos"));
        for (class, photo) in [("LABEL_0", "chelsea"), ("LABEL_1", "rocket")] {
            let folder = user.path("labelled").join(class);
            fs::create_dir_all(&folder).unwrap();
            fs::copy(
                photos.join(format!("{photo}.jpg")),
                folder.join(format!("{photo}.jpg")),
            )
            .unwrap();
        }
        copy_folder(&small_model("vit_classifier"), &user.path("my-fine-tuned-vit"));
        fs::copy(
            project().join("tests/fixtures/video/bikes.mp4"),
            user.path("clip.mp4"),
        )
        .unwrap();
        for name in ["labels.json", "photos/instances.json"] {
            fs::write(user.path(name), boxes()).unwrap();
        }
        fs::write(user.path("clicks.jsonl"), clicks()).unwrap();
        user
    }
}

/// Boxes in COCO's form.
fn boxes() -> String {
    serde_json::json!({
        "images": [{ "id": 1, "file_name": "chelsea.jpg", "width": 451, "height": 300 }],
        "categories": [{ "id": 1, "name": "LABEL_0" }],
        "annotations": [{ "id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 50, 40], "area": 2000, "iscrowd": 0 }],
    })
    .to_string()
}

/// A point on an object and one beside it.
fn clicks() -> String {
    serde_json::json!({"filepath": "photos/chelsea.jpg", "clicks": {"_cls": "Keypoints", "keypoints": [
        {"_cls": "Keypoint", "label": "cat", "points": [[0.5, 0.4], [0.1, 0.9]], "sam_labels": [1, 0]},
    ]}})
    .to_string()
}

/// Publishes a small model, at the tag `v1`.
fn publish(root: &Path, name: &str, small: &str) {
    let work = root.join("work").join(name);
    copy_folder(&small_model(small), &work);
    fs::remove_file(work.join("golden.safetensors")).unwrap();
    git(&work, &["init", "--quiet"]);
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "-m", "A model"]);
    git(&work, &["tag", "v1"]);
    let bare = root.join(name);
    fs::create_dir_all(bare.parent().unwrap()).unwrap();
    git(
        &work,
        &["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()],
    );
    git(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
}

/// What the command is run as: what it leaves to the reader is filled in.
fn arguments(command: &Command, user: &User) -> Vec<String> {
    let of_bundle = || {
        let sums = std::process::Command::new("sha256sum")
            .arg(user.path("models.bundle"))
            .output()
            .unwrap();
        String::from_utf8(sums.stdout).unwrap()[..64].to_owned()
    };
    let filled_in = |word: &String| match word.as_str() {
        word if word.len() == 64 && !word.contains('/') => of_bundle(),
        "DIR" => "pages".to_owned(),
        word => word.to_owned(),
    };
    command.words.iter().map(filled_in).collect()
}

#[test]
fn the_commands_of_the_documents_do_what_they_say() {
    let world = World::new();
    let (mut count, mut passed_over, mut failed) = (0, BTreeSet::new(), Vec::new());
    for (document, text) in documents() {
        let user = world.reader();
        for command in commands(&document, &text) {
            let line = command.words.join(" ");
            let reason = NOT_RUN.iter().find(|(part, _)| format!("{line} ").contains(part));
            if let Some((part, _)) = reason {
                passed_over.insert(*part);
                continue;
            }
            if command.is_from_a_clone {
                continue;
            }
            count += 1;
            let run: Run = user.run(arguments(&command, &user));
            if let Some(into) = &command.into {
                fs::write(user.path(into), &run.stdout).unwrap();
            }
            if run.code != 0 {
                failed.push(format!("{}: {line}\n{}", command.place, run.stderr));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(count > 40, "{count}");
    let needless: Vec<_> = NOT_RUN
        .iter()
        .filter(|(part, _)| !passed_over.contains(part))
        .collect();
    assert!(needless.is_empty(), "{needless:?}");
}
