//! What the documents show of the command line is there.

use super::Arguments;
use clap::{Parser as _, error::ErrorKind};
use modelzoo_test_support::book;

fn read(command: &book::Command) -> Result<(), clap::Error> {
    let program = ["modelzoo"].into_iter().map(str::to_owned);
    Arguments::try_parse_from(program.chain(command.words.iter().cloned())).map(drop)
}

#[test]
fn every_command_that_the_documents_show_is_understood() {
    let shown: Vec<_> = book::documents()
        .iter()
        .flat_map(|(document, text)| book::commands(document, text))
        .collect();
    let wrong: Vec<String> = shown
        .iter()
        .filter_map(|command| Some(format!("{}: {}", command.place, read(command).err()?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(shown.len() > 60, "{}", shown.len());
}

#[test]
fn every_command_and_option_that_the_documents_name_is_there() {
    let named: Vec<_> = book::documents()
        .iter()
        .flat_map(|(document, text)| book::mentions(document, text))
        .collect();
    let wrong: Vec<String> = named
        .iter()
        .filter_map(|command| Some((command, read(command).err()?)))
        .filter(|(_, error)| !is_incomplete(error.kind()))
        .map(|(command, error)| format!("{}: {error}", command.place))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(named.len() > 30, "{}", named.len());
}

/// A command may be named without all that it takes.
fn is_incomplete(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::DisplayHelp
    )
}
