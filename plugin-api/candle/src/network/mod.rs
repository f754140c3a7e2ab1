//! Networks: described once in torch's vocabulary, run fast everywhere.
//!
//! [`NetworkBuilder`] describes a network and [`Network`] runs it, a Candle tensor in, Candle tensors out. On a CPU it
//! runs as a plan of `modelzoo-kernels`; on CUDA and Metal, or with the environment variable `MODELZOO_KERNELS=off`,
//! on Candle's own operators. Both compute the same up to rounding.

mod builder;
mod calibration;
mod observer;
mod operators;
mod parameters;
mod plans;
mod run;
#[cfg(test)]
mod tests;

pub use builder::{Conv2d, ConvTranspose2d, NetworkBuilder, Scope};
pub use modelzoo_kernels::{
    graph::{Activation, DeformableAttention, Interpolation, Level, Padding, Pool, Rotation, Value},
    plan::{MemoryUse, Ranges, RangesError},
};
pub use observer::MOST_ERROR;
pub use parameters::{Parameters, RandomParameters};
pub use run::Network;
