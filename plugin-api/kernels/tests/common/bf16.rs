//! What tests of bf16 have in common.

use modelzoo_kernels::{
    Isa,
    plan::{PlanOptions, Precision},
};

/// A result that two sets round to neighbours is off by a step of 8 binary digits.
pub const STEP: f64 = 1.0 / 128.0;

/// For plans of bf16.
pub fn options(isa: Isa, threads: usize) -> PlanOptions {
    PlanOptions {
        threads,
        isa: Some(isa),
        precision: Precision::Bf16,
        ..PlanOptions::default()
    }
}

/// The nearest number with 8 binary digits, of two the even one; by arithmetic, not by bits.
pub fn rounded(value: f32) -> f32 {
    if value == 0.0 {
        return value;
    }
    let exponent = f64::from(value.abs()).log2().floor();
    let unit = (exponent - 7.0).exp2();
    ((f64::from(value) / unit).round_ties_even() * unit) as f32
}

/// The same for all of them.
pub fn all_rounded(values: &[f32]) -> Vec<f32> {
    values.iter().copied().map(rounded).collect()
}
