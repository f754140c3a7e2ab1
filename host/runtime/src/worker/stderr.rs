//! What a worker prints to standard error: handed to the log, and its end kept to explain a crash.

use std::{
    collections::VecDeque,
    io::Read,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

/// How many lines are kept.
const KEPT_LINES: usize = 12;
/// How much of a line is kept.
const KEPT_LINE_BYTES: usize = 2000;

/// The last lines of a worker's standard error.
#[derive(Clone, Debug, Default)]
pub(super) struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    /// Reads `stderr` in a thread of its own until it ends.
    pub(super) fn of(mut stderr: impl Read + Send + 'static) -> (Self, JoinHandle<()>) {
        let lines = Self::default();
        let kept = lines.clone();
        let reader = std::thread::spawn(move || {
            let mut line = Vec::new();
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stderr.read(&mut bytes) {
                for &byte in &bytes[..count] {
                    if byte == b'\n' {
                        kept.push(&std::mem::take(&mut line));
                    } else if line.len() < KEPT_LINE_BYTES {
                        line.push(byte);
                    }
                }
            }
            kept.push(&line);
        });
        (lines, reader)
    }

    fn push(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        if line.is_empty() {
            return;
        }
        tracing::debug!(target: "modelzoo::worker", "{line}");
        // Indented lines are the frames of a backtrace: the line before them says what happened.
        if !line.starts_with(char::is_whitespace) {
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push_back(line.to_owned());
            if lines.len() > KEPT_LINES {
                lines.pop_front();
            }
        }
    }

    /// The last lines, oldest first.
    pub(super) fn get(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_without_backtraces_and_within_bounds() {
        let many = "line\n".repeat(50);
        let long = "x".repeat(100_000);
        let text = format!("{many}{long}\nthread panicked\n   0: std::rt\n\nnot \u{fffd} ended");
        let (lines, reader) = LastLines::of(std::io::Cursor::new(text.into_bytes()));
        reader.join().unwrap();
        let lines = lines.get();
        assert_eq!(lines.len(), KEPT_LINES);
        assert_eq!(lines[KEPT_LINES - 3].len(), KEPT_LINE_BYTES);
        assert_eq!(lines[KEPT_LINES - 2..], ["thread panicked", "not \u{fffd} ended"]);
    }
}
