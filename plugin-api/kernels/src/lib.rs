//! CPU kernels and network plans in plain Rust, over slices of `f32`.
//!
//! An author describes a network with [`graph::GraphBuilder`]; [`plan::Plan`] compiles it for the shapes of its
//! inputs and runs it; [`mod@reference`] defines what each operator computes.
//!
//! ```
//! use modelzoo_kernels::graph::{Activation, Convolution, GraphBuilder, Shape, Weight};
//! use modelzoo_kernels::plan::{Plan, PlanOptions};
//!
//! let mut network = GraphBuilder::new();
//! let image = network.input("image", Shape::map(3, 32, 32))?;
//! let weight = Weight::new([8, 3, 3, 3], vec![0.1; 8 * 3 * 9]);
//! let x = network.conv2d("conv", image, Convolution::new(weight, None).padding(1))?;
//! let x = network.activation("relu", x, Activation::Relu)?;
//! network.output(x)?;
//! let plan = Plan::compile(&network.build()?, &PlanOptions::default())?;
//!
//! let images = vec![0.5; 2 * 3 * 32 * 32];
//! let mut maps = vec![0.0; 2 * 8 * 32 * 32];
//! plan.run(&[&images], &mut [&mut maps], 2)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From the bottom up: `simd` has vectors of 16 values on each instruction set and the choice among the sets,
//! `memory` the blocked layout in which kernels read and write, `kernels` the computations, and [`plan`] what
//! makes a network of them. [`graph`] knows none of these.
//!
//! What a kernel relies on is checked once, into types with private fields that are its only input; what no check can
//! show, that two threads do not write one place, is the contract of `unsafe` functions. `tests/boundary.rs` shows that
//! safe code, also of this crate, cannot go around them.
//!
//! Tests compare every operator with the reference, on random shapes and on each instruction set of the machine.
//! `cargo +nightly miri test -p modelzoo-kernels` with `MIRIFLAGS=-Zmiri-disable-isolation` looks for undefined
//! behaviour in the portable kernels and in what threads share, which takes some minutes (`rustup component add miri
//! rust-src --toolchain nightly`), and `fuzz/` makes networks and slices of any bytes. Without an ARM machine,
//! `cargo test --target aarch64-unknown-linux-gnu -p modelzoo-kernels` tests the NEON kernels in qemu, where
//! `CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER` and `_RUNNER` name `aarch64-linux-gnu-gcc` and
//! `qemu-aarch64 -L /usr/aarch64-linux-gnu`.

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
