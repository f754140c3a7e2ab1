//! Why does it not work here?

pub use modelzoo_sources::doctor::{Check, Verdict};

use crate::error::ZooError;
use modelzoo_sources::{
    config::Config,
    doctor::{self, ThisMachine},
    store::Store,
};

/// Looks at everything that the user's zoo needs from this machine, in the order in which it should be repaired: his
/// configuration and store, the tools, the network.
///
/// # Errors
/// When the user has no folder for a store.
pub fn examine() -> Result<Vec<Check>, ZooError> {
    let config = Config::load();
    let (store, data) = (Store::default_root()?, Store::default_data_dir()?);
    Ok(doctor::examine(&ThisMachine, config.as_ref(), &store, &data))
}
