//! A field of a dataset has labels of one type.

use super::{FormatError, ImportReport, Place};
use crate::{
    dataset::Dataset,
    record::{SampleRecord, field_name_problem, label_type},
};
use modelzoo_plugin_api::label::Label;
use std::collections::{BTreeMap, btree_map::Entry};

/// The types of fields, by whether they are of frames, and by name.
#[derive(Debug, Default)]
pub(super) struct FieldTypes([BTreeMap<String, String>; 2]);

impl FieldTypes {
    /// Those that a dataset has already.
    pub fn of(dataset: &Dataset) -> Result<Self, FormatError> {
        let mut types = Self::default();
        for field in dataset.fields()? {
            types.0[usize::from(field.of_frames)].insert(field.name, field.label_type);
        }
        Ok(types)
    }

    /// Takes labels out of a sample that the dataset cannot have, and reports them.
    pub fn check(
        &mut self,
        record: &mut SampleRecord,
        place: &Place<'_>,
        report: &mut ImportReport,
    ) -> Result<(), FormatError> {
        let [of_samples, of_frames] = &mut self.0;
        check(of_samples, &mut record.labels.sample, place, report)?;
        for labels in record.labels.frames.values_mut() {
            check(of_frames, labels, place, report)?;
        }
        Ok(())
    }
}

fn check(
    types: &mut BTreeMap<String, String>,
    labels: &mut BTreeMap<String, Label>,
    place: &Place<'_>,
    report: &mut ImportReport,
) -> Result<(), FormatError> {
    let mut problems = Vec::new();
    labels.retain(|name, label| {
        let problem = problem(types, name, label);
        let is_clear = problem.is_none();
        problems.extend(problem);
        is_clear
    });
    problems
        .into_iter()
        .try_for_each(|problem| report.lose(place.error(problem)))
}

/// Why a field cannot have the label, if it cannot.
fn problem(types: &mut BTreeMap<String, String>, name: &str, label: &Label) -> Option<String> {
    if let Some(problem) = field_name_problem(name) {
        return Some(problem);
    }
    let found = label_type(label)?;
    match types.entry(name.to_owned()) {
        Entry::Vacant(place) => {
            place.insert(found.to_owned());
            None
        }
        Entry::Occupied(known) if known.get() == found => None,
        Entry::Occupied(known) => Some(format!(
            "field `{name}` holds labels of type {}, and this one is a {found}",
            known.get()
        )),
    }
}
