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
    let mut count = 0;
    for (document, text) in book::documents() {
        for command in book::commands(&document, &text) {
            count += 1;
            if let Err(error) = read(&command) {
                panic!("{}: {error}", command.place);
            }
        }
    }
    assert!(count > 60, "{count}");
}

#[test]
fn every_command_and_option_that_the_documents_name_is_there() {
    let mut count = 0;
    for (document, text) in book::documents() {
        for command in book::mentions(&document, &text) {
            count += 1;
            match read(&command) {
                Err(error) if !is_incomplete(error.kind()) => panic!("{}: {error}", command.place),
                _ => {}
            }
        }
    }
    assert!(count > 30, "{count}");
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
