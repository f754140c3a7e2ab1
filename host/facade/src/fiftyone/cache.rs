//! Loaded models, as long as somebody uses them.

use crate::{error::Error, model::Model};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak},
};

type Models = HashMap<String, Weak<Model>>;

/// The model under `key`, if somebody still uses it; else the one that `load` gives.
///
/// Two that ask for the same at the same moment may both load it; the later one is kept.
pub(super) fn loaded(key: String, load: impl FnOnce() -> Result<Model, Error>) -> Result<Arc<Model>, Error> {
    if let Some(known) = models().get(&key).and_then(Weak::upgrade) {
        return Ok(known);
    }
    let model = Arc::new(load()?);
    let mut models = models();
    models.retain(|_, model| model.strong_count() > 0);
    models.insert(key, Arc::downgrade(&model));
    Ok(model)
}

fn models() -> MutexGuard<'static, Models> {
    static MODELS: LazyLock<Mutex<Models>> = LazyLock::new(Mutex::default);
    // Single insertions and removals leave the map whole, whatever panics.
    MODELS.lock().unwrap_or_else(PoisonError::into_inner)
}
