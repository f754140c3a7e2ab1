//! Putting the layers in place.

use super::{Confinement, SandboxLayer, SandboxReport, files, limits, system_calls};
use modelzoo_base::Sandbox;
use std::path::Path;

/// Shuts this process in, which must have no other threads yet. It cannot be undone.
///
/// What a kernel does not have is left out; the report tells what is in force.
pub(crate) fn enter(confinement: &Confinement) -> SandboxReport {
    if confinement.sandbox == Sandbox::Off {
        return SandboxReport::default();
    }
    let mut in_force = Vec::new();
    match limits::restrict(confinement) {
        Ok(()) => in_force.push(SandboxLayer::Limits),
        Err(error) => tell(SandboxLayer::Limits, &error),
    }
    restrict_thread(confinement, &mut in_force);
    in_force.sort_unstable();
    SandboxReport { in_force }
}

/// The layers that this system can put around plugins.
pub fn sandbox_support() -> SandboxReport {
    // Only the thread that tries is shut in, and ends.
    let attempt = std::thread::spawn(|| {
        let nowhere = Path::new("/nowhere");
        let confinement = Confinement::new(Sandbox::Auto, None, nowhere, nowhere);
        let mut in_force = vec![SandboxLayer::Limits];
        restrict_thread(&confinement, &mut in_force);
        in_force.sort_unstable();
        in_force
    });
    SandboxReport {
        in_force: attempt.join().unwrap_or_default(),
    }
}

fn restrict_thread(confinement: &Confinement, in_force: &mut Vec<SandboxLayer>) {
    match files::restrict(confinement) {
        Ok(layers) => in_force.extend(layers),
        Err(error) => tell(SandboxLayer::Files, &error),
    }
    match system_calls::restrict() {
        Ok(()) => in_force.push(SandboxLayer::SystemCalls),
        Err(error) => tell(SandboxLayer::SystemCalls, &error),
    }
}

/// A worker's standard error ends in its host's log.
fn tell(layer: SandboxLayer, error: &dyn std::error::Error) {
    eprintln!("the sandbox cannot limit {layer}: {error}");
}
