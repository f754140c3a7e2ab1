//! The transform of the weights, in `f64`, once for each network.

use super::{
    matrices::weight_matrix,
    tiles::{PLANES, WINDOW},
};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// Values of a block of output channels with so many inputs.
pub(crate) fn block_length(inputs: usize) -> usize {
    PLANES * inputs * LANES
}

/// Transforms the weights `[out][in][3][3]` of a block of 16 output channels, each multiplied with its output channel's
/// `scale`, into `planes`, which are `[36][in][16]` and zero.
pub(crate) fn transform_weights(
    isa: Isa,
    weights: &[f32],
    inputs: usize,
    (block, scale): (usize, impl Fn(usize) -> f64),
    planes: &mut [f32],
) {
    let outputs = weights.len() / (inputs * 9);
    assert_eq!(planes.len(), block_length(inputs));
    let channels = block * LANES..outputs.min((block + 1) * LANES);
    isa.run(Transform {
        weights: &weights[channels.start * inputs * 9..channels.end * inputs * 9],
        inputs,
        scales: &channels.map(scale).collect::<Vec<f64>>(),
        planes,
    });
}

/// The weights of a block of output channels, a scale for each of them.
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
        for input in 0..self.inputs {
            // 16 output channels at a time, in loops over arrays that the compiler vectorises.
            let mut kernel = [[0.0f64; LANES]; 9];
            for (lane, scale) in self.scales.iter().enumerate() {
                let at = (lane * self.inputs + input) * 9;
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
            for (i, half) in half.iter().enumerate() {
                for (j, row) in matrix.iter().enumerate() {
                    let start = (i * WINDOW + j) * plane + input * LANES;
                    let target = &mut self.planes[start..start + LANES];
                    for (lane, value) in target.iter_mut().enumerate() {
                        *value =
                            (row[0] * half[0][lane] + row[1] * half[1][lane] + row[2] * half[2][lane]) as f32;
                    }
                }
            }
        }
    }
}
