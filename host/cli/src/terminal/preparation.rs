//! The steps on the way to a loaded model, as progress bars.

use super::{Bar, Step, Terminal};
use modelzoo::{Event, Observer};
use std::sync::{Mutex, PoisonError};

/// Shows one bar for the step that runs.
#[derive(Debug)]
pub struct PreparationProgress {
    terminal: Terminal,
    current: Mutex<Option<(String, Bar)>>,
}

impl PreparationProgress {
    /// Draws where `terminal` does.
    pub fn new(terminal: &Terminal) -> Self {
        Self {
            terminal: terminal.clone(),
            current: Mutex::default(),
        }
    }

    /// Shows how far the step called `label` is; a step of another name replaces the bar.
    fn show(&self, step: Step, label: String, done: u64, total: Option<u64>, detail: Option<&str>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(name, _)| *name != label) {
            *current = None;
            *current = Some((label.clone(), self.terminal.bar(step, label.clone(), total)));
        }
        if let Some((_, bar)) = current.as_ref() {
            total.into_iter().for_each(|total| bar.set_total(total));
            bar.set(done);
            detail
                .into_iter()
                .for_each(|detail| bar.say(format!("{label} {detail}")));
        }
    }
}

impl Observer for PreparationProgress {
    fn notice(&self, event: Event<'_>) {
        match event {
            Event::Fetching { source, done, total } => {
                self.show(Step::Pieces, format!("fetching {source}"), done, total, None);
            }
            Event::Retrying { file, reason, after } => {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                let seconds = after.as_secs_f64().ceil();
                let label = format!("downloading {name} failed ({reason}); once more in {seconds:.0} s");
                self.show(Step::Pieces, label, 0, None, None);
            }
            Event::Waiting { path } => {
                let label = format!("waiting for another process at {}", path.display());
                self.show(Step::Pieces, label, 0, None, None);
            }
            Event::FetchingCrates => self.show(Step::Pieces, "fetching crates".to_owned(), 0, None, None),
            Event::Building { name, done, total } => {
                self.show(Step::Pieces, "building".to_owned(), done, Some(total), Some(name));
            }
            Event::Downloading { file, done, total } => {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                self.show(Step::Bytes, format!("downloading {name}"), done, total, None);
            }
            Event::Plugin { step, done, total } => {
                self.show(Step::Pieces, step.to_owned(), done, total, None);
            }
            _ => *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None,
        }
    }
}
