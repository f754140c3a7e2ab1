//! The crate of what a source shares with others: the SDK, and what the SDK is made of.
//!
//! It depends on the same as the source, as far as the SDK does too and all of it comes from crates.io. So nobody's code
//! runs when it is compiled but that of crates which every plugin is made of, in the versions that the source pins.

use super::sdk::SdkCrate;
use cargo_metadata::{Dependency, DependencyKind, Metadata, Package, PackageId};
use fs_err as fs;
use std::{
    collections::{BTreeSet, HashSet},
    io,
    path::Path,
};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

/// Where crates.io is, as Cargo writes it.
const CRATES_IO: [&str; 2] = [
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io/",
];

/// Writes the crate of what `root`, whose manifest is in `source`, shares with others into `folder`. Gives the text of its
/// manifest, or `None` where there is nothing to share.
pub(super) fn write(
    folder: &Path,
    source: &Path,
    root: &Package,
    metadata: &Metadata,
    sdk: &[SdkCrate],
) -> io::Result<Option<String>> {
    let Some(shared) = shared(source, metadata, sdk) else {
        return Ok(None);
    };
    let text = fs::read_to_string(source.join("Cargo.toml"))?;
    // Cargo has understood it already.
    let original: DocumentMut = text.parse().map_err(io::Error::other)?;
    let manifest = manifest(root, &shared, resolver(&original)).to_string();
    fs::create_dir_all(folder)?;
    fs::write(folder.join("Cargo.toml"), &manifest)?;
    fs::write(folder.join("lib.rs"), "")?;
    fs::copy(source.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(Some(manifest))
}

/// The names of the crates that the SDK is made of, where the source uses it, and nothing comes from elsewhere.
fn shared<'m>(source: &Path, metadata: &'m Metadata, sdk: &[SdkCrate]) -> Option<BTreeSet<&'m str>> {
    let is_sdk = |package: &Package| {
        package.source.is_none()
            && sdk
                .iter()
                .any(|one| package.manifest_path.starts_with(one.shown_in(source)))
    };
    let roots = metadata.packages.iter().filter(|package| is_sdk(package));
    let ids = needed(metadata, roots.map(|package| &package.id));
    let packages = || {
        metadata
            .packages
            .iter()
            .filter(|package| ids.contains(&package.id))
    };
    let is_known = |package: &Package| is_sdk(package) || is_from_crates_io(package);
    (!ids.is_empty() && packages().all(is_known))
        .then(|| packages().map(|package| package.name.as_str()).collect())
}

/// Whether a crate is one of crates.io, wherever that was got from.
pub(super) fn is_from_crates_io(package: &Package) -> bool {
    let source = package.source.as_ref();
    source.is_some_and(|source| CRATES_IO.contains(&source.repr.as_str()))
}

/// The packages that a build of `roots` compiles, themselves among them.
pub(super) fn needed<'m>(
    metadata: &'m Metadata,
    roots: impl IntoIterator<Item = &'m PackageId>,
) -> HashSet<&'m PackageId> {
    let mut open: Vec<&PackageId> = roots.into_iter().collect();
    let mut seen: HashSet<&PackageId> = open.iter().copied().collect();
    while let Some(id) = open.pop() {
        let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        let dependencies = nodes.filter(|node| node.id == *id).flat_map(|node| &node.deps);
        for dependency in dependencies {
            let is_built = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind != DependencyKind::Development);
            if is_built && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    seen
}

/// The resolver that a manifest asks for.
fn resolver(original: &DocumentMut) -> Option<&Item> {
    ["workspace", "package"]
        .iter()
        .find_map(|table| original.get(table)?.get("resolver"))
}

fn manifest(root: &Package, shared: &BTreeSet<&str>, resolver: Option<&Item>) -> DocumentMut {
    let mut manifest = DocumentMut::new();
    manifest["package"] = Item::Table(Table::from_iter([
        ("name", "modelzoo-shared-dependencies"),
        ("version", "0.0.0"),
        ("edition", root.edition.as_str()),
    ]));
    manifest["lib"] = Item::Table(Table::from_iter([("path", "lib.rs")]));
    manifest["workspace"] = Item::Table(Table::new());
    if let Some(resolver) = resolver {
        manifest["workspace"]["resolver"] = resolver.clone();
    }
    let mut keys = BTreeSet::new();
    for dependency in root.dependencies.iter().filter(|one| is_shared(one, shared)) {
        let key = dependency.rename.as_deref().unwrap_or(&dependency.name);
        keys.insert(key);
        let table = match &dependency.target {
            None => &mut manifest["dependencies"],
            Some(target) => &mut manifest["target"][&target.to_string()]["dependencies"],
        };
        table[key] = value(entry(dependency));
    }
    for (name, enables) in &root.features {
        let kept = enables.iter().filter(|enabled| is_kept(enabled, &keys));
        manifest["features"][name] = value(Array::from_iter(kept));
    }
    manifest
}

fn is_shared(dependency: &Dependency, shared: &BTreeSet<&str>) -> bool {
    dependency.kind == DependencyKind::Normal
        && dependency.path.is_none()
        && dependency.registry.is_none()
        && shared.contains(dependency.name.as_str())
}

fn entry(dependency: &Dependency) -> InlineTable {
    let mut entry = InlineTable::new();
    entry.insert("package", dependency.name.as_str().into());
    entry.insert("version", dependency.req.to_string().into());
    entry.insert("default-features", dependency.uses_default_features.into());
    entry.insert("optional", dependency.optional.into());
    entry.insert("features", Value::Array(Array::from_iter(&dependency.features)));
    entry
}

/// Whether what a feature enables is there: `dep:key`, `key/feature`, `key?/feature`, or a feature of its own.
fn is_kept(enabled: &str, keys: &BTreeSet<&str>) -> bool {
    match (enabled.strip_prefix("dep:"), enabled.split_once('/')) {
        (Some(key), _) => keys.contains(key),
        (None, Some((key, _))) => keys.contains(key.trim_end_matches('?')),
        (None, None) => true,
    }
}
