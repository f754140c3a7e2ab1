//! Any bytes are a manifest that goes round, or are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_sources::manifest::Manifest;
use std::path::Path;

fuzz_target!(|content: &[u8]| {
    let path = Path::new("manifest.json");
    let Ok(manifest) = Manifest::parse(content, path) else {
        return;
    };
    let written = serde_json::to_vec(&manifest).expect("a manifest has nothing that JSON has not");
    assert_eq!(
        Manifest::parse(&written, path).expect("what was written can be read"),
        manifest
    );
});
