//! Any bytes, read as a tar archive, plain or compressed, give names that stay below an output folder, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::input::{Inputs, MediaKind};
use std::path::Component;

fuzz_target!(|content: &[u8]| {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    for name in ["s.tar", "s.tar.gz", "s.tar.zst"] {
        let archive = folder.path().join(name);
        std::fs::write(&archive, content).expect("the folder is new");
        let Ok(inputs) = Inputs::resolve(&[&archive], &MediaKind::ALL) else {
            continue;
        };
        for file in inputs.iter().flatten() {
            let mut parts = file.relative_path.components();
            assert!(parts.all(|part| matches!(part, Component::Normal(_))));
        }
    }
});
