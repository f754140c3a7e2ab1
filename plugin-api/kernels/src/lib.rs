//! CPU kernels and network plans in plain Rust, over slices of `f32`.
//!
//! An author describes a network with [`graph::GraphBuilder`]; [`plan::Plan`] compiles it for the shapes of its
//! inputs and runs it; [`mod@reference`] defines what each operator computes.

#![deny(missing_docs)]

mod batch;
pub mod graph;
mod kernels;
mod memory;
pub mod plan;
pub mod reference;
mod simd;

pub use batch::RunError;
pub use simd::Isa;
