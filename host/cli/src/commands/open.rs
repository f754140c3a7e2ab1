//! The zoo as the user configured it.

use crate::{
    arguments::{DryRunArgument, Global, ModelChoice},
    terminal::{PreparationProgress, Result, Terminal},
};
use modelzoo::{ModelRef, Network, Zoo, ZooBuilder};

/// The zoo that the user's configuration and the global options describe.
pub fn open(global: &Global, terminal: &Terminal) -> Result<Zoo> {
    let network = if global.offline {
        Network::Offline
    } else {
        Network::Online
    };
    with_network(network, global, terminal)
}

/// The same for a plan that may be only told: then the network is not used.
pub fn open_to_plan(dry_run: DryRunArgument, global: &Global, terminal: &Terminal) -> Result<Zoo> {
    if dry_run.dry_run && !global.offline {
        return with_network(Network::Deferred, global, terminal);
    }
    open(global, terminal)
}

fn with_network(network: Network, global: &Global, terminal: &Terminal) -> Result<Zoo> {
    let mut builder = ZooBuilder::of_user()?
        .network(network)
        .locked(global.locked)
        .observer(PreparationProgress::new(terminal))
        .consent(terminal.clone());
    if let Some(file) = global.lock() {
        builder = builder.lock_file(file);
    }
    Ok(builder.build()?)
}

/// The model that the user named.
pub fn named(choice: &ModelChoice, zoo: &Zoo) -> Result<ModelRef> {
    Ok(zoo.parse_model(&choice.model, choice.name.as_deref())?)
}
