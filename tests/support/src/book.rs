//! The commands that the documents show.

use crate::files::project;
use std::{fs, path::PathBuf};

/// The program whose commands are looked for.
const PROGRAM: &str = "modelzoo";

/// How a clone runs the program.
const FROM_A_CLONE: &str = "cargo run --release -- ";

/// A command in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Where it stands: the document and the line.
    pub place: String,
    /// What follows the program's name.
    pub words: Vec<String>,
    /// The file that its output goes to.
    pub into: Option<String>,
    /// Whether it is run from a clone of this repository.
    pub is_from_a_clone: bool,
}

/// The documents that say how the program is used, by their paths in the repository: the README, and the chapters of the book with
/// what these include.
pub fn documents() -> Vec<(String, String)> {
    let mut paths = vec![project().join("README.md"), project().join("python/README.md")];
    let chapters = fs::read_dir(project().join("docs")).unwrap();
    paths.extend(chapters.map(|entry| entry.unwrap().path()));
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    paths.sort();
    let text = |path: PathBuf| {
        let name = path.strip_prefix(project()).unwrap().display().to_string();
        (name, fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(text).collect()
}

/// The commands that a document shows as lines of their own.
pub fn commands(document: &str, text: &str) -> Vec<Command> {
    let mut is_fenced = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        }
        let is_shown = is_fenced || line.starts_with("    ");
        if let Some(command) = is_shown.then(|| command(line.trim())).flatten() {
            let place = format!("{document}:{}", index + 1);
            found.push(Command { place, ..command });
        }
    }
    found
}

/// The commands that a document names in its text, in which words may stand for something: `modelzoo apply MODEL INPUT...`.
pub fn mentions(document: &str, text: &str) -> Vec<Command> {
    let mut is_fenced = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        }
        if is_fenced || line.starts_with("    ") {
            continue;
        }
        for command in line.split('`').skip(1).step_by(2).filter_map(command) {
            let place = format!("{document}:{}", index + 1);
            found.push(Command { place, ..command });
        }
    }
    found
}

fn command(line: &str) -> Option<Command> {
    let from_a_clone = line.strip_prefix(FROM_A_CLONE);
    let rest = from_a_clone.or_else(|| line.strip_prefix(PROGRAM)?.strip_prefix(' '))?;
    // As a shell reads it: quotes, and comments.
    let mut words = shlex::split(rest).unwrap_or_else(|| panic!("quotes that do not end: {line}"));
    let into = words.iter().position(|word| word == ">").map(|at| {
        let into = words.split_off(at);
        assert_eq!(into.len(), 2, "{line}");
        into[1].clone()
    });
    Some(Command {
        place: String::new(),
        words,
        into,
        is_from_a_clone: from_a_clone.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_a_shell_reads_them() {
        let text = "Run `modelzoo list`:\n\n    modelzoo apply 'a b' c  # comment\n    pip install modelzoo\n\n```\nmodelzoo man > x\n```\n";
        let found = commands("a.md", text);
        let words: Vec<_> = found.iter().map(|command| command.words.join("|")).collect();
        assert_eq!(words, ["apply|a b|c", "man"]);
        assert_eq!((found[0].place.as_str(), &found[0].into), ("a.md:3", &None));
        assert_eq!(found[1].into.as_deref(), Some("x"));
        assert_eq!(mentions("a.md", text).len(), 1);
    }
}
