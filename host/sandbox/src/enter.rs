//! Putting the layers in place.

use super::{Confinement, SandboxLayer, SandboxReport, files, limits, system_calls};
use modelzoo_base::Sandbox;
use std::error::Error;

/// Shuts this process in, which must have no other threads yet. It cannot be undone.
///
/// What a kernel does not have is left out; the report tells what is in force.
pub fn enter(confinement: &Confinement) -> SandboxReport {
    if confinement.sandbox == Sandbox::Off {
        return SandboxReport::default();
    }
    let mut in_force = Vec::new();
    match limits::restrict(confinement) {
        Ok(()) => in_force.push(SandboxLayer::Limits),
        Err(error) => tell(SandboxLayer::Limits, &error),
    }
    restrict_thread(confinement, &mut in_force);
    SandboxReport::of(in_force)
}

/// Puts the layers in place that are a thread's.
pub(super) fn restrict_thread(confinement: &Confinement, in_force: &mut Vec<SandboxLayer>) {
    match files::restrict(confinement) {
        Ok(layers) => in_force.extend(layers),
        Err(error) => tell(SandboxLayer::Files, &error),
    }
    match system_calls::restrict(confinement.conduct) {
        Ok(()) => in_force.push(SandboxLayer::SystemCalls),
        Err(error) => tell(SandboxLayer::SystemCalls, &error),
    }
}

/// The standard error of a process that is shut in ends in its host's log.
pub(super) fn tell(layer: SandboxLayer, error: &dyn Error) {
    eprintln!("the sandbox cannot limit {layer}: {error}");
}
