//! Why does it not work here?

pub use modelzoo_sources::doctor::{Check, Verdict};

use crate::error::ZooError;
use modelzoo_runtime::{Conduct, sandbox_support};
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
    checks.push(sandbox("sandbox of plugins", "plugins", Conduct::Computes));
    checks.push(sandbox("sandbox of builds", "builds", Conduct::StartsPrograms));
    Ok(checks)
}

/// Which layers of the sandbox this system has for those that conduct themselves so.
fn sandbox(name: &'static str, who: &str, conduct: Conduct) -> Check {
    let support = sandbox_support(conduct);
    let missing: Vec<&str> = support
        .missing(conduct)
        .into_iter()
        .map(|layer| layer.name())
        .collect();
    let (verdict, remedy) = if missing.is_empty() {
        (Verdict::Good, None)
    } else {
        let remedy = format!(
            "{who} are not limited in: {}; Linux 6.12 or later with Landlock, seccomp and namespaces has all of it",
            missing.join(", ")
        );
        (Verdict::Warning, Some(remedy))
    };
    Check {
        name: name.into(),
        verdict,
        detail: format!("{who} are limited in: {support}"),
        remedy,
    }
}
