//! A sample in FiftyOne's JSON, as far as it is clear.

use super::{FormatError, ImportReport, Place};
use crate::record::SampleRecord;
use serde_json::Value;

/// Reads a sample; reports parts of it that are left out, or all of it.
pub(super) fn read_sample(
    value: Value,
    place: &Place<'_>,
    report: &mut ImportReport,
) -> Result<Option<SampleRecord>, FormatError> {
    let mut failure = None;
    let record = SampleRecord::from_json_without(value, &mut |problem| {
        report.lose(place.error(&problem)).map_err(|error| {
            // The import ends; what it ends with is kept beside.
            failure = Some(error);
            problem
        })
    });
    match (record, failure) {
        (_, Some(failure)) => Err(failure),
        (Ok(record), None) => Ok(Some(record)),
        (Err(problem), None) => report.lose(place.error(problem)).map(|()| None),
    }
}
