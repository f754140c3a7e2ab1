//! Verdicts on many things: a table, then what to do about those that are not good.

use super::print_table;
use modelzoo_sources::doctor::Check;

/// Prints checks; of a detail of several lines, the table has the first and the others follow below.
pub fn print_checks(checks: &[Check]) {
    let row = |check: &Check| {
        [
            check.name.to_string(),
            check.verdict.to_string(),
            check.detail.lines().next().unwrap_or_default().to_owned(),
        ]
    };
    let rows: Vec<_> = checks.iter().map(row).collect();
    print_table(["what", "verdict", "found"], &rows);
    for check in checks {
        let more: Vec<&str> = check.detail.lines().skip(1).collect();
        if !more.is_empty() {
            println!("\n{}:\n{}", check.name, more.join("\n"));
        }
    }
    let remedies: Vec<_> = checks
        .iter()
        .filter_map(|check| Some((&check.name, check.remedy.as_ref()?)))
        .collect();
    if !remedies.is_empty() {
        println!();
    }
    for (name, remedy) in remedies {
        println!("{name}: {remedy}");
    }
}
