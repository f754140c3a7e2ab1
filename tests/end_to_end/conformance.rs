//! The table of conformance names tests that exist, at least one for each row.

use crate::support::project;
use std::fs;

#[test]
fn every_row_names_tests_that_exist() {
    let project = project();
    let table = fs::read_to_string(project.join("tests/CONFORMANCE.md")).unwrap();
    let rows = table.lines().filter(|line| {
        line.starts_with('|') && !line.starts_with("|---") && !line.starts_with("| FiftyOne |")
    });
    let (mut count, mut wrong) = (0, Vec::new());
    for row in rows {
        count += 1;
        let named: Vec<(&str, &str)> = row
            .split('`')
            .skip(1)
            .step_by(2)
            .filter_map(|quoted| quoted.split_once(".rs::"))
            .collect();
        if named.is_empty() {
            wrong.push(format!("no test: {row}"));
        }
        for (file, test) in named {
            let code = fs::read_to_string(project.join(format!("{file}.rs"))).unwrap_or_default();
            if !is_test(&code, test) {
                wrong.push(format!("{file}.rs has no test {test}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 40, "the table was not understood: {count} rows");
}

/// Whether the code has a test of this name, behind whatever attributes; tests of properties have none of their own.
fn is_test(code: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    code.split_once(&head).is_some_and(|(before, _)| {
        before
            .rfind("#[test]")
            .is_some_and(|at| !before[at..].contains("\n}\n"))
    })
}
