//! `ABI.md` and the names in the code are the same.

use std::collections::BTreeSet;

/// The names in backquotes that begin a row of a table under this heading.
fn told(heading: &str) -> BTreeSet<&'static str> {
    let page = include_str!("../../abi/ABI.md");
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section
        .split_once("\n## ")
        .map_or(section, |(section, _)| section);
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect()
}

/// The texts of the constants in a source file.
fn constants(source: &'static str) -> BTreeSet<&'static str> {
    source
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split_once(": &str = \""))
        .filter_map(|(_, value)| value.strip_suffix("\";"))
        .collect()
}

#[test]
fn the_contract_lists_every_method_and_every_service() {
    let methods = constants(include_str!("methods.rs"));
    assert!(methods.contains(super::EMBED_VIDEO));
    assert_eq!(told("Methods of models"), methods);
    let services = constants(include_str!("../service.rs"));
    assert!(services.contains(super::NEXT_FRAME));
    assert_eq!(told("Services of the host"), services);
}
