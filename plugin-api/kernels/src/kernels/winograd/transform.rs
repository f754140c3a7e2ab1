//! The transforms of inputs and results.

use super::{
    matrices::{A, B},
    tiles::{TILE, WINDOW},
};
use crate::{
    kernels::epilogue::Stages,
    memory::{Region, View, ViewMut},
    simd::{LANES, Simd},
};

/// `B^T d` for six values: what each interpolation point sees of them.
#[inline(always)]
fn at_points<S: Simd>(simd: S, d: [S::Vector; WINDOW]) -> [S::Vector; WINDOW] {
    let constant = |value: f64| simd.splat(value as f32);
    let (a, b, a2, b2) = (constant(A), constant(B), constant(A * A), constant(B * B));
    let (product, sum) = (constant(A * A * B * B), constant(A * A + B * B));
    let [d0, d1, d2, d3, d4, d5] = d;
    let even_a = simd.neg_mul_add(b2, d2, d4);
    let odd_a = simd.neg_mul_add(b2, d1, d3);
    let even_b = simd.neg_mul_add(a2, d2, d4);
    let odd_b = simd.neg_mul_add(a2, d1, d3);
    [
        simd.mul_add(product, d0, simd.neg_mul_add(sum, d2, d4)),
        simd.mul_add(a, odd_a, even_a),
        simd.neg_mul_add(a, odd_a, even_a),
        simd.mul_add(b, odd_b, even_b),
        simd.neg_mul_add(b, odd_b, even_b),
        simd.mul_add(product, d1, simd.neg_mul_add(sum, d3, d5)),
    ]
}

/// `A^T m` for six products: the polynomial's four coefficients.
#[inline(always)]
fn from_points<S: Simd>(simd: S, m: [S::Vector; WINDOW]) -> [S::Vector; TILE] {
    let constant = |value: f64| simd.splat(value as f32);
    let [m0, m1, m2, m3, m4, m5] = m;
    let (sum_a, difference_a) = (simd.add(m1, m2), simd.sub(m1, m2));
    let (sum_b, difference_b) = (simd.add(m3, m4), simd.sub(m3, m4));
    [
        simd.add(simd.add(m0, sum_a), sum_b),
        simd.mul_add(constant(A), difference_a, simd.mul(constant(B), difference_b)),
        simd.mul_add(constant(A * A), sum_a, simd.mul(constant(B * B), sum_b)),
        simd.mul_add(
            constant(A * A * A),
            difference_a,
            simd.mul_add(constant(B * B * B), difference_b, m5),
        ),
    ]
}

/// Transforms a window of 6x6 pixels into one vector of each plane.
///
/// # Safety
/// `x` is valid for six rows of six pixels at a distance of `row`; `planes` for a vector at each of 36 distances
/// of `plane`, which nobody else uses now.
#[inline(always)]
pub(super) unsafe fn transform_input<S: Simd>(
    simd: S,
    x: *const f32,
    row: usize,
    planes: *mut f32,
    plane: usize,
) {
    let mut half = [[simd.splat(0.0); WINDOW]; WINDOW];
    for j in 0..WINDOW {
        let mut column = [simd.splat(0.0); WINDOW];
        for (i, value) in column.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *value = unsafe { simd.load_at(x.add(i * row + j * LANES)) };
        }
        for (half, value) in half.iter_mut().zip(at_points(simd, column)) {
            half[j] = value;
        }
    }
    for (i, half) in half.into_iter().enumerate() {
        for (j, value) in at_points(simd, half).into_iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { simd.store_at(planes.add((i * WINDOW + j) * plane), value) };
        }
    }
}

/// Transforms one tile's products of one block of output channels back, and stores what of the tile is inside
/// of the image: the rows and columns of the region.
#[inline(always)]
pub(super) fn transform_output<S: Simd>(
    simd: S,
    stages: &Stages,
    block: usize,
    (products, plane): (&[f32], usize),
    bias: S::Vector,
    residual: Option<&View>,
    y: &mut ViewMut,
) {
    assert!(products.len() >= (WINDOW * WINDOW - 1) * plane + LANES);
    let mut half = [[simd.splat(0.0); WINDOW]; TILE];
    for j in 0..WINDOW {
        let mut values = [simd.splat(0.0); WINDOW];
        for (i, value) in values.iter_mut().enumerate() {
            // SAFETY: the assertion above.
            *value = unsafe { simd.load_at(products.as_ptr().add((i * WINDOW + j) * plane)) };
        }
        for (half, value) in half.iter_mut().zip(from_points(simd, values)) {
            half[j] = value;
        }
    }
    let Region { rows, columns, .. } = y.region().clone();
    for (half, row) in half.into_iter().zip(rows) {
        let results = from_points(simd, half);
        let residual = residual.map(|residual| &residual.row(block, row)[columns.clone()]);
        let y = y.pixels(block, row, columns.clone());
        for (j, (target, value)) in y.iter_mut().zip(results).enumerate() {
            let value = simd.add(value, bias);
            let value = stages.finish(simd, value, || match residual {
                Some(residual) => simd.load(&residual[j]),
                None => simd.splat(0.0),
            });
            simd.store(target, value);
        }
    }
}
