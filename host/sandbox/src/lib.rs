//! What processes that run other people's code, or read other people's files, may reach: as little as they need.
//!
//! A [`Confinement`] says what stays allowed to one of three kinds of process ([`Conduct`]). A worker puts it around
//! itself with [`enter`]; another program is started shut in through a [`Guard`]: the running program, started again,
//! which shuts itself in and then becomes the other one. The sandbox is made of layers, each of which the kernel has or
//! has not, and cannot be left again: `files`, `system_calls`, `limits` and `namespaces`.
#![deny(missing_docs)]

mod confinement;
#[cfg(target_os = "linux")]
mod enter;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod guard;
mod layers;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod namespaces;
#[cfg(target_os = "linux")]
mod support;
#[cfg(target_os = "linux")]
mod system_calls;
#[cfg(not(target_os = "linux"))]
mod unsupported;

pub use confinement::{Conduct, Confinement};
pub use layers::{SandboxLayer, SandboxReport};

#[cfg(not(target_os = "linux"))]
pub use unsupported::{Guard, enter, run_guard_if_asked, sandbox_support};
#[cfg(target_os = "linux")]
pub use {
    enter::enter,
    guard::{Guard, run_guard_if_asked},
    support::sandbox_support,
};
