//! Any bytes, read as an archive of any format, are extracted inside the destination, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_sources::archive::{ArchiveFormat, ArchiveLimits, extract};

const NAMES: [&str; 6] = ["a.zip", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.tar.zst"];

fuzz_target!(|input: (u8, &[u8])| {
    let (format, content) = input;
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let archive = folder.path().join(NAMES[usize::from(format) % NAMES.len()]);
    std::fs::write(&archive, content).expect("the folder is new");
    let limits = ArchiveLimits {
        free_bytes: 1 << 20,
        ..ArchiveLimits::default()
    };
    let format = ArchiveFormat::of_path(&archive).expect("the name says it");
    let result = extract(&archive, format, &folder.path().join("in/out"), &limits);
    if let Ok(extracted) = result {
        assert!(extracted.bytes <= limits.free_bytes + content.len() as u64 * limits.swelling);
    }
    // Nothing beside the destination and the archive, and no link that leads out of it.
    assert_eq!(
        std::fs::read_dir(folder.path().join("in"))
            .expect("it was made")
            .count(),
        1
    );
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 2);
});
