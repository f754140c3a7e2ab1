//! CSV, Parquet and NumPy's matrices.

use super::*;
use crate::format::FormatError;
use serde_json::json;

#[test]
fn csv_has_a_line_for_each_label() {
    let folder = tempfile::tempdir().unwrap();
    let record = picture(folder.path(), "a.png", every_label());
    let path = record.filepath.clone();
    let options = ExportOptions {
        classes: vec!["cat".to_owned(), "dog".to_owned()],
        ..ExportOptions::default()
    };
    let (csv, summary) = export(&folder, Format::Csv, "labels.csv", &options, &[record]);
    let text = std::fs::read_to_string(csv).unwrap().replace(&path, "a.png");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "x_min,y_min,x_max,y_max,class_id,confidence,tracker_id,filepath,frame,field,label,value,warning",
            ",,,,,,,a.png,,blank,,,",
            "0,10,20,20,1,0.25,3,a.png,,boxes,dog,,",
            "10,5,14,9,2,0.5,,a.png,,boxes,ring,,",
            ",,,,0,0.75,,a.png,,class,cat,,",
            ",,,,3,,,a.png,,events,jump,\"[2,5]\",",
            "0,0,20,20,4,,,a.png,,lines,road,\"[[[0.0,0.0],[0.5,0.0],[0.5,1.0]]]\",",
            ",,,,,,,a.png,,note,,dark,",
            "10,10,30,15,5,,,a.png,,points,person,\"[[0.25,0.5],[null,null],[0.75,0.75]]\",",
            ",,,,,,,a.png,,score,,2.5,",
        ]
    );
    assert_eq!(
        summary.notes,
        [
            "1 labels left out: CSV has no Heatmap",
            "1 labels left out: CSV has no Segmentation",
            "1 labels left out: CSV has no Vector",
        ]
    );
}

#[test]
fn parquet_has_a_row_for_each_sample() {
    let folder = tempfile::tempdir().unwrap();
    let bare = SampleRecord {
        error: Some("broken".to_owned()),
        ..SampleRecord::image("b.jpg")
    };
    let records = [picture(folder.path(), "a.png", every_label()), bare, film()];
    let options = ExportOptions {
        facts: [("commit".to_owned(), "0123".to_owned())].into(),
        ..ExportOptions::default()
    };
    let (path, _) = export(&folder, Format::Parquet, "labels.parquet", &options, &records);
    let (rows, facts) = parquet_rows::read(std::fs::File::open(path).unwrap());
    assert_eq!(facts, [("modelzoo.commit".to_owned(), "0123".to_owned())]);
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (&rows[0]["width"], &rows[0]["media_type"]),
        (&json!(40), &json!("image"))
    );
    assert_eq!(
        rows[0]["class"],
        json!({"label": "cat", "confidence": 0.75, "logits": [0.5, -1.0]})
    );
    assert_eq!(
        rows[0]["boxes"],
        json!([
            {"label": "dog", "confidence": 0.25, "index": 3, "bounding_box": [0.0, 0.5, 0.5, 0.5]},
            {"label": "ring", "confidence": 0.5, "bounding_box": [0.25, 0.25, 0.1, 0.2],
             "mask": {"size": [4, 4], "counts": "052M03"}},
        ])
    );
    assert_eq!(
        rows[0]["points"][0]["points"],
        json!([[0.25, 0.5], [null, null], [0.75, 0.75]])
    );
    assert_eq!(rows[0]["vector"], json!([0.5, 0.1]));
    assert_eq!(rows[0]["note"], json!("\"dark\""));
    assert_eq!(rows[1]["error"], json!("broken"));
    assert_eq!(rows[1].get("vector"), None);
    assert_eq!(rows[2]["tags"], json!(["night"]));
    assert_eq!(rows[2]["frames"][1]["frame_number"], 7);
    assert_eq!(
        rows[2]["frames"][1]["events"],
        json!([{"label": "jump", "support": [2, 5]}])
    );
}

#[test]
fn embeddings_are_rows_of_a_matrix() {
    let folder = tempfile::tempdir().unwrap();
    let embedded = |name: &str, values: Vec<f32>| {
        let label = Vector::new(Array::vector(values)).into();
        picture(folder.path(), name, vec![("vector", label)])
    };
    let records = [
        picture(folder.path(), "0.png", vec![]),
        embedded("1.png", vec![1.0, 2.0]),
        picture(folder.path(), "2.png", vec![]),
        embedded("3.png", vec![3.0, 4.0]),
    ];
    let (path, summary) = export(
        &folder,
        Format::Npy,
        "vectors.npy",
        &ExportOptions::default(),
        &records,
    );
    let matrix = crate::label::read_npy(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(matrix.shape(), [4, 2]);
    let values = format!("{:?}", matrix.as_f32().unwrap());
    assert_eq!(values, "[NaN, NaN, 1.0, 2.0, NaN, NaN, 3.0, 4.0]");
    assert_eq!(summary.notes, ["2 rows are NaN: these samples have no embedding"]);

    let mut writer = create(
        Format::Npy,
        folder.path().join("b.npy"),
        &ExportOptions::default(),
    )
    .unwrap();
    writer.write(&embedded("4.png", vec![1.0])).unwrap();
    let error = writer.write(&embedded("5.png", vec![1.0, 2.0])).unwrap_err();
    assert!(matches!(error, FormatError::Unsuitable { .. }), "{error}");
    let none = create(
        Format::Npy,
        folder.path().join("c.npy"),
        &ExportOptions::default(),
    )
    .unwrap();
    assert!(none.finish().is_err());
}
