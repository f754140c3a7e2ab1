//! Published models of text: lines are found on a page, and read where they were found.

use crate::support::{User, hub::small_model, project};
use serde_json::Value;
use std::fs;

#[test]
fn lines_that_one_model_finds_another_one_reads() {
    let user = User::new();
    let page = project().join("examples/photos/coffee.jpg").display().to_string();
    let finder = small_model("pp_ocr_server_detector").display().to_string();
    let found = user
        .run(["apply", &finder, &page, "--confidence-thresh", "0.4"])
        .expect(0);
    let lines = found.json_lines()[0]["predictions"].clone();
    assert_eq!(lines["_cls"], "Polylines");
    let outlines = lines["polylines"].as_array().unwrap();
    assert!(!outlines.is_empty());
    for outline in outlines {
        assert_eq!(outline["label"], "text");
        assert!(outline["confidence"].as_f64().unwrap() >= 0.4, "{outline}");
    }
    // A higher threshold leaves some of them, and the model is asked for no others.
    let sure = user
        .run(["apply", &finder, &page, "--confidence-thresh", "0.9"])
        .expect(0);
    let sure = sure.json_lines()[0]["predictions"]["polylines"].clone();
    assert!(sure.as_array().unwrap().len() < outlines.len());

    let labels = user.path("lines.jsonl");
    fs::write(&labels, &found.stdout).unwrap();
    let labels = labels.display().to_string();
    for reader in ["pp_ocr_mobile_reader", "pp_ocr_server_reader"] {
        let reader = small_model(reader).display().to_string();
        let arguments = ["apply", &reader, &labels, "--sample-field", "boxes=predictions"];
        let read = user.run(arguments).expect(0).json_lines()[0]["predictions"].clone();
        assert_eq!(read["_cls"], "Polylines");
        let read = read["polylines"].as_array().unwrap();
        // Each is one of those that were found, with what it says.
        assert!(!read.is_empty() && read.len() <= outlines.len());
        for line in read {
            assert!(outlines.iter().any(|outline| outline["points"] == line["points"]));
            assert!(!line["label"].as_str().unwrap().is_empty());
        }
        // A picture without lines in a field is one line.
        let whole = user.run(["apply", &reader, &page]).expect(0).json_lines()[0]["predictions"].clone();
        assert!(
            whole == Value::Null || whole["_cls"] == "Classification",
            "{whole}"
        );
    }
}
