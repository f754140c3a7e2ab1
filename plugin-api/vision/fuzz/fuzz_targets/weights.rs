//! Any bytes as weights, safetensors, PyTorch's or NumPy's, are refused in one line, or are those of a small network. Nothing that a
//! pickle names is ever called, and nothing is allocated for what a header only says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_plugin_api::{LoadOptions, ModelSource as _};
use modelzoo_vision::PublishedModels;
use std::fs;

const CONFIG: &str = include_str!("../../tests/goldens/mobilenet_v2_classifier/config.json");

/// What weights are called, by their form.
const NAMES: [&str; 4] = [
    "model.safetensors",
    "pytorch_model.bin",
    "model.safetensors.index.json",
    "arrays.npz",
];

fuzz_target!(|input: (u8, &[u8])| {
    let (name, content) = input;
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let name = NAMES[usize::from(name) % NAMES.len()];
    fs::write(folder.path().join("config.json"), CONFIG).expect("the folder is new");
    fs::write(folder.path().join(name), content).expect("the folder is new");
    let result = if name.ends_with(".npz") {
        modelzoo_vision::convert(&folder.path().join(name), false).map(drop)
    } else {
        PublishedModels
            .load_model("", folder.path(), LoadOptions::default())
            .map(drop)
    };
    if let Err(error) = result {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "{text}");
    }
});
