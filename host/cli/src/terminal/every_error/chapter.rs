//! The chapter on what to do about errors goes by their texts, and every kind that ends a command with an exit code of its own
//! is in it.

use super::{Sample, all};
use crate::exit::Exit;
use modelzoo_test_support::files::project;

/// What stands for a text that is another one each time.
const ANYTHING: char = '…';

/// The errors that the chapter quotes.
fn quoted() -> Vec<String> {
    let chapter = std::fs::read_to_string(project().join("docs/troubleshooting.md")).unwrap();
    let quoted = chapter
        .lines()
        .filter_map(|line| line.strip_prefix("    error: "));
    quoted.map(str::to_owned).collect()
}

/// Whether a text is of this form. What stands for anything is never nothing.
fn fits(form: &str, text: &str) -> bool {
    let mut parts = form.split(ANYTHING);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        match rest
            .char_indices()
            .skip(1)
            .find(|(at, _)| rest[*at..].starts_with(part))
        {
            Some((at, _)) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() > last.len() && rest.ends_with(last)
}

fn message(sample: &Sample) -> String {
    let message = sample.failure.message();
    message.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn what_the_chapter_quotes_is_what_the_program_says() {
    let messages: Vec<String> = all()
        .iter()
        .flat_map(|(_, samples)| samples)
        .map(message)
        .collect();
    let unknown: Vec<String> = quoted()
        .into_iter()
        .filter(|form| !messages.iter().any(|message| fits(form, message)))
        .collect();
    assert!(unknown.is_empty(), "nothing says so:\n{}", unknown.join("\n"));
    assert!(quoted().len() > 60);
}

#[test]
fn errors_of_trust_building_integrity_and_fit_are_all_in_the_chapter() {
    let quoted = quoted();
    let is_of_its_own = |sample: &&Sample| {
        let exit = sample.failure.exit() as u8;
        (Exit::NotTrusted as u8..=Exit::Incompatible as u8).contains(&exit)
    };
    let samples = all();
    let missing: Vec<String> = samples
        .iter()
        .flat_map(|(_, samples)| samples)
        .filter(is_of_its_own)
        .map(message)
        .filter(|message| !quoted.iter().any(|form| fits(form, message)))
        .collect();
    assert!(missing.is_empty(), "not in the chapter:\n{}", missing.join("\n"));
}

#[test]
fn a_form_fits_its_texts_and_no_others() {
    assert!(fits("… has no … of `x`", "a has no b has no c of `x`"));
    assert!(fits("it is …", "it is so"));
    assert!(fits("all of it", "all of it"));
    assert!(!fits("it is …", "it is "));
    assert!(!fits("all of it", "all of it, too"));
    assert!(!fits("… has no …", "there is none"));
}
