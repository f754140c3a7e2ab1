//! What models need of a machine.

use super::user_zoo_with;
use crate::{error::Error, settings::LoadSettings};

/// What a requirement that this machine does not meet is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ErrorLevel {
    /// An error.
    #[default]
    Raise = 0,
    /// A warning in the log.
    Warn = 1,
    /// Nothing: it is not looked for.
    Ignore = 2,
}

/// Makes sure that this machine has what a model needs: the API version, the target, features, system libraries and
/// GPU that its manifest names. `level` decides what is missing means; `None` asks the configuration
/// (`requirement_error_level`).
///
/// # Errors
/// When there is no such model, or something is missing.
pub fn ensure_zoo_model_requirements(name: &str, level: Option<ErrorLevel>) -> Result<(), Error> {
    let zoo = user_zoo_with(level)?;
    let model = zoo.find(&zoo.parse_model(name, None)?)?;
    zoo.require_requirements(&model, &LoadSettings::default())?;
    Ok(())
}

/// Installs what a model needs and can be installed: fetches the crates of its plugin and compiles them. System
/// libraries are checked, as [`ensure_zoo_model_requirements`] does; installing them is the system's affair.
///
/// # Errors
/// When there is no such model, something is missing, its source is not trusted, or it does not compile.
pub fn install_zoo_model_requirements(name: &str, level: Option<ErrorLevel>) -> Result<(), Error> {
    let zoo = user_zoo_with(level)?;
    zoo.build(&zoo.parse_model(name, None)?, &LoadSettings::default())?;
    Ok(())
}
