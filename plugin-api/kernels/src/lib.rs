//! CPU kernels and network plans in plain Rust.
