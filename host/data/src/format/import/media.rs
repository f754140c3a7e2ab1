//! Pictures and videos without labels.

use super::{FormatError, ImportReport, Place, Sink};
use crate::{
    input::{Inputs, MediaKind},
    record::{SampleRecord, path_to_text},
};
use modelzoo_plugin_api::MediaType;
use std::path::Path;

/// Gives a sample without labels for each picture and video among the inputs (folders, globs, files, list files), under
/// its absolute path. Folders and lines of lists that cannot be read are reported. Returns how many samples there are.
///
/// # Errors
/// When an input leads to no file.
pub fn import_media(
    inputs: &[impl AsRef<Path>],
    report: &mut ImportReport,
    sink: Sink<'_>,
) -> Result<u64, FormatError> {
    let inputs = Inputs::resolve(inputs, &MediaKind::ALL)?;
    let mut count = 0;
    for file in inputs.iter() {
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                report.lose(error.into())?;
                continue;
            }
        };
        let path = std::path::absolute(&file.path).map_err(|source| FormatError::read(&file.path, source))?;
        if path.to_str().is_none() {
            report.note(
                "names are no UTF-8 text: `file:` URLs stand for them",
                path.display(),
            );
        }
        let record = SampleRecord {
            filepath: path_to_text(&path),
            media_type: match file.kind {
                MediaKind::Image => MediaType::Image,
                MediaKind::Video => MediaType::Video,
            },
            ..SampleRecord::default()
        };
        sink(record, &Place::new(&path, ""), report)?;
        count += 1;
    }
    for line in inputs.passed_over() {
        report.say(line);
    }
    Ok(count)
}
