//! Any bytes, read as a Parquet table, give names that stay below an output folder, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::input::{Inputs, MediaKind};
use std::path::Component;

fuzz_target!(|content: &[u8]| {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let table = folder.path().join("t.parquet");
    std::fs::write(&table, content).expect("the folder is new");
    if let Ok(inputs) = Inputs::resolve(&[&table], &MediaKind::ALL) {
        for file in inputs.iter().take(10_000).flatten() {
            let mut parts = file.relative_path.components();
            assert!(parts.all(|part| matches!(part, Component::Normal(_))));
        }
    }
});
