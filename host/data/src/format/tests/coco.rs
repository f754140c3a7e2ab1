//! COCO datasets and results.

use super::*;
use crate::format::{
    export::Masks,
    import::{CocoInfo, CocoOptions, ImportReport, import_coco},
};
use serde_json::{Value, json};

fn read(path: &Path) -> (CocoInfo, Vec<SampleRecord>) {
    let mut records = Vec::new();
    let options = CocoOptions {
        images: None,
        field: "truth",
    };
    let info = import_coco(
        path,
        &options,
        &mut ImportReport::strict(),
        &mut |record, _, _| {
            records.push(record);
            Ok(())
        },
    )
    .unwrap();
    (info, records)
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn boxes_masks_and_scores_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let objects = Detections::new(vec![boxed("dog", [0.25, 0.5, 0.5, 0.5], 0.25), ring()]);
    let expected = picture(folder.path(), "a.png", vec![("truth", objects.into())]);
    let options = ExportOptions {
        masks: Masks::RunLengths,
        ..ExportOptions::default()
    };
    let (path, summary) = export(
        &folder,
        Format::Coco,
        "coco.json",
        &options,
        std::slice::from_ref(&expected),
    );
    assert_eq!(summary.notes, [""; 0]);
    let (info, records) = read(&path);
    assert_eq!(info.classes, ["dog", "ring"]);
    assert_same(&records, &[expected]);
}

#[test]
fn outlines_enclose_the_masks() {
    let folder = tempfile::tempdir().unwrap();
    let record = picture(
        folder.path(),
        "a.png",
        vec![("truth", Detections::new(vec![ring()]).into())],
    );
    let (path, _) = export(
        &folder,
        Format::Coco,
        "coco.json",
        &ExportOptions::default(),
        &[record],
    );
    let annotation = &json_of(&path)["annotations"][0];
    assert_eq!(
        annotation["segmentation"],
        json!([[10.0, 5.0, 14.0, 5.0, 14.0, 9.0, 10.0, 9.0]])
    );
    // Of the mask, without its hole.
    assert_eq!(annotation["area"], 12.0);
    assert_eq!(annotation["bbox"], json!([10.0, 5.0, 4.0, 4.0]));
    assert_eq!(annotation["iscrowd"], 0);
}

#[test]
fn keypoints_and_skeletons_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let record = picture(
        folder.path(),
        "a.png",
        vec![("points", Keypoints::new(vec![pose()]).into())],
    );
    let options = ExportOptions {
        keypoints: ["nose", "eye", "ear"].map(str::to_owned).to_vec(),
        skeleton: vec![[0, 2]],
        ..ExportOptions::default()
    };
    let (path, _) = export(&folder, Format::Coco, "coco.json", &options, &[record]);
    let annotation = &json_of(&path)["annotations"][0];
    assert_eq!(
        annotation["keypoints"],
        json!([10.0, 10.0, 2.0, 0.0, 0.0, 0.0, 30.0, 15.0, 2.0])
    );
    assert_eq!(annotation["num_keypoints"], 2);
    assert_eq!(annotation["score"], 0.75);
    let (info, records) = read(&path);
    assert_eq!(
        (info.keypoints, info.skeleton),
        (options.keypoints, options.skeleton)
    );
    let Label::Keypoints(points) = &records[0].labels.sample["truth_keypoints"] else {
        panic!("keypoints are expected");
    };
    assert_eq!(
        format!("{:?}", points.keypoints[0].points),
        "[[0.25, 0.5], [NaN, NaN], [0.75, 0.75]]"
    );
}

#[test]
fn results_take_their_ids_from_a_reference() {
    let folder = tempfile::tempdir().unwrap();
    let reference = folder.path().join("instances.json");
    std::fs::write(
        &reference,
        r#"{"images": [{"id": 785, "file_name": "a.png"}], "annotations": [{"id": 1}],
            "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}]}"#,
    )
    .unwrap();
    let objects = || Detections::new(vec![boxed("dog", [0.0, 0.5, 0.5, 0.5], 0.25), ring()]);
    let records = [
        picture(folder.path(), "a.png", vec![("seen", objects().into())]),
        picture(folder.path(), "other.png", vec![("seen", objects().into())]),
        film(),
    ];
    let options = ExportOptions {
        coco_reference: Some(reference),
        ..ExportOptions::default()
    };
    let (path, summary) = export(&folder, Format::CocoResults, "results.json", &options, &records);
    assert_eq!(
        json_of(&path),
        json!([{"image_id": 785, "category_id": 18, "bbox": [0.0, 10.0, 20.0, 10.0], "area": 200.0, "score": 0.25}])
    );
    assert_eq!(
        summary.notes,
        [
            "1 objects left out: the reference has no category `ring`",
            "1 pictures left out: the reference does not have them",
            "1 videos left out: COCO has pictures only",
        ]
    );
}

#[test]
fn what_is_wrong_with_a_dataset_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("coco.json");
    // How many boxes are read, what is lost, and the error of a strict import.
    let read = |content: Value| {
        std::fs::write(&path, content.to_string()).unwrap();
        let options = CocoOptions {
            images: None,
            field: "truth",
        };
        let (mut boxes, mut report) = (0, ImportReport::lenient());
        import_coco(&path, &options, &mut report, &mut |record, _, _| {
            if let Some(Label::Detections(found)) = record.labels.sample.get("truth") {
                boxes += found.detections.len();
            }
            Ok(())
        })
        .unwrap();
        let lost: Vec<String> = report.finish().0.named().to_vec();
        let strict = import_coco(
            &path,
            &options,
            &mut ImportReport::strict(),
            &mut |_, _, _| Ok(()),
        );
        assert_eq!(strict.unwrap_err().to_string(), lost[0]);
        let name = path.to_str().unwrap();
        let lost: Vec<String> = lost.iter().map(|line| line.replace(name, "")).collect();
        (boxes, lost)
    };
    let image = json!({"id": 1, "file_name": "a.png", "width": 4, "height": 4});
    let category = json!({"id": 1, "name": "dog"});
    let with = |annotation: Value| {
        let good = json!({"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]});
        json!({"images": [image], "annotations": [annotation, good], "categories": [category]})
    };
    for (annotation, expected, problem) in [
        (
            json!({"image_id": 1, "category_id": 7}),
            1,
            "there is no category with id 7",
        ),
        (
            json!({"image_id": 2, "category_id": 1}),
            1,
            "there is no image with id 2",
        ),
        (
            json!({"image_id": 1, "category_id": 1, "bbox": [0, 0, "x", 1]}),
            1,
            "its `bbox` is no box",
        ),
        (
            json!({"image_id": 1, "caption": "a dog"}),
            1,
            "captions are not supported",
        ),
        (json!(7), 1, "an annotation should be an object"),
        (
            json!({"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "segmentation": {"size": [4, 4], "counts": "1o"}}),
            2,
            "its mask is left out: the run lengths are broken",
        ),
    ] {
        let (boxes, lost) = read(with(annotation));
        assert_eq!(boxes, expected, "{problem}");
        assert_eq!(lost, [format!(": annotations[0]: {problem}")]);
    }
    std::fs::write(&path, "[]").unwrap();
    let options = CocoOptions {
        images: None,
        field: "truth",
    };
    let error = import_coco(&path, &options, &mut ImportReport::lenient(), &mut |_, _, _| {
        Ok(())
    });
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("a list, as COCO results are")
    );
}
