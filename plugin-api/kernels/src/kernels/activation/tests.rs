use super::*;
use crate::{
    graph::{GraphBuilder, Shape},
    reference,
    simd::{Isa, Kernel, LANES},
};

/// Of so many samples one is taken: Miri is slow.
const STEP: usize = if cfg!(miri) { 100 } else { 1 };

struct Apply<'a> {
    activation: Activation,
    values: &'a mut [f32],
}

impl Kernel for Apply<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for chunk in self.values.as_chunks_mut::<LANES>().0 {
            let y = activate(simd, self.activation, simd.load(chunk));
            simd.store(chunk, y);
        }
    }
}

/// -30..30 in small steps, and the ends of what a float can be.
fn samples() -> Vec<f32> {
    let mut values: Vec<f32> = (-3000..3000)
        .step_by(STEP)
        .map(|step| step as f32 / 100.0 + 0.003)
        .collect();
    values.extend([0.0, -0.0, 1e-30, -1e-30, 88.0, -88.0, 1e6, -1e6]);
    values.resize(values.len().next_multiple_of(LANES), 0.5);
    values
}

#[test]
fn activations_agree_with_their_definition() {
    let values = samples();
    for activation in Activation::ALL {
        let mut network = GraphBuilder::new();
        let x = network.input("x", Shape::vector(values.len())).unwrap();
        let y = network.activation("y", x, activation).unwrap();
        network.output(y).unwrap();
        let expected = reference::run(&network.build().unwrap(), &[&values], 1)
            .unwrap()
            .remove(0);
        for isa in Isa::detected() {
            let mut found = values.clone();
            isa.run(Apply {
                activation,
                values: &mut found,
            });
            for ((&x, &found), &expected) in values.iter().zip(&found).zip(&expected) {
                let bound = 4e-7 * f64::from(x).abs().max(1.0);
                let error = (f64::from(found) - expected).abs();
                assert!(
                    error <= bound,
                    "{} {activation:?}({x}) is {found}, not {expected}",
                    isa.name()
                );
            }
        }
    }
}
