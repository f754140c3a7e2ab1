//! The transform of the weights, in `f64`, once for each network.

use super::{
    matrices::weight_matrix,
    tiles::{PLANES, WINDOW},
};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// Transforms weights `[out][in][3][3]`, each multiplied with its output channel's `scale`, into `planes`, which
/// are `[output blocks][36][in][16]` and zero.
pub(crate) fn transform_weights(
    isa: Isa,
    weights: &[f32],
    inputs: usize,
    scale: impl Fn(usize) -> f64,
    planes: &mut [f32],
) {
    let outputs = weights.len() / (inputs * 9);
    assert_eq!(planes.len(), PLANES * outputs.next_multiple_of(LANES) * inputs);
    let scales: Vec<f64> = (0..outputs).map(scale).collect();
    isa.run(Transform {
        weights,
        inputs,
        scales: &scales,
        planes,
    });
}

struct Transform<'a> {
    weights: &'a [f32],
    inputs: usize,
    scales: &'a [f64],
    planes: &'a mut [f32],
}

impl Kernel for Transform<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let matrix = weight_matrix();
        let plane = self.inputs * LANES;
        for (block, scales) in self.scales.chunks(LANES).enumerate() {
            for input in 0..self.inputs {
                // 16 output channels at a time, in loops over arrays that the compiler vectorises.
                let mut kernel = [[0.0f64; LANES]; 9];
                for (lane, scale) in scales.iter().enumerate() {
                    let at = ((block * LANES + lane) * self.inputs + input) * 9;
                    for (tap, value) in self.weights[at..at + 9].iter().enumerate() {
                        kernel[tap][lane] = f64::from(*value) * scale;
                    }
                }
                let mut half = [[[0.0f64; LANES]; 3]; WINDOW];
                for (half, row) in half.iter_mut().zip(&matrix) {
                    for (column, half) in half.iter_mut().enumerate() {
                        for lane in 0..LANES {
                            half[lane] = row[0] * kernel[column][lane]
                                + row[1] * kernel[3 + column][lane]
                                + row[2] * kernel[6 + column][lane];
                        }
                    }
                }
                let at = block * PLANES * plane + input * LANES;
                for (i, half) in half.iter().enumerate() {
                    for (j, row) in matrix.iter().enumerate() {
                        let start = (i * WINDOW + j) * plane + at;
                        let target = &mut self.planes[start..start + LANES];
                        for (lane, value) in target.iter_mut().enumerate() {
                            *value = (row[0] * half[0][lane]
                                + row[1] * half[1][lane]
                                + row[2] * half[2][lane]) as f32;
                        }
                    }
                }
            }
        }
    }
}
