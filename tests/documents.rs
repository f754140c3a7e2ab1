//! What the documents say leads somewhere: their links to files, and to headings in these.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use walkdir::WalkDir;

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let broken: Vec<String> = documents()
        .iter()
        .flat_map(|document| {
            let text = fs::read_to_string(document).unwrap();
            let broken = links(&text)
                .into_iter()
                .filter(|link| !leads_somewhere(document, link));
            broken
                .map(|link| format!("{}: {link}", document.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_book_has_every_chapter_and_what_it_includes() {
    let docs = project().join("docs");
    let listed = links(&fs::read_to_string(docs.join("SUMMARY.md")).unwrap());
    let listed: BTreeSet<PathBuf> = listed.iter().map(|link| docs.join(link)).collect();
    let chapters: BTreeSet<PathBuf> = documents()
        .into_iter()
        .filter(|path| path.starts_with(&docs) && !path.ends_with("SUMMARY.md"))
        .collect();
    assert_eq!(listed, chapters);
    for chapter in chapters {
        let text = fs::read_to_string(&chapter).unwrap();
        for part in text.split("{{#include ").skip(1) {
            let file = part.split(['}', ':']).next().unwrap();
            let file = chapter.parent().unwrap().join(file);
            assert!(file.is_file(), "{}: {}", chapter.display(), file.display());
        }
    }
}

#[test]
fn links_and_headings_are_read_as_forges_read_them() {
    let text = "# A *big* `code` Title, really!\n\n[one](a.md#b) ![two](b.png)\n\n    [in code](c.md)\n\n```\n[fenced](d.md)\n```\n\
                `[quoted](e.md)` [split\nover lines](f.md)\n";
    assert_eq!(links(text), ["a.md#b", "b.png", "f.md"]);
    assert_eq!(
        headings(text),
        BTreeSet::from(["a-big-code-title-really".to_owned()])
    );
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// The documents of the project; what is made or fetched is none of it.
fn documents() -> Vec<PathBuf> {
    let is_ours = |name: &str| !["target", "fixtures", "node_modules", "dist-packages"].contains(&name);
    let documents: Vec<PathBuf> = WalkDir::new(project())
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0 || (is_ours(&name) && (!name.starts_with('.') || name == ".github"))
        })
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    assert!(documents.len() > 8, "{documents:?}");
    documents
}

/// The text without what is shown as code.
fn prose(text: &str) -> String {
    let mut prose = String::new();
    let mut is_fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced && !line.starts_with("    ") {
            // Between backticks nothing is a link; those of a heading are seen to there.
            prose.extend(line.split('`').step_by(2));
            prose.push('\n');
        }
    }
    prose
}

fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let targets = prose.split("](").skip(1);
    targets
        .filter_map(|rest| Some(rest.split_once(')')?.0.trim().to_owned()))
        .collect()
}

fn headings(text: &str) -> BTreeSet<String> {
    let mut is_fenced = false;
    let mut headings = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        }
        let heading = line.trim_start_matches('#');
        if !is_fenced && heading.len() < line.len() && heading.starts_with(' ') {
            headings.insert(anchor(heading));
        }
    }
    headings
}

/// What a forge makes of a heading: small letters, hyphens for spaces, no other signs.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars()
        .filter(|&letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

fn leads_somewhere(document: &Path, link: &str) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return true;
    }
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let file = match file {
        "" => document.to_owned(),
        file => document.parent().unwrap().join(file),
    };
    if heading.is_empty() {
        return file.exists();
    }
    fs::read_to_string(file).is_ok_and(|text| headings(&text).contains(heading))
}
