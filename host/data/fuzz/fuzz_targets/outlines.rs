//! Any outlines in a picture of any size are filled, or named.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::format::import::{CocoOptions, ImportReport, import_coco};
use serde_json::json;

fuzz_target!(|input: (u16, u16, Vec<Vec<f64>>, Option<[f64; 4]>)| {
    let (width, height, outlines, bbox) = input;
    let dataset = json!({
        "images": [{"id": 1, "file_name": "a.png", "width": width, "height": height}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": bbox, "segmentation": outlines}],
    });
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let file = folder.path().join("labels.json");
    std::fs::write(&file, dataset.to_string()).expect("the folder is new");
    let options = CocoOptions {
        images: None,
        field: "truth",
    };
    import_coco(&file, &options, &mut ImportReport::lenient(), &mut |_, _, _| {
        Ok(())
    })
    .expect("one annotation costs itself alone");
});
