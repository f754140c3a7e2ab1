//! Progress bars: one at a time, on standard error, only on a terminal.

use super::Terminal;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// What a bar counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Bytes of a file.
    Bytes,
    /// Pieces of work: crates, objects.
    Pieces,
    /// Pictures.
    Pictures,
}

/// A progress bar that clears itself when it is dropped.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Terminal {
    /// Starts a bar; without a `total` it only shows that something happens.
    pub fn bar(&self, step: Step, label: impl Into<String>, total: Option<u64>) -> Bar {
        let bar = ProgressBar::with_draw_target(total, self.draw_target());
        let counts = match (step, total) {
            (_, None) => "{spinner} {msg} {pos}",
            (Step::Bytes, _) => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            (Step::Pieces, _) => "{msg} {wide_bar} {pos}/{len}",
            (Step::Pictures, _) => "{msg} {wide_bar} {pos}/{len} {per_sec} {eta} left",
        };
        // The templates above are constants that indicatif accepts; its default style serves if it ever does not.
        let style = ProgressStyle::with_template(counts).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("━╸─"));
        bar.set_message(label.into());
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar(bar)
    }
}

impl Bar {
    /// Whether anybody sees it.
    pub fn is_shown(&self) -> bool {
        !self.0.is_hidden()
    }

    /// So much is done.
    pub fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// One more is done.
    pub fn advance(&self) {
        self.0.inc(1);
    }

    /// So much there is in all.
    pub fn set_total(&self, total: u64) {
        self.0.set_length(total);
    }

    /// Nobody knows how much there is.
    pub fn forget_total(&self) {
        self.0.unset_length();
    }

    /// Takes it from the screen, so that something else can be told.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }

    /// Says what is being done.
    pub fn say(&self, label: impl Into<String>) {
        self.0.set_message(label.into());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
