//! What the layout promises and no compiler checks: modules beside each other use each other one way, and files stay
//! short enough to have one subject.

use crate::support::project;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Longer files have more than one subject.
const MOST_LINES: usize = 500;

/// The folders with the code of crates; plugins are sources of their own.
const CRATES: [&str; 2] = ["host", "plugin-api"];

#[test]
fn modules_beside_each_other_make_no_circles() {
    let mut circles = Vec::new();
    for source in crate_sources() {
        let files = rust_files(&source);
        let mut uses: BTreeMap<(Vec<String>, String), BTreeSet<String>> = BTreeMap::new();
        let reexports = reexports(&source, &files);
        for file in &files {
            let module = module_of(&source, file);
            let code = without_tests(&fs::read_to_string(file).unwrap());
            for used in used_paths(&code, &module) {
                let used = resolved(used, &reexports);
                let shared = module.iter().zip(&used).take_while(|(a, b)| a == b).count();
                if shared < module.len()
                    && shared < used.len()
                    && is_module(&files, &source, &used[..=shared])
                {
                    let level = module[..shared].to_vec();
                    uses.entry((level, module[shared].clone()))
                        .or_default()
                        .insert(used[shared].clone());
                }
            }
        }
        let levels: BTreeSet<_> = uses.keys().map(|(level, _)| level.clone()).collect();
        for level in levels {
            let graph: BTreeMap<_, _> = uses
                .iter()
                .filter(|((at, _), _)| *at == level)
                .map(|((_, from), to)| (from.clone(), to.clone()))
                .collect();
            for circle in circles_of(&graph) {
                circles.push(format!("{}: {}: {}", source.display(), level.join("::"), circle));
            }
        }
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn files_have_one_subject() {
    let long: Vec<_> = crate_sources()
        .iter()
        .flat_map(|source| rust_files(source))
        .filter_map(|file| {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            (lines > MOST_LINES).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

fn crate_sources() -> Vec<PathBuf> {
    let sources: Vec<_> = CRATES
        .iter()
        .flat_map(|folder| walkdir::WalkDir::new(project().join(folder)).max_depth(2))
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.ends_with("src") && path.is_dir())
        .collect();
    assert!(sources.len() > 6, "{sources:?}");
    sources
}

fn rust_files(source: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(source)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .filter(|path| {
            !path
                .iter()
                .any(|part| part == "tests" || part == "tests.rs" || part == "testing")
        })
        .collect()
}

/// `src/a/b.rs` and `src/a/b/mod.rs` are `[a, b]`; `lib.rs` and `main.rs` are the crate itself.
fn module_of(source: &Path, file: &Path) -> Vec<String> {
    let mut parts: Vec<String> = file
        .strip_prefix(source)
        .unwrap()
        .with_extension("")
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if parts
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()))
    {
        parts.pop();
    }
    parts
}

fn is_module(files: &[PathBuf], source: &Path, path: &[String]) -> bool {
    files.iter().any(|file| module_of(source, file) == path)
}

/// Code up to its module of tests, without comments.
fn without_tests(code: &str) -> String {
    let code = code.split("#[cfg(test)]\nmod").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What modules give out under names of their children: from the path of the name to that of its owner.
fn reexports(source: &Path, files: &[PathBuf]) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut known = BTreeMap::new();
    for file in files {
        let module = module_of(source, file);
        let code = without_tests(&fs::read_to_string(file).unwrap());
        for statement in use_statements(&code) {
            for path in expanded(statement) {
                let owner = absolute(&path, &module).or_else(|| {
                    let child: Vec<String> = module.iter().chain(&path).cloned().collect();
                    is_module(files, source, &child[..=module.len().min(child.len() - 1)]).then_some(child)
                });
                if let (Some(owner), Some(name)) = (owner, path.last()) {
                    let mut outer = module.clone();
                    outer.push(name.clone());
                    if outer != owner {
                        known.insert(outer, owner);
                    }
                }
            }
        }
    }
    known
}

/// Where a path leads once names that are given out are followed to their owners.
fn resolved(path: Vec<String>, reexports: &BTreeMap<Vec<String>, Vec<String>>) -> Vec<String> {
    let mut path = path;
    for _ in 0..8 {
        match (1..=path.len())
            .rev()
            .find_map(|end| Some((end, reexports.get(&path[..end])?)))
        {
            Some((end, owner)) => path = owner.iter().chain(&path[end..]).cloned().collect(),
            None => break,
        }
    }
    path
}

/// All paths of this crate that some code names, from the crate's root.
fn used_paths(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let in_uses = use_statements(code).flat_map(expanded);
    let in_line = code.split(|character: char| !(character.is_alphanumeric() || "_:".contains(character)));
    let in_line = in_line
        .filter(|word| word.starts_with("crate::") || word.starts_with("super::"))
        .map(|word| {
            word.split("::")
                .map(str::to_owned)
                .filter(|part| !part.is_empty())
                .collect()
        });
    in_uses
        .chain(in_line)
        .filter_map(|path| absolute(&path, module))
        .collect()
}

/// A path that begins with `crate`, `self` or `super`, from the crate's root.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some(module.iter().chain(rest).cloned().collect()),
        "super" => {
            let above = module.len() - 1;
            let rest: Vec<String> = rest.to_vec();
            match rest.first().map(String::as_str) {
                Some("super") => absolute(&rest, &module[..above]),
                _ => Some(module[..above].iter().chain(&rest).cloned().collect()),
            }
        }
        _ => None,
    }
}

fn use_statements(code: &str) -> impl Iterator<Item = &str> {
    code.split("use ")
        .skip(1)
        .filter_map(|rest| rest.split_once(';'))
        .map(|(tree, _)| tree)
}

/// The paths of a tree of uses: `a::{b, c::{d, self}}` is `a::b`, `a::c::d` and `a::c`.
fn expanded(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        let parts = path.split("::").map(|part| part.trim().to_owned());
        return vec![parts.filter(|part| !part.is_empty()).collect()];
    };
    let head: Vec<String> = head
        .split("::")
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut start, mut branches) = (0, 0, Vec::new());
    for (at, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    branches.push(&inner[start..]);
    branches
        .into_iter()
        .filter(|branch| !branch.trim().is_empty())
        .flat_map(expanded)
        .map(|path| {
            let rest = path.into_iter().filter(|part| part != "self");
            head.iter().cloned().chain(rest).collect()
        })
        .collect()
}

/// The groups of names that lead back to themselves.
fn circles_of(graph: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let reach = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(next) = open.pop() {
            for to in graph.get(next).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    open.push(to);
                }
            }
        }
        seen
    };
    graph
        .keys()
        .filter(|name| reach(name).contains(*name))
        .map(|name| {
            let group: Vec<_> = reach(name)
                .into_iter()
                .filter(|other| reach(other).contains(name))
                .collect();
            group.join(" <-> ")
        })
        .collect()
}

#[test]
fn trees_of_uses_are_read() {
    let paths = |tree| {
        expanded(tree)
            .iter()
            .map(|path| path.join("::"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        paths("a::{b, c::{d, self}, e as f}"),
        ["a::b", "a::c::d", "a::c", "a::e"]
    );
    let graph =
        [("a", "b"), ("b", "a"), ("c", "a")].map(|(from, to)| (from.to_owned(), [to.to_owned()].into()));
    assert_eq!(circles_of(&graph.into()), ["a <-> b".to_owned()].into());
}
