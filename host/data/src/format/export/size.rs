//! The size of a sample's picture, in pixels.

use super::{FormatError, SampleRecord};
use crate::media::Decoder;

/// Takes it from what is known of the sample, or else from its file.
///
/// # Errors
/// When neither says.
pub(super) fn picture_size(record: &SampleRecord) -> Result<(u32, u32), FormatError> {
    if let Some(metadata) = &record.metadata
        && metadata.size() != (0, 0)
    {
        return Ok(metadata.size());
    }
    match Decoder::default().read_metadata(record.path()) {
        Ok(metadata) => Ok((metadata.width, metadata.height)),
        Err(error) => Err(FormatError::content(
            error.path.as_ref(),
            "",
            format!("the picture's size is needed, and {}", error.reason),
        )),
    }
}
