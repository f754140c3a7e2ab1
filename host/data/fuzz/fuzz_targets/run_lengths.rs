//! Any run lengths, as text or as numbers, for a picture of any size, give a mask no larger than the picture, or are named.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::format::import::{CocoOptions, ImportReport, import_coco};
use serde_json::{Value, json};

fuzz_target!(|input: (u16, u16, u32, u32, &str, Vec<u32>)| {
    let (width, height, mask_width, mask_height, text, numbers) = input;
    let annotation = |counts: Value, size: [u32; 2]| json!({"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "segmentation": {"size": size, "counts": counts}});
    let size = [u32::from(height), u32::from(width)];
    let other = [mask_height, mask_width];
    let dataset = json!({
        "images": [{"id": 1, "file_name": "a.png", "width": width, "height": height}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [
            annotation(text.into(), size), annotation(numbers.clone().into(), size),
            annotation(text.into(), other), annotation(numbers.into(), other),
        ],
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
