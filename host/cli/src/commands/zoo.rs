//! The zoo as the user configured it.

use crate::{
    arguments::Global,
    terminal::{Terminal, ZooProgress},
};
use modelzoo::{Zoo, ZooSettings};
use std::sync::Arc;

/// The zoo that the user's configuration and the global options describe.
pub fn open(global: &Global, terminal: &Terminal) -> anyhow::Result<Zoo> {
    let mut settings = ZooSettings::of_user()?;
    settings.offline = global.offline;
    settings.locked = global.locked;
    settings.lock_place.file.clone_from(&global.lock);
    settings.observer = Arc::new(ZooProgress::new(terminal));
    settings.consent = Arc::new(terminal.clone());
    Ok(Zoo::new(settings)?)
}

/// The same without network, for saying what would be done.
pub fn open_offline(global: &Global, terminal: &Terminal) -> anyhow::Result<Zoo> {
    let offline = Global {
        offline: true,
        ..global.clone()
    };
    open(&offline, terminal)
}
