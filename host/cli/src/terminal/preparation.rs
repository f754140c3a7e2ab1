//! The steps on the way to a loaded model, as progress bars.

use super::{Bar, Step, Terminal};
use indicatif::HumanBytes;
use modelzoo::{Event, Observer};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Without a terminal, a step that goes on is told this often.
const TOLD_EVERY: Duration = Duration::from_secs(15);

/// Shows one bar for the step that runs. Where none can be drawn, a step that takes long is told in lines.
#[derive(Debug)]
pub struct PreparationProgress {
    terminal: Terminal,
    current: Mutex<Option<CurrentStep>>,
}

/// The step that runs.
#[derive(Debug)]
struct CurrentStep {
    label: String,
    bar: Bar,
    last_told: Instant,
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
        if current.as_ref().is_none_or(|current| current.label != label) {
            // The old bar goes before the new one comes.
            *current = None;
            *current = Some(CurrentStep {
                label: label.clone(),
                bar: self.terminal.bar(step, label.clone(), total),
                last_told: Instant::now(),
            });
        }
        let Some(current) = current.as_mut() else { return };
        total.into_iter().for_each(|total| current.bar.set_total(total));
        current.bar.set(done);
        let label = match detail {
            Some(detail) => format!("{label} {detail}"),
            None => label,
        };
        if !current.bar.is_shown() && current.last_told.elapsed() >= TOLD_EVERY {
            current.last_told = Instant::now();
            self.terminal.tell_progress(&sentence(step, &label, done, total));
        }
        current.bar.say(label);
    }
}

/// How far a step is, in words.
fn sentence(step: Step, label: &str, done: u64, total: Option<u64>) -> String {
    match (step, total) {
        (Step::Bytes, Some(total)) => format!("{label}: {} of {}", HumanBytes(done), HumanBytes(total)),
        (Step::Bytes, None) => format!("{label}: {}", HumanBytes(done)),
        (_, Some(total)) => format!("{label}: {done} of {total}"),
        (_, None) => label.to_owned(),
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
            Event::Saving { file, done, total } => {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                self.show(Step::Bytes, format!("writing {name}"), done, Some(total), None);
            }
            Event::Loading { file, done, total } => {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                self.show(Step::Bytes, format!("reading {name}"), done, Some(total), None);
            }
            Event::Plugin { step, done, total } => {
                self.show(Step::Pieces, step.to_owned(), done, total, None);
            }
            _ => *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_step_is_can_be_said() {
        assert_eq!(
            sentence(Step::Pieces, "building candle-core", 34, Some(120)),
            "building candle-core: 34 of 120"
        );
        assert_eq!(
            sentence(Step::Bytes, "downloading m.bin", 1 << 20, Some(3 << 20)),
            "downloading m.bin: 1.00 MiB of 3.00 MiB"
        );
        assert_eq!(
            sentence(Step::Pieces, "fetching crates", 0, None),
            "fetching crates"
        );
    }
}
