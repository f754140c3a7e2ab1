//! Any bytes, read as a COCO dataset, give samples that can be written, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::format::import::{CocoOptions, ImportReport, import_coco};

fuzz_target!(|content: &[u8]| {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let file = folder.path().join("labels.json");
    std::fs::write(&file, content).expect("the folder is new");
    let options = CocoOptions {
        images: None,
        field: "truth",
    };
    let _ = import_coco(
        &file,
        &options,
        &mut ImportReport::lenient(),
        &mut |record, _, _| {
            serde_json::to_string(&record).expect("what was read can be written");
            Ok(())
        },
    );
});
