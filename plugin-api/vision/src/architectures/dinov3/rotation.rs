//! How queries and keys are rotated.

use modelzoo_candle::network::Rotation;
use modelzoo_kernels::graph::Weight;
use std::f64::consts::TAU;

/// The heads of an attention, and what their rotations go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heads {
    pub(super) count: usize,
    /// Features of each, a multiple of 4.
    pub(super) features: usize,
    /// The wavelengths of the rotations are powers of it.
    pub(super) base: f64,
}

impl Heads {
    /// The rotations of all tokens: those before the patches' are not rotated. A quarter of a head's features goes with the
    /// row, the next one with the column, both again for the other half; rows and columns are from -1 to 1.
    pub(super) fn rotation(self, before: usize, [rows, columns]: [usize; 2]) -> Rotation {
        let head = self.features;
        let mut cosines = vec![1.0; before * head];
        let mut sines = vec![0.0; before * head];
        let place = |index: usize, count: usize| 2.0 * (index as f64 + 0.5) / count as f64 - 1.0;
        let quarter = head / 4;
        for row in 0..rows {
            for column in 0..columns {
                for feature in 0..head {
                    let half = feature % (head / 2);
                    let place = if half < quarter {
                        place(row, rows)
                    } else {
                        place(column, columns)
                    };
                    let exponent = (half % quarter) as f64 * 4.0 / head as f64;
                    let (sine, cosine) = (TAU * place / self.base.powf(exponent)).sin_cos();
                    cosines.push(cosine as f32);
                    sines.push(sine as f32);
                }
            }
        }
        let dims = [before + rows * columns, head];
        Rotation {
            heads: self.count,
            cosines: Weight::new(dims, cosines),
            sines: Weight::new(dims, sines),
        }
    }
}
