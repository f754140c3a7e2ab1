//! What this system has.

use super::{Conduct, Confinement, Guard, SandboxLayer, SandboxReport, enter::restrict_thread};
use modelzoo_base::Sandbox;
use std::thread;

/// The layers that this system can put around a process of this kind.
pub fn sandbox_support(conduct: Conduct) -> SandboxReport {
    let confinement = Confinement::new(Sandbox::Auto, conduct);
    if let Some(report) = Guard::of_this_program().and_then(|guard| guard.report(&confinement).ok()) {
        return report;
    }
    // Only the thread that tries is shut in, and ends. Namespaces are for whole processes.
    let attempt = thread::spawn(move || {
        let mut in_force = vec![SandboxLayer::Limits];
        restrict_thread(&confinement, &mut in_force);
        SandboxReport::of(in_force)
    });
    attempt.join().unwrap_or_default()
}
