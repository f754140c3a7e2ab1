//! What the crates for authors of plugins offer: every public item's signature, so that no change of one goes unseen. Items of
//! private modules are listed, too, as they may be given out from above.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use quote::ToTokens;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use syn::{Attribute, Fields, ImplItem, Item, TraitItem, Visibility};

/// The crates, and where their sources are.
const CRATES: [(&str, &str); 4] = [
    ("modelzoo-abi", "plugin-api/abi/src"),
    ("modelzoo-plugin-api", "plugin-api/src"),
    ("modelzoo-candle", "plugin-api/candle/src"),
    ("modelzoo-vision", "plugin-api/vision/src"),
];

#[test]
fn what_authors_of_plugins_build_on_stays_as_it_is() {
    for (name, source) in CRATES {
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("{name}.api"), listing(&project().join(source))));
    }
}

#[test]
fn public_items_are_listed_and_others_are_not() {
    let code = "//! A.\n#[derive(Clone)] pub struct S { pub a: u8, b: u8 }\nstruct T;\n\
                impl S { pub fn f(&self) -> u8 { 1 } fn g() {} }\nimpl From<u8> for S { fn from(a: u8) -> S { S } }\n\
                pub trait R { fn h(&self) { } }\n#[cfg(test)] mod tests { pub fn no() {} }\npub use a::b;\n\
                pub(crate) fn c() {}\nmacro_rules! m { () => {} }\n#[macro_export] macro_rules! n { () => {} }";
    let mut lines = Vec::new();
    list("x", &syn::parse_file(code).unwrap().items, &mut lines);
    let expected = [
        "x: #[derive(Clone)] pub struct S { pub a: u8, .. }",
        "x: S: pub fn f(&self) -> u8",
        "x: impl From<u8> for S",
        "x: pub trait R",
        "x: R: fn h(&self) { .. }",
        "x: pub use a::b;",
        "x: #[macro_export] n!",
    ];
    assert_eq!(lines, expected);
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// All that is public in a crate, a line each.
fn listing(source: &Path) -> String {
    let mut lines = Vec::new();
    for file in files(source) {
        let module = file.strip_prefix(source).unwrap().with_extension("");
        let parts: Vec<&str> = module.iter().map(|part| part.to_str().unwrap()).collect();
        let is_for_tests = parts
            .iter()
            .any(|part| *part == "tests" || part.ends_with("_tests"));
        if is_for_tests {
            continue;
        }
        let parsed = syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap();
        list(&parts.join("::"), &parsed.items, &mut lines);
    }
    assert!(!lines.is_empty(), "{}", source.display());
    lines.join("\n")
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => BTreeSet::from([path]),
        })
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect()
}

fn list(module: &str, items: &[Item], lines: &mut Vec<String>) {
    let mut add = |line: String| lines.push(format!("{module}: {line}"));
    let mut inner = Vec::new();
    for item in items {
        match item {
            Item::Mod(one) if !is_for_tests(&one.attrs) => {
                if is_public(&one.vis) {
                    add(format!("pub mod {}", one.ident));
                }
                if let Some((_, items)) = &one.content {
                    inner.push((format!("{module}::{}", one.ident), items));
                }
            }
            Item::Struct(one) if is_public(&one.vis) => {
                let mut shown = one.clone();
                let hidden = hide_private(&mut shown.fields);
                let text = declared(&mut shown.attrs.clone(), &{
                    shown.attrs.clear();
                    shown
                });
                add(if hidden { with_rest(&text) } else { text });
            }
            Item::Enum(one) if is_public(&one.vis) => {
                let mut shown = one.clone();
                for variant in &mut shown.variants {
                    variant
                        .attrs
                        .retain(|attribute| attribute.path().is_ident("non_exhaustive"));
                    clear(&mut variant.fields);
                }
                let mut attributes = std::mem::take(&mut shown.attrs);
                add(declared(&mut attributes, &shown));
            }
            Item::Fn(one) if is_public(&one.vis) => add(format!("pub {}", text(&one.sig))),
            Item::Const(one) if is_public(&one.vis) => {
                add(format!(
                    "pub const {}: {} = {}",
                    one.ident,
                    text(&one.ty),
                    text(&one.expr)
                ));
            }
            Item::Static(one) if is_public(&one.vis) => {
                add(format!("pub static {}: {}", one.ident, text(&one.ty)))
            }
            Item::Type(one) if is_public(&one.vis) => {
                let mut shown = one.clone();
                shown.attrs.clear();
                add(text(&shown));
            }
            Item::Use(one) if is_public(&one.vis) => {
                let mut shown = one.clone();
                shown.attrs.clear();
                add(text(&shown));
            }
            Item::Macro(one) if has(&one.attrs, "macro_export") => {
                let name = one.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                add(format!("#[macro_export] {name}!"));
            }
            Item::Trait(one) if is_public(&one.vis) => {
                let supertraits = match one.supertraits.is_empty() {
                    true => String::new(),
                    false => format!(": {}", text(&one.supertraits)),
                };
                add(format!(
                    "pub trait {}{}{supertraits}",
                    one.ident,
                    text(&one.generics)
                ));
                for item in &one.items {
                    if let TraitItem::Fn(method) = item {
                        let given = if method.default.is_some() { " { .. }" } else { "" };
                        add(format!("{}: {}{given}", one.ident, text(&method.sig)));
                    }
                }
            }
            Item::Impl(one) => {
                let of = text(&one.self_ty);
                if let Some((path, _)) = &one.trait_ {
                    add(format!("impl{} {} for {of}", text(&one.generics), text(path)));
                    continue;
                }
                for item in &one.items {
                    match item {
                        ImplItem::Fn(method) if is_public(&method.vis) => {
                            add(format!("{of}: pub {}", text(&method.sig)));
                        }
                        ImplItem::Const(constant) if is_public(&constant.vis) => {
                            add(format!(
                                "{of}: pub const {}: {}",
                                constant.ident,
                                text(&constant.ty)
                            ));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    for (module, items) in inner {
        list(&module, items, lines);
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg") && text(attribute).contains("(test)"))
}

/// Takes private fields away, and says whether there were any.
fn hide_private(fields: &mut Fields) -> bool {
    clear(fields);
    let mut is_hidden = false;
    match fields {
        Fields::Named(named) => {
            let all = std::mem::take(&mut named.named);
            let count = all.len();
            named.named = all.into_iter().filter(|field| is_public(&field.vis)).collect();
            is_hidden = named.named.len() < count;
        }
        Fields::Unnamed(unnamed) => {
            let all = std::mem::take(&mut unnamed.unnamed);
            let count = all.len();
            unnamed.unnamed = all.into_iter().filter(|field| is_public(&field.vis)).collect();
            is_hidden = unnamed.unnamed.len() < count;
        }
        Fields::Unit => {}
    }
    is_hidden
}

fn clear(fields: &mut Fields) {
    fields.iter_mut().for_each(|field| field.attrs.clear());
}

/// A declaration with what counts of its attributes.
fn declared(attributes: &mut Vec<Attribute>, item: &impl ToTokens) -> String {
    attributes.retain(|attribute| {
        ["derive", "non_exhaustive", "repr", "sabi"]
            .iter()
            .any(|name| attribute.path().is_ident(name))
    });
    let attributes: String = attributes
        .iter()
        .map(|attribute| format!("{} ", text(attribute)))
        .collect();
    format!("{attributes}{}", text(item))
}

fn with_rest(text: &str) -> String {
    let (before, end) = text.rsplit_once(['}', ')']).unwrap_or((text, ""));
    let closing = if text.trim_end_matches(';').ends_with(')') {
        ')'
    } else {
        '}'
    };
    let between = if before.trim_end().ends_with(['{', '(', ',']) {
        ""
    } else {
        ","
    };
    let space = if closing == '}' { " " } else { "" };
    format!("{}{between} ..{space}{closing}{end}", before.trim_end())
}

/// Code as people write it, on one line.
fn text(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string().replace('\n', " ");
    for (from, to) in [
        (" ,", ","),
        (" ;", ";"),
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" : ", ": "),
        ("& ", "&"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("( ", "("),
        (" )", ")"),
        (" (", "("),
        ("[ ", "["),
        (" ]", "]"),
        ("# [", "#["),
        (" -> ", "->"),
        ("->", " -> "),
        ("' ", "'"),
        (" ?", "?"),
        (", )", ")"),
        (",)", ")"),
        (", }", " }"),
        (", >", ">"),
        (",>", ">"),
    ] {
        text = text.replace(from, to);
    }
    text
}
