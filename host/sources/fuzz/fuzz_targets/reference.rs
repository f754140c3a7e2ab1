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
    // What a path on this machine is called depends on where it is called so.
    if !reference.is_local_path() {
        let identity = reference.identity();
        let again = SourceRef::parse(&identity).map(|reference| reference.identity());
        assert_eq!(again.as_ref(), Ok(&identity), "{spelling}");
    }
    if let Some(folder) = reference.subdirectory() {
        assert!(
            folder.split('/').all(|part| !matches!(part, "" | "." | "..")),
            "{folder}"
        );
    }
});
