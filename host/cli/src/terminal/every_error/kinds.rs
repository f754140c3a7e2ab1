//! Which errors there are, read from the source: a new one without a sample is noticed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use syn::{Fields, Item, Type, Visibility};

/// Every public error that says its class and next step, and every public enumeration of reasons, in the crates of
/// libraries below `folder`: a variant each, as [`kind`](super::kind) names it.
pub(super) fn declared_in(folder: &Path) -> BTreeSet<String> {
    let crates = ["base", "sources", "data", "runtime", "engine", "facade"];
    let mut files = Vec::new();
    for name in crates {
        add_sources(&folder.join(name).join("src"), &mut files);
    }
    files.iter().flat_map(|file| errors_of(&items_of(file))).collect()
}

/// The variants of an enumeration in a file.
pub(super) fn variants_of(name: &str, file: &Path) -> BTreeSet<String> {
    let items = items_of(file);
    let kinds = items
        .iter()
        .filter(|item| name_of(item).is_some_and(|other| other == name));
    kinds.flat_map(kinds_of).collect()
}

fn add_sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            add_sources(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

fn items_of(file: &Path) -> Vec<Item> {
    let text = fs_err::read_to_string(file).expect("readable");
    syn::parse_file(&text).expect("Rust").items
}

fn errors_of(items: &[Item]) -> BTreeSet<String> {
    let diagnosed: BTreeSet<String> = items.iter().filter_map(diagnosed_by).collect();
    let is_error = |item: &&Item| match item {
        Item::Enum(one) => {
            is_public(&one.vis) && (derives_error(&one.attrs) || diagnosed.contains(&one.ident.to_string()))
        }
        Item::Struct(one) => is_public(&one.vis) && diagnosed.contains(&one.ident.to_string()),
        _ => false,
    };
    items.iter().filter(is_error).flat_map(kinds_of).collect()
}

/// The type of an `impl Diagnose for` it.
fn diagnosed_by(item: &Item) -> Option<String> {
    let Item::Impl(one) = item else { return None };
    let (of, _) = one.trait_.as_ref()?;
    if of.segments.last()?.ident != "Diagnose" {
        return None;
    }
    match one.self_ty.as_ref() {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn derives_error(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let mut is_error = false;
        if attribute.path().is_ident("derive") {
            attribute
                .parse_nested_meta(|derived| {
                    is_error |= derived
                        .path
                        .segments
                        .last()
                        .is_some_and(|last| last.ident == "Error");
                    Ok(())
                })
                .expect("a list of traits");
        }
        is_error
    })
}

fn name_of(item: &Item) -> Option<String> {
    match item {
        Item::Enum(one) => Some(one.ident.to_string()),
        Item::Struct(one) => Some(one.ident.to_string()),
        _ => None,
    }
}

/// An enumeration's variants, or a structure's name. What a structure says in a reason of its own, the reason's variants
/// stand for.
fn kinds_of(item: &Item) -> Vec<String> {
    match item {
        Item::Enum(one) => one
            .variants
            .iter()
            .map(|variant| format!("{}::{}", one.ident, variant.ident))
            .collect(),
        Item::Struct(one) if !has_reason(&one.fields) => vec![one.ident.to_string()],
        _ => Vec::new(),
    }
}

fn has_reason(fields: &Fields) -> bool {
    let is_reason = |name: &syn::Ident| name == "reason" || name == "problem";
    fields
        .iter()
        .any(|field| field.ident.as_ref().is_some_and(is_reason))
}
