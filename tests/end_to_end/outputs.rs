//! Where the results of `apply` and `embed` go: formats, failures, masks and maps, drawings.

use crate::support::{self, User, json_lines, media};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// The folder of pictures, as text.
fn pictures(user: &User) -> String {
    media::pictures(user.path("pictures"))
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn labels_are_written_in_the_format_that_the_name_tells() {
    let user = User::new();
    let pictures = pictures(&user);
    let write = |name: &str, format: &[&str]| {
        let path = user.path(name);
        let arguments = [&[pictures.as_str(), "-o", path.to_str().unwrap()], format].concat();
        user.run_capability("apply", "test/boxes", &arguments).expect(0);
        path
    };
    let json = |path: PathBuf| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();

    assert_eq!(
        json_lines(&fs::read_to_string(write("a.jsonl", &[])).unwrap()).len(),
        4
    );
    let csv = fs::read_to_string(write("a.csv", &[])).unwrap();
    assert_eq!(csv.lines().count(), 5, "{csv}");
    assert!(csv.contains("bright") && csv.starts_with("x_min,"), "{csv}");
    assert!(fs::read(write("a.parquet", &[])).unwrap().starts_with(b"PAR1"));
    let coco = json(write("a.json", &["--format", "coco"]));
    assert_eq!(coco["images"].as_array().unwrap().len(), 4);
    // The categories are the model's classes, in its order.
    let categories: Vec<&Value> = coco["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(categories, ["dark", "bright"]);
    assert_eq!(
        coco["annotations"][0]["bbox"],
        serde_json::json!([2.0, 1.5, 4.0, 3.0])
    );
    let yolo = write("yolo", &["--format", "yolo"]);
    assert!(yolo.join("data.yaml").is_file());
    let fiftyone = write("fiftyone", &["--format", "fiftyone"]);
    assert_eq!(
        json(fiftyone.join("samples.json"))["samples"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    let tasks = json(write("tasks.json", &["--format", "label-studio"]));
    assert_eq!(tasks.as_array().unwrap().len(), 4);
}

#[test]
fn embeddings_are_written_as_a_matrix() {
    let user = User::new();
    let path = user.path("e.npy");
    user.run_capability(
        "embed",
        "test/boxes",
        &[&pictures(&user), "-o", path.to_str().unwrap()],
    )
    .expect(0);
    let bytes = fs::read(&path).unwrap();
    assert!(String::from_utf8_lossy(&bytes[..128]).contains("'shape': (4, 2)"));
    let numbers: Vec<f32> = bytes[bytes.len() - 32..]
        .chunks(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    assert_eq!(numbers, [8.0, 6.0].repeat(4));
}

#[test]
fn what_a_format_cannot_hold_is_said_before_anything_is_done() {
    let user = User::new();
    let pictures = pictures(&user);
    let refused = |command: &str, arguments: &[&str]| {
        let run = user
            .run_capability(command, "test/none", &[&[pictures.as_str()], arguments].concat())
            .expect(2);
        (run.error().to_owned(), run.stderr)
    };
    let (error, stderr) = refused("apply", &["-o", "a.npy"]);
    assert_eq!(error, "the format npy holds no labels, only embeddings");
    assert!(
        stderr.contains("hint: these formats do: jsonl, csv, parquet, coco"),
        "{stderr}"
    );
    assert_eq!(
        refused("embed", &["-o", "a.csv"]).0,
        "the format csv holds no embeddings"
    );
    assert_eq!(
        refused("apply", &["-o", "a.json"]).0,
        "a.json: the name does not tell the format"
    );
    let patches = ["--patches", "things", "-o", "a.npy"];
    assert_eq!(
        refused("embed", &patches).0,
        "the format npy holds no labels with embeddings"
    );
}

#[test]
fn failures_are_reported_for_programs_and_may_end_the_run() {
    let user = User::new();
    let folder = pictures(&user);
    fs::write(user.path("pictures/b.png"), "no picture").unwrap();
    let report = user.path("report.jsonl");
    let arguments = [folder.as_str(), "--failures", report.to_str().unwrap()];
    let run_on = user.run_capability("apply", "test/boxes", &arguments).expect(8);
    assert_eq!(run_on.json_lines().len(), 4);
    let told = json_lines(&fs::read_to_string(&report).unwrap());
    assert_eq!(told.len(), 1);
    assert!(told[0]["filepath"].as_str().unwrap().ends_with("b.png"));
    assert_eq!(told[0]["stage"], "decode");
    assert!(
        told[0]["error"].as_str().unwrap().contains("not a picture"),
        "{}",
        told[0]
    );

    let stopped = user
        .run_capability(
            "apply",
            "test/boxes",
            &[&arguments[..], &["--no-skip-failures"]].concat(),
        )
        .expect(1);
    assert!(stopped.stderr.contains("b.png"), "{}", stopped.stderr);
    assert!(
        stopped.stderr.contains("hint: without --no-skip-failures"),
        "{}",
        stopped.stderr
    );
    assert_eq!(stopped.json_lines().len(), 1);
}

#[test]
fn a_damaged_picture_that_can_be_read_is_a_warning() {
    let user = User::new();
    let mut jpeg = fs::read(support::project().join("examples/photos/coffee.jpg")).unwrap();
    // A marker in the middle of the data, which decoders pass over with a warning.
    let middle = jpeg.len() / 2;
    jpeg[middle..middle + 2].copy_from_slice(&[0xff, 0xd0]);
    fs::write(user.path("damaged.jpg"), jpeg).unwrap();
    let run = user
        .run_capability("apply", "test/boxes", &["damaged.jpg"])
        .expect(0);
    assert!(
        run.json_lines()[0]["predictions"]["_cls"] == "Detections",
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("warning: damaged.jpg: "), "{}", run.stderr);
}

/// The names and numbers are those that FiftyOne gives: a counter over all labels of a sample, masks with 0 and 1,
/// maps stretched to 0 to 255 and cut to whole numbers.
#[test]
fn masks_and_maps_become_pictures() {
    let user = User::new();
    media::grey(&user.path("in/deep/0.png"), 4, 4, 9);
    let arguments = ["in", "p", "--output-dir", "out"];
    let line = &user
        .run_capability("apply", "test/maps", &arguments)
        .expect(0)
        .json_lines()[0];
    let path_of = |label: &Value, key: &str| PathBuf::from(label[key].as_str().unwrap());
    let map = path_of(&line["p_map"], "map_path");
    let mask = path_of(&line["p_mask"], "mask_path");
    let object = path_of(&line["p_objects"]["detections"][0], "mask_path");
    let mut names: Vec<_> = [&map, &mask, &object]
        .map(|path| {
            path.strip_prefix(user.path("out").canonicalize().unwrap())
                .unwrap()
                .to_owned()
        })
        .into();
    names.sort();
    assert_eq!(names, ["0-2.png", "0-3.png", "0.png"].map(PathBuf::from));
    assert!(line["p_map"].get("map").is_none() && line["p_map"].get("range").is_none());
    let pixels = |path: PathBuf| image::open(path).unwrap().into_luma8().into_raw();
    assert_eq!(pixels(map), [0, 127, 255]);
    assert_eq!(pixels(mask), [0, 1]);
    assert_eq!(pixels(object), [0, 1]);

    // Nothing that is there is replaced, and sub-folders are kept below --rel-dir.
    user.run_capability("apply", "test/maps", &arguments).expect(0);
    assert_eq!(fs::read_dir(user.path("out")).unwrap().count(), 6);
    let kept = ["in", "p", "--output-dir", "kept", "--rel-dir", "in"];
    user.run_capability("apply", "test/maps", &kept).expect(0);
    assert!(user.path("kept/deep/0-3.png").is_file());
}
