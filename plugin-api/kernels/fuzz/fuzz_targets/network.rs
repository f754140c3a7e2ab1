//! Any bytes are a network that is computed as the reference does on every instruction set, or has layers that are
//! refused by name; slices of a wrong length are refused.
#![no_main]
#![allow(clippy::unwrap_used, reason = "a target fails by panicking")]

#[path = "../../tests/common/mod.rs"]
mod common;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| common::random_runs::check_random_network(bytes));
