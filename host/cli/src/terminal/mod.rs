//! What people see: errors, progress, colours. Data goes to standard output, everything here to standard error.

mod consent;
#[cfg(test)]
mod every_error;
mod failure;
mod logging;
mod next_step;
mod preparation;
mod progress;
mod stdout;
mod table;
mod verdicts;

pub(crate) use failure::ensure;
pub use failure::{Context, Failure, Hinted, Result};
pub use next_step::words;
pub use preparation::PreparationProgress;
pub use progress::{Bar, Step};
pub use stdout::{print, print_line};
pub use table::{count, print_facts, print_json, print_table};
pub use verdicts::print_checks;

use crate::{
    arguments::{Color, Global},
    exit::Exit,
};
use indicatif::ProgressDrawTarget;
use modelzoo::format::Losses;
use std::io::IsTerminal as _;

/// So many of many lines are told one by one; files and `--json` have all of them.
const TOLD: usize = 10;

/// Standard error as the user wants it.
#[derive(Clone, Debug)]
pub struct Terminal {
    quiet: bool,
    progress: bool,
    /// Whether progress is told in lines, as there is no terminal to draw on.
    lines: bool,
    color: bool,
}

impl Terminal {
    /// Follows the options, the terminal and `NO_COLOR`.
    pub fn new(global: &Global) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !no_color,
        };
        Self {
            quiet: global.quiet,
            progress: is_terminal && !global.quiet && !global.no_progress,
            lines: !is_terminal && !global.quiet && !global.no_progress,
            color,
        }
    }

    /// Tells an error and its hint, and says how the program should end. That nobody reads on is no error.
    pub fn report(&self, failure: &Failure) -> Exit {
        if failure.is_reader_gone() {
            return Exit::Done;
        }
        for line in self.lines(failure) {
            tell(format_args!("{line}"));
        }
        failure.exit()
    }

    /// An error, its causes and its hint.
    fn lines(&self, failure: &Failure) -> Vec<String> {
        let mut lines = vec![format!("{} {}", self.paint("error:", "1;31"), failure.message())];
        let because = self.paint("because:", "31");
        lines.extend(
            failure
                .causes()
                .iter()
                .map(|cause| format!("  {because} {cause}")),
        );
        lines.extend(failure.hint().map(|hint| self.hint_line(&hint)));
        lines
    }

    /// Tells something that is not as it should be, but works.
    pub fn warn(&self, message: impl std::fmt::Display) {
        if !self.quiet {
            tell(format_args!("{} {message}", self.paint("warning:", "1;33")));
        }
    }

    /// Tells the first of many lines, and how many there are more.
    pub fn warn_of_some(&self, lines: &[String], count: u64) {
        let told = &lines[..lines.len().min(TOLD)];
        told.iter().for_each(|line| self.warn(line));
        let rest = count.saturating_sub(told.len() as u64);
        if rest > 0 {
            self.warn(format!("and {rest} more"));
        }
    }

    /// Tells what was lost while the rest went on; says whether that is nothing.
    pub fn tell_losses<'a>(&self, losses: impl IntoIterator<Item = &'a Losses>) -> bool {
        let mut is_whole = true;
        for losses in losses {
            is_whole &= losses.is_empty();
            self.warn_of_some(losses.named(), losses.count());
        }
        is_whole
    }

    /// Tells what can be done about what was warned of.
    pub fn hint(&self, hint: &str) {
        if !self.quiet {
            tell(format_args!("{}", self.hint_line(hint)));
        }
    }

    fn hint_line(&self, hint: &str) -> String {
        format!("{} {hint}", self.paint("hint:", "1;36"))
    }

    /// Tells what was done.
    pub fn say(&self, message: impl std::fmt::Display) {
        if !self.quiet {
            tell(format_args!("{message}"));
        }
    }

    /// Tells how far something is, where that is not drawn.
    pub fn tell_progress(&self, message: &str) {
        if self.lines {
            tell(format_args!("{message}"));
        }
    }

    /// Where progress bars are drawn.
    fn draw_target(&self) -> ProgressDrawTarget {
        if self.progress {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        }
    }

    /// `text` in an ANSI style, where colours are wanted.
    fn paint(&self, text: &str, style: &str) -> String {
        if self.color {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Writes a line to standard error. Where that is closed or full there is nobody to tell, and no reason to end.
fn tell(line: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{line}");
}
