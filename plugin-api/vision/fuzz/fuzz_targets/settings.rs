//! Any bytes as `config.json` and as the settings of its preprocessing describe a model that can be put together, or are
//! refused in one line. What `config.json` begins with may be a published one, so that the rest of it is looked into.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_plugin_api::Error;
use std::fs;

/// Configurations of two families, cut open behind their beginnings.
const BEGINNINGS: [&str; 3] = [
    "",
    r#"{"model_type": "vit", "architectures": ["ViTForImageClassification"], "#,
    r#"{"architecture": "resnet18", "num_classes": 3, "pretrained_cfg": {"#,
];

fuzz_target!(|input: (u8, &[u8], Option<&[u8]>)| {
    let (beginning, config, processor) = input;
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let beginning = BEGINNINGS[usize::from(beginning) % BEGINNINGS.len()];
    let config = [beginning.as_bytes(), config].concat();
    fs::write(folder.path().join("config.json"), config).expect("the folder is new");
    if let Some(processor) = processor {
        fs::write(folder.path().join("preprocessor_config.json"), processor).expect("the folder is new");
    }
    if let Err(error) = modelzoo_vision::check(folder.path()) {
        assert!(is_one_line(&error), "{error}");
    }
});

fn is_one_line(error: &Error) -> bool {
    let text = error.to_string();
    !text.is_empty() && !text.contains('\n')
}
