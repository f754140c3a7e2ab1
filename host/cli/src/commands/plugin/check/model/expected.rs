//! Answers that are expected, out of a file that an earlier run has written.

use super::compare::difference;
use crate::{
    commands::{
        abilities::predicts,
        plugin::check::{Report, rules},
    },
    terminal::{Failure, Result, count},
};
use modelzoo::{ApplyOptions, EmbedOptions, Input, LabeledItem, Model, Task, dataset::Existing};
use std::path::Path;

/// So many differences are told.
const TOLD: usize = 3;

/// Asks the model about the pictures that the file names, and compares.
pub(super) fn check(model: &Model, file: &Path, report: &mut Report) {
    let rule = &rules::EXPECTED;
    let Some(Comparison {
        compared,
        differences,
    }) = report.value(rule, compare(model, file))
    else {
        return;
    };
    let answers = count(compared, "answer");
    if compared == 0 {
        let detail = format!("{} has no answers of this model", file.display());
        report.bad(rule, detail);
    } else if differences.is_empty() {
        report.good(rule, format!("{answers} as in {}", file.display()));
    } else {
        let told = differences.iter().take(TOLD).cloned().collect::<Vec<_>>();
        let detail = format!("{} of {answers} differ: {}", differences.len(), told.join("; "));
        report.bad(rule, detail);
    }
}

#[derive(Default)]
struct Comparison {
    compared: u64,
    differences: Vec<String>,
}

fn compare(model: &Model, file: &Path) -> Result<Comparison> {
    let mut comparison = Comparison::default();
    let info = model.info();
    let apply = predicts(info).then(|| Task::Apply(ApplyOptions::default()));
    let embed = info.has_embeddings.then(|| Task::Embed(EmbedOptions::default()));
    for task in [apply, embed].into_iter().flatten() {
        let mut input = Input::resolve_labeled(file)?;
        if let Some(loss) = input.losses().named().first() {
            return Err(Failure::new(loss));
        }
        model.run(&task, &mut input, Existing::Resume, |item| {
            comparison.add(&item, &task.run_name());
        })?;
    }
    Ok(comparison)
}

impl Comparison {
    /// Compares what the model gave for a field with what was there; of several labels, the field's name is the beginning of
    /// each of theirs.
    fn add(&mut self, item: &LabeledItem, field: &str) {
        let expected = item.record.labels.sample.iter();
        for (name, expected) in expected.filter(|(name, _)| name.starts_with(field)) {
            self.compared += 1;
            let found = match (item.error(), item.fields.sample.get(name)) {
                (Some(error), _) => Some(error),
                (None, None) => Some("there is none".to_owned()),
                (None, Some(given)) => difference(expected, given),
            };
            let differs = found.map(|found| format!("{}: {name}: {found}", item.record.filepath));
            self.differences.extend(differs);
        }
    }
}
