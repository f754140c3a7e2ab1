//! What failed, for the user and for programs.

use crate::terminal::{Terminal, words};
use modelzoo::{
    Failure, LabeledItem, Stage,
    diagnosis::{Diagnose as _, in_one_line},
    output::{JsonLinesWriter, OutputError},
};
use serde::Serialize;
use std::path::Path;

/// So many failures and warnings are kept at most to be told at the end; the results hold all of them.
const KEPT: usize = 100;

/// Notes failures and warnings: some to be told at the end, all of them to a file of JSON Lines.
pub struct Report {
    file: Option<JsonLinesWriter>,
    failures: Told,
    warnings: Told,
    hints: Told,
}

/// The first of many lines.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    count: u64,
}

/// A line of the file.
#[derive(Serialize)]
struct Line<'a> {
    filepath: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slice: Option<usize>,
    /// Where on its way it failed.
    stage: Stage,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// What is wrong although it did not fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

impl Report {
    /// Writes failures and warnings to `file`, where one is named.
    pub fn create(file: Option<&Path>) -> Result<Self, OutputError> {
        Ok(Self {
            file: file.map(JsonLinesWriter::create).transpose()?,
            failures: Told::default(),
            warnings: Told::default(),
            hints: Told::default(),
        })
    }

    /// Notes what is wrong with a sample.
    pub fn note(&mut self, item: &LabeledItem) -> Result<(), OutputError> {
        let filepath = &item.record.filepath;
        for warning in &item.warnings {
            self.write(&Line {
                filepath,
                frame: None,
                patch: None,
                slice: None,
                stage: Stage::Decode,
                error: None,
                warning: Some(warning),
                hint: None,
            })?;
            self.warnings.add(format!("{filepath}: {warning}"));
        }
        for failure in &item.failures {
            let Failure { place, error, .. } = failure;
            let hint = error.next_step().as_ref().map(words);
            self.write(&Line {
                filepath,
                frame: place.frame,
                patch: place.patch,
                slice: place.slice,
                stage: error.stage(),
                error: Some(&in_one_line(error)),
                warning: None,
                hint: hint.as_deref(),
            })?;
            self.failures.add(match error.names_file() {
                true => failure.to_string(),
                false => format!("{filepath}: {failure}"),
            });
            // The same advice for all pictures is worth one line.
            if let Some(hint) = hint
                && !self.hints.lines.contains(&hint)
            {
                self.hints.add(hint);
            }
        }
        Ok(())
    }

    fn write(&mut self, line: &Line<'_>) -> Result<(), OutputError> {
        self.file.as_mut().map_or(Ok(()), |file| file.write(line))
    }

    /// Tells what is wrong, and puts the file in its place.
    pub fn finish(self, terminal: &Terminal) -> Result<(), OutputError> {
        self.warnings.tell(terminal);
        self.failures.tell(terminal);
        self.hints.lines.iter().for_each(|hint| terminal.hint(hint));
        self.file.map_or(Ok(()), JsonLinesWriter::finish)
    }
}

impl Told {
    fn add(&mut self, line: String) {
        self.count += 1;
        if self.lines.len() < KEPT {
            self.lines.push(line);
        }
    }

    fn tell(&self, terminal: &Terminal) {
        terminal.warn_of_some(&self.lines, self.count);
    }
}
