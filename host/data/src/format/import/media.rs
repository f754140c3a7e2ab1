//! Pictures and videos without labels.

use super::{FormatError, ImportReport, Place, Sink};
use crate::{
    input::{Content, Inputs, MediaKind},
    record::{SampleRecord, path_to_text},
};
use modelzoo_plugin_api::MediaType;
use modelzoo_storage::is_url;
use std::{io, path::Path};

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
        if file.content != Content::AtPath {
            // A dataset leads to its pictures by their paths.
            let problem = "it is in an archive or a table, which a dataset cannot lead back to";
            report.lose(FormatError::read(&file.path, io::Error::other(problem)))?;
            continue;
        }
        if is_url(&file.path) {
            sink(
                record_of(&file.path, file.kind),
                &Place::new(&file.path, ""),
                report,
            )?;
            count += 1;
            continue;
        }
        let path = std::path::absolute(&file.path).map_err(|source| FormatError::read(&file.path, source))?;
        if path.to_str().is_none() {
            report.note(
                "names are no UTF-8 text: `file:` URLs stand for them",
                path.display(),
            );
        }
        sink(record_of(&path, file.kind), &Place::new(&path, ""), report)?;
        count += 1;
    }
    for line in inputs.passed_over() {
        report.say(line);
    }
    Ok(count)
}

fn record_of(path: &Path, kind: MediaKind) -> SampleRecord {
    SampleRecord {
        filepath: path_to_text(path),
        media_type: match kind {
            MediaKind::Image => MediaType::Image,
            MediaKind::Video => MediaType::Video,
        },
        ..SampleRecord::default()
    }
}
