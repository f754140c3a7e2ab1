//! Sources of models.

use super::user_zoo;
use crate::{error::Error, plan::Plan as _};

/// The registered sources, as they were spelt, sorted.
///
/// # Errors
/// When the register cannot be read.
pub fn list_zoo_model_sources() -> Result<Vec<String>, Error> {
    let sources = user_zoo()?.registered_sources()?;
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
    zoo.plan_register(&zoo.parse_reference(source)?, overwrite)?
        .execute()?;
    Ok(())
}

/// Forgets a source and deletes the weights of its models.
///
/// # Errors
/// When it is not registered.
pub fn delete_zoo_model_source(source: &str) -> Result<(), Error> {
    let zoo = user_zoo()?;
    zoo.plan_forget(&zoo.parse_reference(source)?, true)?.execute()?;
    Ok(())
}
