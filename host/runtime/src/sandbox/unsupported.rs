//! Systems for which there is no sandbox.

use super::SandboxReport;

/// The layers that this system can put around plugins: none.
pub fn sandbox_support() -> SandboxReport {
    SandboxReport::default()
}
