//! Files of weights, whatever model they are of.

use crate::Error;
use modelzoo_base::file::AtomicFile;
use modelzoo_data::{format::FormatError, output::OutputError};
use modelzoo_runtime::CallError;
use std::{io::Write as _, path::Path};

pub use modelzoo_vision::Converted;

/// Writes the tensors of `from`, a file of PyTorch's (also of the time before 1.6), of NumPy's or a safetensors file, to the safetensors
/// file `to`: in single precision, or where `is_half`, in half. Nothing of a pickle is run.
///
/// # Errors
/// When `from` is no intact file of tensors of floating-point numbers, or `to` cannot be written.
pub fn convert(from: impl AsRef<Path>, to: impl AsRef<Path>, is_half: bool) -> Result<Converted, Error> {
    let to = to.as_ref();
    let converted = modelzoo_vision::convert(from.as_ref(), is_half)
        .map_err(|error| Error::Model(CallError::Plugin(error)))?;
    let mut file = AtomicFile::create(to).map_err(FormatError::from)?;
    file.write_all(&converted.bytes)
        .map_err(|error| FormatError::from(OutputError::new(to, error)))?;
    file.commit().map_err(FormatError::from)?;
    Ok(converted)
}
