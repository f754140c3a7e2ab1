//! Finding on the user's pictures what bytes stand for, before a model is computed on bytes.

use crate::terminal::{Result, Step, Terminal, count};
use modelzoo::{Input, Model, Precision, ProgressCallback, Task};
use std::sync::Arc;

/// The model as it is to be used: on bytes, where that was asked for and says nearly the same of these pictures. How far it
/// does is told.
pub fn calibrated(model: Model, task: &Task, input: &Input, terminal: &Terminal) -> Result<Model> {
    let bar = Arc::new(terminal.bar(Step::Pictures, "calibrating", None));
    let shown = Arc::clone(&bar);
    let progress = ProgressCallback::new(move |so_far| shown.set(so_far.done + so_far.failed));
    let made = model.calibrated(task, input, Some(&progress));
    bar.clear();
    let made = made?;
    let is_new = made.is_some();
    let model = made.unwrap_or(model);
    if let Some(calibration) = &model.provenance().calibration {
        let when = if is_new { "of these" } else { "before" };
        terminal.say(format!(
            "{}, calibrated on {} {when}, beside {}: {}",
            Precision::Int8,
            count(calibration.pictures, "picture"),
            Precision::F32,
            calibration.agreement,
        ));
    }
    model.warn_of_precision();
    if model.refused().is_some() {
        terminal.hint("`--precision bf16` is nearer");
    }
    Ok(model)
}
