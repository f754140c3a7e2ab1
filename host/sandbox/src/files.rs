//! Which files can be opened, and to whom signals can be sent: Landlock.

use super::{Confinement, SandboxLayer};
use landlock::{
    ABI, Access as _, AccessFs, LandlockStatus, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

/// The newest version of Landlock whose rights are known to fit; a kernel with an older one keeps those that it has.
const KNOWN: ABI = ABI::V6;

/// Restricts this thread and those that it starts. Gives the layers that are in force then.
pub(super) fn restrict(confinement: &Confinement) -> Result<Vec<SandboxLayer>, RulesetError> {
    // Running programs is among none but the last.
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = AccessFs::from_all(KNOWN) & !AccessFs::Execute;
    let execute = read | AccessFs::Execute;
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?
        .add_rules(path_beneath_rules(&confinement.reads, read))?
        .add_rules(path_beneath_rules(&confinement.writes, write))?
        .add_rules(path_beneath_rules(&confinement.executes, execute))?
        .restrict_self()?;
    let abi = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi,
        _ => ABI::Unsupported,
    };
    let mut layers = Vec::new();
    if status.ruleset != RulesetStatus::NotEnforced {
        layers.push(SandboxLayer::Files);
        if abi >= ABI::V6 {
            layers.push(SandboxLayer::Signals);
        }
    }
    Ok(layers)
}
