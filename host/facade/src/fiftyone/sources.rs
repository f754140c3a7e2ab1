//! Sources of models.

use super::user_zoo;
use crate::Error;

/// The registered sources, as they were spelt, sorted.
///
/// # Errors
/// When the register cannot be read.
pub fn list_zoo_model_sources() -> Result<Vec<String>, Error> {
    let sources = user_zoo()?
        .registry()
        .sources()
        .map_err(crate::zoo::ZooError::from)?;
    let mut spellings: Vec<String> = sources
        .iter()
        .map(|source| source.reference.to_string())
        .collect();
    spellings.sort();
    Ok(spellings)
}

/// Registers a source: from now on its models are known by name. None of its code runs, and no weights are downloaded.
/// A source that is registered already is left as it is, unless `overwrite`; then it is looked up anew.
///
/// # Errors
/// When the source cannot be had, or has no manifest.
pub fn register_zoo_model_source(source: &str, overwrite: bool) -> Result<(), Error> {
    let zoo = user_zoo()?;
    zoo.register_source(&zoo.parse_reference(source)?, overwrite)?;
    Ok(())
}

/// Forgets a source and deletes the weights of its models.
///
/// # Errors
/// When it is not registered.
pub fn delete_zoo_model_source(source: &str) -> Result<(), Error> {
    let zoo = user_zoo()?;
    zoo.forget_source(&zoo.parse_reference(source)?, true)?;
    Ok(())
}
