//! Any bytes, read as JSON Lines, give samples that can be written and read again, and named losses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::{
    format::import::{ImportReport, import_json_lines},
    record::SampleRecord,
};

fuzz_target!(|content: &[u8]| {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let file = folder.path().join("labels.jsonl");
    std::fs::write(&file, content).expect("the folder is new");
    import_json_lines(&file, &mut ImportReport::lenient(), &mut |record, _, _| {
        let value = serde_json::to_value(&record).expect("what was read can be written");
        SampleRecord::from_json(value).expect("what was written can be read");
        Ok(())
    })
    .expect("one line costs itself alone");
});
