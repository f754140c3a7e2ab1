//! Any text is a reference that goes round, or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_sources::SourceRef;

fuzz_target!(|text: &str| {
    let Ok(reference) = SourceRef::parse(text) else {
        return;
    };
    let spelling = reference.to_string();
    assert_eq!(SourceRef::parse(&spelling).as_ref(), Ok(&reference), "{spelling}");
    if let Some(folder) = reference.subdirectory() {
        assert!(
            folder.split('/').all(|part| !matches!(part, "" | "." | "..")),
            "{folder}"
        );
    }
});
