//! Why does it not work here?

pub use modelzoo_sources::doctor::{Check, Verdict};

use crate::error::ZooError;
use modelzoo_runtime::sandbox_support;
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
    let mut checks = doctor::examine(&ThisMachine, config.as_ref(), &store, &data);
    checks.push(sandbox());
    Ok(checks)
}

/// Which layers of the sandbox this system has.
fn sandbox() -> Check {
    let support = sandbox_support();
    let missing: Vec<&str> = support.missing().into_iter().map(|layer| layer.name()).collect();
    let (verdict, remedy) = if missing.is_empty() {
        (Verdict::Good, None)
    } else {
        let remedy = format!(
            "plugins are not limited in: {}; Linux 6.12 or later with Landlock and seccomp has all of it",
            missing.join(", ")
        );
        (Verdict::Warning, Some(remedy))
    };
    Check {
        name: "sandbox".into(),
        verdict,
        detail: format!("plugins are limited in: {support}"),
        remedy,
    }
}
