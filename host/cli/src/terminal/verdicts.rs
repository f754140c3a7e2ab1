//! Verdicts on many things: a table, then what to do about those that are not good.

use super::{print_line, print_table};
use modelzoo::{doctor::Check, output::OutputError};

/// Prints checks; of a detail of several lines, the table has the first and the others follow below.
pub fn print_checks(checks: &[Check]) -> Result<(), OutputError> {
    let row = |check: &Check| {
        [
            check.name.to_string(),
            check.verdict.to_string(),
            check.detail.lines().next().unwrap_or_default().to_owned(),
        ]
    };
    let rows: Vec<_> = checks.iter().map(row).collect();
    print_table(["what", "verdict", "found"], &rows)?;
    for check in checks {
        let more: Vec<&str> = check.detail.lines().skip(1).collect();
        if !more.is_empty() {
            print_line(format_args!("\n{}:\n{}", check.name, more.join("\n")))?;
        }
    }
    let remedies: Vec<_> = checks
        .iter()
        .filter_map(|check| Some((&check.name, check.remedy.as_ref()?)))
        .collect();
    if !remedies.is_empty() {
        print_line("")?;
    }
    for (name, remedy) in remedies {
        print_line(format_args!("{name}: {remedy}"))?;
    }
    Ok(())
}
