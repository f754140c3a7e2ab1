//! What a plugin's process may reach: as little as it needs.
//!
//! The sandbox is made of layers, each of which the kernel has or has not; [`enter`] puts them in place in this process,
//! and cannot be undone. `confinement` says what stays allowed, `files`, `system_calls` and `limits` are the layers.

#[cfg(target_os = "linux")]
mod confinement;
#[cfg(target_os = "linux")]
mod enter;
#[cfg(not(target_os = "linux"))]
#[path = "unsupported.rs"]
mod enter;
#[cfg(target_os = "linux")]
mod files;
mod layers;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod system_calls;

#[cfg(target_os = "linux")]
pub(crate) use confinement::Confinement;
#[cfg(target_os = "linux")]
pub(crate) use enter::enter;
pub use enter::sandbox_support;
pub use layers::{SandboxLayer, SandboxReport};
