use super::*;
use crate::simd::{Isa, Kernel, LANES};

/// Of so many samples one is taken: Miri is slow.
const STEP: usize = if cfg!(miri) { 100 } else { 1 };

struct Exponential<'a>(&'a mut [f32]);

impl Kernel for Exponential<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for chunk in self.0.as_chunks_mut::<LANES>().0 {
            let y = exp(simd, simd.load(chunk));
            simd.store(chunk, y);
        }
    }
}

struct Sine<'a>(&'a mut [f32]);

impl Kernel for Sine<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for chunk in self.0.as_chunks_mut::<LANES>().0 {
            let y = sin(simd, simd.load(chunk));
            simd.store(chunk, y);
        }
    }
}

#[test]
fn the_sine_is_right_for_many_turns() {
    let values: Vec<f32> = (0..16000)
        .step_by(STEP)
        .map(|step| step as f32 / 16000.0 * 8000.0 - 4000.0)
        .collect();
    for isa in Isa::detected() {
        let mut found = values.clone();
        isa.run(Sine(&mut found));
        for (&x, &found) in values.iter().zip(&found) {
            let error = (f64::from(found) - f64::from(x).sin()).abs();
            assert!(error < 2e-7, "{} sin({x}) is {found}", isa.name());
        }
    }
}

#[test]
fn the_exponential_is_within_two_units_of_the_last_place() {
    let values: Vec<f32> = (0..16000)
        .step_by(STEP)
        .map(|step| step as f32 / 16000.0 * 174.0 - 86.9)
        .collect();
    for isa in Isa::detected() {
        let mut found = values.clone();
        isa.run(Exponential(&mut found));
        for (&x, &found) in values.iter().zip(&found) {
            let expected = f64::from(x).exp();
            let relative = (f64::from(found) / expected - 1.0).abs();
            assert!(
                relative < 2.4e-7,
                "{} exp({x}) is {found}, not {expected}",
                isa.name()
            );
        }
    }
}
