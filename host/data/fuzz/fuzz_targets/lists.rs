//! Any bytes, read as a list of files, give names that stay below an output folder, and errors of lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::input::{Inputs, MediaKind};
use std::path::Component;

fuzz_target!(|content: &[u8]| {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let list = folder.path().join("list.txt");
    std::fs::write(&list, content).expect("the folder is new");
    if let Ok(inputs) = Inputs::resolve(&[&list], &MediaKind::ALL) {
        for file in inputs.iter().flatten() {
            let mut parts = file.relative_path.components();
            assert!(parts.all(|part| matches!(part, Component::Normal(_))));
        }
    }
});
