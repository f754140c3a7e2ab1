//! Any bytes, read as a bundle, are taken into a store, or refused without a trace in it. What has the right hashes in its
//! index is made of the input, so that it is looked into.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_base::{
    Sha256Digest,
    progress::{Cancellation, NoObserver},
};
use modelzoo_sources::{
    Store,
    bundle::{Bundle, BundleError},
};
use std::path::Path;

fuzz_target!(|input: (bool, &[u8])| {
    let (is_index, content) = input;
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let path = folder.path().join("bundle");
    let bytes = if is_index {
        bundle_of(content)
    } else {
        content.to_vec()
    };
    std::fs::write(&path, bytes).expect("the folder is new");
    let store = Store::open(folder.path().join("store")).expect("the folder is new");
    if load(&path, &store).is_err() {
        assert_eq!(store.list().expect("it is there"), Vec::new());
    }
    // Nothing beside the bundle and the store.
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 2);
});

fn load(path: &Path, store: &Store) -> Result<(), BundleError> {
    let unpacked = Bundle::open(path, None)?.unpack(store, &NoObserver, &Cancellation::default())?;
    unpacked.sources(store)?;
    unpacked.publish(store).map(drop)
}

/// A bundle with this index and no pieces.
fn bundle_of(index: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(index.len() as u64);
    let mut archive = tar::Builder::new(Vec::new());
    let name = format!("index-{}.json", Sha256Digest::of(index));
    archive
        .append_data(&mut header, name, index)
        .expect("memory can be written to");
    archive.into_inner().expect("memory can be written to")
}
