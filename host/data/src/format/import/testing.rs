//! What the tests of importers share.

use super::{FormatError, ImportReport, Sink};
use serde_json::Value;

/// The records that a lenient import gives, and how much it leaves out.
pub(super) fn collect(
    import: impl FnOnce(&mut ImportReport, Sink<'_>) -> Result<u64, FormatError>,
) -> (Vec<Value>, u64) {
    let (mut records, mut report) = (Vec::new(), ImportReport::lenient());
    import(&mut report, &mut |record, _, _| {
        records.push(serde_json::to_value(record).expect("a record is JSON"));
        Ok(())
    })
    .expect("it can be imported");
    (records, report.finish().0.count())
}
