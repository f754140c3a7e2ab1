//! What the user asked to leave out.

use modelzoo_plugin_api::{Error, PredictOptions, Result};

/// Whether a score reaches the threshold. The comparison is made in single precision, as numpy makes it: 0.9f32 passes
/// a threshold of 0.9. A score that is no number passes none.
pub(crate) fn is_sure(score: f32, options: &PredictOptions) -> bool {
    options
        .confidence_threshold
        .is_none_or(|threshold| score >= threshold as f32)
}

/// Whether a class is among those asked for.
pub(crate) fn is_wanted(class: &str, options: &PredictOptions) -> bool {
    options
        .classes
        .as_ref()
        .is_none_or(|wanted| wanted.iter().any(|name| name == class))
}

/// The name of a class that the network found.
///
/// # Errors
/// When it has none.
pub(crate) fn name_of(class: usize, classes: &[impl AsRef<str>]) -> Result<&str> {
    classes.get(class).map(AsRef::as_ref).ok_or_else(|| {
        Error::new(format!(
            "the network found class {class}, but there are names for {} only",
            classes.len()
        ))
    })
}
