//! `dataset create`, `info`, `export` and `import`: from pictures and labels to every format and back.

use crate::support::{Run, User, json_lines, project};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Runs `modelzoo dataset` with words that are split at blanks, in the user's home.
fn dataset(user: &User, words: &str) -> Run {
    user.run(["dataset"].into_iter().chain(words.split_whitespace()))
}

/// Two pictures with labels in `labels.jsonl`, named relative to the home folder.
fn labels(user: &User) {
    fs::create_dir(user.path("photos")).unwrap();
    for (name, label) in [("coffee", "cup"), ("rocket", "rocket")] {
        let photo = format!("photos/{name}.jpg");
        fs::copy(
            project().join(format!("examples/photos/{name}.jpg")),
            user.path(&photo),
        )
        .unwrap();
        let record = json!({
            "filepath": photo,
            "tags": [label],
            "class": {"_cls": "Classification", "label": label, "confidence": 0.75, "tags": []},
            "objects": {"_cls": "Detections", "detections": [{
                "_cls": "Detection", "tags": [], "label": label, "confidence": 0.5,
                "bounding_box": [0.25, 0.25, 0.5, 0.5], "attributes": {},
            }]},
            "points": {"_cls": "Keypoints", "keypoints": [{
                "_cls": "Keypoint", "tags": [], "label": label, "attributes": {},
                "points": [[0.5, 0.5], [{"$numberDouble": "NaN"}, {"$numberDouble": "NaN"}]],
            }]},
            "vector": [0.5, -1.0, 0.25],
        });
        let mut lines = fs::read_to_string(user.path("labels.jsonl")).unwrap_or_default();
        lines.push_str(&format!("{record}\n"));
        fs::write(user.path("labels.jsonl"), lines).unwrap();
    }
}

/// The samples of a dataset as JSON, without what depends on the file format that they came through.
fn samples(user: &User, name: &str) -> Vec<Value> {
    dataset(user, &format!("export {name} all.jsonl")).expect(0);
    json_lines(&fs::read_to_string(user.path("all.jsonl")).unwrap())
}

fn names(samples: &[Value]) -> Vec<&str> {
    let paths = samples.iter().map(|sample| sample["filepath"].as_str().unwrap());
    paths.map(|path| path.rsplit('/').next().unwrap()).collect()
}

#[test]
fn a_dataset_is_made_of_whatever_names_pictures_and_videos() {
    let user = User::new();
    let photos = project().join("examples/photos");
    let video = project().join("tests/fixtures/video/bikes.mp4");
    fs::write(user.path("list.txt"), photos.join("rocket.jpg").to_str().unwrap()).unwrap();
    let glob = photos.join("c*.jpg");
    let photo = photos.join("astronaut.jpg");
    let run = user
        .run([
            "dataset".as_ref(),
            "create".as_ref(),
            "new/photos.sqlite".as_ref(),
            photo.as_os_str(),
            glob.as_os_str(),
            "list.txt".as_ref(),
            video.as_os_str(),
            "--tags=day,test".as_ref(),
            "--metadata".as_ref(),
            "--json".as_ref(),
        ])
        .expect(0);
    let added: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        added,
        json!({"dataset": "new/photos.sqlite", "added": 5, "merged": 0})
    );

    let found = samples(&user, "new/photos.sqlite");
    assert_eq!(
        names(&found),
        [
            "astronaut.jpg",
            "chelsea.jpg",
            "coffee.jpg",
            "rocket.jpg",
            "bikes.mp4"
        ]
    );
    assert_eq!(found[0]["metadata"]["width"], 512);
    assert_eq!(found[4]["metadata"]["total_frame_count"], 250);
    assert!(
        found
            .iter()
            .all(|sample| sample["tags"] == json!(["day", "test"]))
    );

    let run = dataset(&user, "info new/photos.sqlite").expect(0);
    assert!(
        run.stdout.starts_with("5 samples (1 of them videos), made 20"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("\ntags: day (5), test (5)\n"),
        "{}",
        run.stdout
    );
    let selected = dataset(
        &user,
        "export new/photos.sqlite some.jsonl --media-type image --skip 1 --limit 2 --tags test,absent",
    )
    .expect(0);
    assert_eq!(selected.stderr, "some.jsonl: 2 samples as jsonl\n");
    let some = json_lines(&fs::read_to_string(user.path("some.jsonl")).unwrap());
    assert_eq!(names(&some), ["chelsea.jpg", "coffee.jpg"]);
    let left: Vec<_> = fs::read_dir(user.path("new")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn labels_come_back_from_the_formats_that_keep_them() {
    let user = User::new();
    labels(&user);
    dataset(&user, "import first.sqlite labels.jsonl --metadata").expect(0);
    let first = samples(&user, "first.sqlite");
    assert_eq!(names(&first), ["coffee.jpg", "rocket.jpg"]);
    assert!(Path::new(first[0]["filepath"].as_str().unwrap()).is_absolute());
    assert_eq!(first[0]["vector"], json!([0.5, -1.0, 0.25]));

    for (out, options) in [
        ("again.jsonl", ""),
        ("fiftyone", "--format fiftyone --media reference"),
    ] {
        dataset(&user, &format!("export first.sqlite {out} {options}")).expect(0);
        dataset(&user, &format!("import {out}.sqlite {out}")).expect(0);
        assert_eq!(samples(&user, &format!("{out}.sqlite")), first, "{out}");
    }

    dataset(
        &user,
        "export first.sqlite coco.json --format coco --fields objects --classes rocket,cup",
    )
    .expect(0);
    let coco: Value = serde_json::from_slice(&fs::read(user.path("coco.json")).unwrap()).unwrap();
    assert_eq!(coco["categories"][1], json!({"id": 2, "name": "cup"}));
    dataset(&user, "import coco.sqlite coco.json --field objects").expect(0);
    let run = dataset(&user, "info coco.sqlite --json").expect(0);
    let info: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        info["fields"][0]["description"]["classes"],
        json!(["rocket", "cup"])
    );
    for (one, other) in samples(&user, "coco.sqlite").iter().zip(&first) {
        assert_eq!(one["objects"], other["objects"]);
    }
}

#[test]
fn every_format_is_written() {
    let user = User::new();
    labels(&user);
    dataset(&user, "import first.sqlite labels.jsonl").expect(0);
    for (out, options, file) in [
        ("a.csv", "", "a.csv"),
        ("a.parquet", "", "a.parquet"),
        ("a.npy", "--fields vector", "a.npy"),
        (
            "results.json",
            "--format coco-results --fields objects",
            "results.json",
        ),
        ("tasks.json", "--format label-studio", "tasks.json"),
        (
            "yolo",
            "--format yolo --fields objects --confidences",
            "yolo/data.yaml",
        ),
        (
            "linked",
            "--format fiftyone --media link",
            "linked/data/rocket.jpg",
        ),
    ] {
        let run = dataset(&user, &format!("export first.sqlite {out} {options} --json")).expect(0);
        let summary: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(summary["samples"], 2, "{out}");
        assert!(fs::metadata(user.path(file)).unwrap().len() > 0, "{file}");
    }
    let line = fs::read_to_string(user.path("yolo/labels/coffee.txt")).unwrap();
    assert_eq!(line, "0 0.5 0.5 0.5 0.5 0.5\n");
    let run = dataset(&user, "export first.sqlite yolo --format yolo --fields class").expect(1);
    assert!(
        run.error().contains("there is already something here"),
        "{}",
        run.stderr
    );
    // What a format cannot hold is told, and what is lost.
    fs::write(user.path("b.json"), "mine").unwrap();
    let run = dataset(&user, "export first.sqlite b.json --format coco --dry-run").expect(0);
    assert!(
        run.stdout.contains("in place of the file that is there"),
        "{}",
        run.stdout
    );
    let run = dataset(&user, "export first.sqlite b.json --format coco").expect(0);
    assert!(
        run.stderr
            .contains("warning: b.json: the file that was there is replaced"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("warning: 2 labels of field `class` left out"),
        "{}",
        run.stderr
    );
}

#[test]
fn importing_twice_adds_nothing_new() {
    let user = User::new();
    labels(&user);
    dataset(&user, "create first.sqlite photos").expect(0);
    let run = dataset(&user, "import first.sqlite labels.jsonl --tags more").expect(0);
    assert_eq!(
        run.stderr,
        "first.sqlite: 0 samples added, 2 samples that it had\n"
    );
    let found = samples(&user, "first.sqlite");
    assert_eq!(found[1]["tags"], json!(["rocket", "more"]));
    dataset(&user, "import first.sqlite labels.jsonl").expect(0);
    assert_eq!(samples(&user, "first.sqlite"), found);
}

#[test]
fn what_does_not_work_says_what_to_do() {
    let user = User::new();
    labels(&user);
    dataset(&user, "create first.sqlite photos").expect(0);
    fs::write(
        user.path("broken.jsonl"),
        "{\"filepath\": \"photos/rocket.jpg\"}\n{",
    )
    .unwrap();
    fs::write(user.path("labels.xml"), "<labels/>").unwrap();
    for (words, code, message, hint) in [
        (
            "info absent.sqlite",
            3,
            "there is no such file",
            "dataset create absent.sqlite",
        ),
        ("info labels.jsonl", 1, "it is no SQLite file", ""),
        (
            "create first.sqlite photos",
            1,
            "already a file",
            "dataset import first.sqlite",
        ),
        ("create new.sqlite absent", 3, "no such file or folder", ""),
        (
            "create new.sqlite labels.jsonl",
            2,
            "but jsonl",
            "dataset import new.sqlite labels.jsonl",
        ),
        (
            "import new.sqlite broken.jsonl --strict",
            1,
            "broken.jsonl:2:",
            "",
        ),
        (
            "import new.sqlite labels.xml",
            2,
            "does not say what it holds",
            "--format",
        ),
        ("import new.sqlite absent.jsonl", 3, "absent.jsonl", ""),
        (
            "import new.sqlite labels.jsonl --format csv",
            1,
            "written only",
            "",
        ),
        ("export first.sqlite out", 2, "which format", "--format"),
        (
            "export first.sqlite out --format cocos",
            2,
            "no format `cocos`; there are jsonl, csv, parquet, coco, coco-results, yolo, fiftyone, voc, cvat, label-studio, npy (did you mean coco?)",
            "",
        ),
        (
            "export first.sqlite out.csv --fields objects",
            3,
            "no field `objects`",
            "",
        ),
        ("export first.sqlite out.csv --masks holes", 2, "", ""),
    ] {
        let run = dataset(&user, words).expect(code);
        assert!(run.error().contains(message), "{words}: {}", run.stderr);
        let told = run.stderr.lines().find_map(|line| line.strip_prefix("hint: "));
        assert!(told.unwrap_or_default().contains(hint), "{words}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{words}");
    }
    assert!(!user.path("new.sqlite").exists());
    assert!(!user.path("out").exists());
}
