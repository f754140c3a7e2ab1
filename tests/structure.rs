//! What the layout promises and no compiler checks: modules beside each other use each other one way, and files stay
//! short enough to have one subject.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{Attribute, File, Item, ItemUse, UseTree, Visibility, visit::Visit};
use walkdir::WalkDir;

/// Longer files have more than one subject.
const MOST_LINES: usize = 500;

/// The folders with the code of crates; plugins are sources of their own.
const CRATES: [&str; 3] = ["host", "plugin-api", "python"];

/// The names from a crate's root to a module, or to something in it.
type NamePath = Vec<String>;

#[test]
fn modules_beside_each_other_make_no_circles() {
    let circles: Vec<String> = crate_sources()
        .iter()
        .flat_map(|source| {
            let circles = Crate::read(source).circles();
            circles
                .into_iter()
                .map(move |circle| format!("{}: {circle}", source.display()))
        })
        .collect();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn files_have_one_subject() {
    let long: Vec<String> = crate_sources()
        .iter()
        .flat_map(|source| rust_files(source))
        .filter_map(|file| {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            (lines > MOST_LINES).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn a_circle_is_found_through_names_that_are_given_out() {
    let module = |path: &str, code: &str| {
        let path = path.split("::").filter(|name| !name.is_empty());
        (
            path.map(str::to_owned).collect(),
            Module::of(&syn::parse_file(code).unwrap()),
        )
    };
    let with_b = |b: &str| Crate {
        modules: BTreeMap::from([
            module("", "mod a; mod b;"),
            module(
                "a",
                "mod inner; pub(crate) use inner::Thing; use crate::b::{Other, self};",
            ),
            module("a::inner", "pub(crate) struct Thing;"),
            module("b", b),
        ]),
    };
    assert!(with_b("pub(crate) struct Other;").circles().is_empty());
    assert_eq!(
        with_b("fn f() -> crate::a::Thing { todo!() }").circles(),
        ["a <-> b"]
    );
    assert_eq!(with_b("use super::a::Thing;").circles(), ["a <-> b"]);
    let only_in_tests = "#[cfg(test)] mod tests { use crate::a::Thing; }";
    assert!(with_b(only_in_tests).circles().is_empty());
}

#[test]
fn what_the_map_names_is_there() {
    let map = fs::read_to_string(project().join("ARCHITECTURE.md")).unwrap();
    let named: Vec<&str> = map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.ends_with(".rs"))
        .collect();
    assert!(named.len() > 15, "{named:?}");
    let files: Vec<PathBuf> = ["host", "plugin-api", "plugins", "python"]
        .iter()
        .flat_map(|folder| rust_files(&project().join(folder)))
        .collect();
    for name in named {
        // A map names files by the ends of their paths, as a person would.
        assert!(files.iter().any(|file| file.ends_with(name)), "{name}");
    }
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this crate lies in tests/support")
}

fn crate_sources() -> Vec<PathBuf> {
    let sources: Vec<PathBuf> = CRATES
        .iter()
        .flat_map(|folder| WalkDir::new(project().join(folder)).max_depth(2))
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.ends_with("src") && path.is_dir())
        .collect();
    assert!(sources.len() >= 12, "{sources:?}");
    sources
}

/// The files of a crate without those that are tests only.
fn rust_files(source: &Path) -> Vec<PathBuf> {
    let is_test = |name: &str| ["tests", "tests.rs", "testing"].contains(&name);
    WalkDir::new(source)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !is_test(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect()
}

/// The modules of a crate, by their paths.
struct Crate {
    modules: BTreeMap<NamePath, Module>,
}

impl Crate {
    fn read(source: &Path) -> Self {
        let modules = rust_files(source).into_iter().map(|file| {
            let code = syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap();
            (module_path(file.strip_prefix(source).unwrap()), Module::of(&code))
        });
        Self {
            modules: modules.collect(),
        }
    }

    /// The groups of modules beside each other that lead back to themselves.
    fn circles(&self) -> Vec<String> {
        let reexports = self.reexports();
        let mut levels: BTreeMap<NamePath, Uses> = BTreeMap::new();
        for (path, module) in &self.modules {
            for name in module.names.iter().filter_map(|name| absolute(name, path)) {
                let owner = resolved(name, &reexports);
                let shared = path
                    .iter()
                    .zip(&owner)
                    .take_while(|(ours, theirs)| ours == theirs)
                    .count();
                let is_sibling = shared < path.len()
                    && shared < owner.len()
                    && self.modules.contains_key(&owner[..=shared]);
                if is_sibling {
                    let level = levels.entry(path[..shared].to_vec()).or_default();
                    level
                        .entry(path[shared].clone())
                        .or_default()
                        .insert(owner[shared].clone());
                }
            }
        }
        let named = levels.iter().flat_map(|(level, uses)| {
            let prefix: String = level.iter().map(|name| format!("{name}::")).collect();
            groups(uses)
                .into_iter()
                .map(move |group| format!("{prefix}{group}"))
        });
        named.collect()
    }

    /// What modules give out under a name of their own: from the path of that name to the path of its owner.
    fn reexports(&self) -> BTreeMap<NamePath, NamePath> {
        let mut known = BTreeMap::new();
        for (path, module) in &self.modules {
            for (name, target) in &module.given_out {
                let from_child = || {
                    let child: NamePath = path.iter().chain(target).cloned().collect();
                    self.modules.contains_key(&child[..=path.len()]).then_some(child)
                };
                if let Some(owner) = absolute(target, path).or_else(from_child) {
                    let outer: NamePath = path.iter().chain([name]).cloned().collect();
                    if outer != owner {
                        known.insert(outer, owner);
                    }
                }
            }
        }
        known
    }
}

/// Which module beside it each module uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// What one file names, and what it gives out.
#[derive(Default)]
struct Module {
    names: Vec<NamePath>,
    given_out: Vec<(String, NamePath)>,
}

impl Module {
    fn of(file: &File) -> Self {
        let mut module = Self::default();
        module.visit_file(file);
        module
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if !attributes.iter().any(is_for_tests) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut leaves = Vec::new();
        expand(&item.tree, &mut Vec::new(), &mut leaves);
        if !matches!(item.vis, Visibility::Inherited) {
            self.given_out.extend(leaves.iter().cloned());
        }
        self.names.extend(leaves.into_iter().map(|(_, path)| path));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.names.push(
            path.segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect(),
        );
        syn::visit::visit_path(self, path);
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<syn::Path>()
            .is_ok_and(|condition| condition.is_ident("test"))
}

/// The names that a tree of uses brings, each with its whole path: `a::{b, c::{d as e, self}}` brings `b` of `a::b`, `e`
/// of `a::c::d` and `c` of `a::c`.
fn expand(tree: &UseTree, above: &mut NamePath, leaves: &mut Vec<(String, NamePath)>) {
    let mut leaf = |name: &syn::Ident, known_as: &syn::Ident| {
        let is_itself = name == "self";
        let path: NamePath = match is_itself {
            true => above.clone(),
            false => above.iter().cloned().chain([name.to_string()]).collect(),
        };
        let known_as = match known_as == "self" {
            true => path.last().cloned().unwrap_or_default(),
            false => known_as.to_string(),
        };
        leaves.push((known_as, path));
    };
    match tree {
        UseTree::Name(name) => leaf(&name.ident, &name.ident),
        UseTree::Rename(rename) => leaf(&rename.ident, &rename.rename),
        UseTree::Glob(_) => leaves.push(("*".to_owned(), above.clone())),
        UseTree::Group(group) => {
            for branch in &group.items {
                expand(branch, above, leaves);
            }
        }
        UseTree::Path(path) => {
            above.push(path.ident.to_string());
            expand(&path.tree, above, leaves);
            above.pop();
        }
    }
}

/// `a/b.rs` and `a/b/mod.rs` are `[a, b]`; `lib.rs` and `main.rs` are the crate itself.
fn module_path(file: &Path) -> NamePath {
    let names = file.with_extension("");
    let mut path: NamePath = names
        .iter()
        .map(|name| name.to_str().unwrap().to_owned())
        .collect();
    if path
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()))
    {
        path.pop();
    }
    path
}

/// A path that begins with `crate`, `self` or `super`, from the crate's root.
fn absolute(name: &[String], module: &[String]) -> Option<NamePath> {
    let (first, rest) = name.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some(module.iter().chain(rest).cloned().collect()),
        "super" => {
            let (_, above) = module.split_last()?;
            absolute(rest, above).or_else(|| Some(above.iter().chain(rest).cloned().collect()))
        }
        _ => None,
    }
}

/// Where a path leads once names that are given out are followed to their owners.
fn resolved(mut path: NamePath, reexports: &BTreeMap<NamePath, NamePath>) -> NamePath {
    // A name may be given out by a module, and again by those above it.
    for _ in 0..8 {
        let given_out = (1..=path.len())
            .rev()
            .find_map(|end| Some((end, reexports.get(&path[..end])?)));
        match given_out {
            Some((end, owner)) => path = owner.iter().chain(&path[end..]).cloned().collect(),
            None => break,
        }
    }
    path
}

/// The groups of names that lead back to themselves.
fn groups(uses: &Uses) -> BTreeSet<String> {
    let reach = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(next) = open.pop() {
            let found = uses.get(next).into_iter().flatten();
            open.extend(found.filter(|to| seen.insert((*to).clone())));
        }
        seen
    };
    let in_a_circle = uses.keys().filter(|name| reach(name).contains(*name));
    in_a_circle
        .map(|name| {
            let group: Vec<String> = reach(name)
                .into_iter()
                .filter(|other| reach(other).contains(name))
                .collect();
            group.join(" <-> ")
        })
        .collect()
}
