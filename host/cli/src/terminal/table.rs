//! Facts on standard output: tables with columns as wide as their content, the last one free; lists; JSON.

use super::{Failure, print_line};
use modelzoo::output::OutputError;

/// Prints a head and rows of as many columns; nothing at all without rows.
pub fn print_table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> Result<(), OutputError> {
    if rows.is_empty() {
        return Ok(());
    }
    let width = |column: usize| {
        let widest = rows
            .iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0);
        widest.max(head[column].len())
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        print_line(padded.join("  ").trim_end())
    };
    line(head)?;
    rows.iter()
        .try_for_each(|row| line(row.each_ref().map(String::as_str)))
}

/// Prints a title and what is known of it, one fact a line; a fact without a value is left out.
pub fn print_facts(title: &str, facts: &[(&str, Option<String>)]) -> Result<(), OutputError> {
    print_line(title)?;
    let known = facts
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let width = known.clone().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in known {
        print_line(format_args!("  {name:width$}  {value}"))?;
    }
    Ok(())
}

/// `1 change`, `2 changes`: a number of things whose plural ends in `s`.
pub fn count(number: u64, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{ending}")
}

/// Prints a value as JSON for programs.
pub fn print_json(value: &(impl serde::Serialize + ?Sized)) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::because("the facts cannot be printed", error))?;
    Ok(print_line(text)?)
}
