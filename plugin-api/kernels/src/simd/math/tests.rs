use super::*;
use crate::graph::{GraphBuilder, Shape};
use crate::reference;
use crate::simd::{Isa, Kernel, LANES};

const ACTIVATIONS: [Activation; 10] = [
    Activation::Relu,
    Activation::Relu6,
    Activation::LeakyRelu(0.1),
    Activation::Silu,
    Activation::HardSwish,
    Activation::HardSigmoid,
    Activation::Sigmoid,
    Activation::Gelu,
    Activation::QuickGelu,
    Activation::Tanh,
];

/// Of so many samples one is taken: Miri is slow.
const STEP: usize = if cfg!(miri) { 100 } else { 1 };

struct Apply<'a> {
    activation: Option<Activation>,
    values: &'a mut [f32],
}

impl Kernel for Apply<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for chunk in self.values.as_chunks_mut::<LANES>().0 {
            let x = simd.load(chunk);
            let y = match self.activation {
                Some(activation) => activate(simd, activation, x),
                None => exp(simd, x),
            };
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
    for activation in ACTIVATIONS {
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
                activation: Some(activation),
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

#[test]
fn the_exponential_is_within_two_units_of_the_last_place() {
    let values: Vec<f32> = (0..16000)
        .step_by(STEP)
        .map(|step| step as f32 / 16000.0 * 174.0 - 86.9)
        .collect();
    for isa in Isa::detected() {
        let mut found = values.clone();
        isa.run(Apply {
            activation: None,
            values: &mut found,
        });
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
