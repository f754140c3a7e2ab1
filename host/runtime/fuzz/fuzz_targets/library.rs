//! Any bytes that an archive of a plugin has for a library are looked into, and kept or refused: there is the whole artifact
//! afterwards, or nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_base::{Sha256Digest, Voucher, artifact};
use modelzoo_runtime::{Artifact, Installation, PrebuiltRecord, PrebuiltStore, TARGET, UnfitPrebuilt};
use serde_json::json;
use std::{fs, path::Path};

const CRATE: &str = "model";

fuzz_target!(|library: &[u8]| {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let (archive, artifacts) = (folder.path().join("archive"), folder.path().join("artifacts"));
    write(&archive, library);
    let store = PrebuiltStore::new(&artifacts);
    let wanted = Installation {
        crate_name: CRATE.to_owned(),
        identity: "https://example.org/model".to_owned(),
        commit: None,
        source_hash: "a hash".to_owned(),
        variant: "cpu".to_owned(),
    };
    match store.install(&archive, &wanted, origin(), false) {
        Ok(plugin) => {
            let kept = Artifact::of_file(&plugin.artifact.path).expect("it was published");
            assert_eq!(kept.sha256, Sha256Digest::of(library));
            assert!(plugin.record.linkage.run_paths.is_empty());
            assert!(store.find(&wanted).is_some());
        }
        // The one thing that the bytes of a library decide here.
        Err(UnfitPrebuilt::RunPath { .. }) => assert!(store.find(&wanted).is_none()),
        Err(error) => panic!("{error}"),
    }
});

/// An unpacked archive whose record says of the library what is true.
fn write(archive: &Path, library: &[u8]) {
    let record = json!({
        "key": "", "sha256": Sha256Digest::of(library), "size_bytes": library.len(), "source": CRATE, "commit": null,
        "source_hash": "a hash", "lock_sha256": "", "sdk_sha256": "", "toolchain": "", "target": TARGET,
        "rustflags": "", "profile": [], "features": [], "abi": "1.0.0",
    });
    fs::create_dir(archive).expect("the folder is new");
    fs::write(artifact::library(archive), library).expect("the folder is new");
    fs::write(artifact::record(archive), record.to_string()).expect("the folder is new");
}

fn origin() -> PrebuiltRecord {
    PrebuiltRecord {
        variant: "cpu".to_owned(),
        url: "https://example.org/model.tar.gz".to_owned(),
        archive_sha256: String::new(),
        vouched_by: Voucher::Manifest,
    }
}
