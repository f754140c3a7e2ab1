//! The interpolation points, and the matrix that follows from them for the weights.

use super::tiles::WINDOW;

/// The interpolation points are 0, ±A, ±B and infinity.
pub(super) const A: f64 = 0.75;
pub(super) const B: f64 = 1.5;

/// `G`: a row for each point, Lagrange's denominators divided out.
pub(super) fn weight_matrix() -> [[f64; 3]; WINDOW] {
    let (a2, b2) = (A * A, B * B);
    let row = |point: f64, denominator: f64| {
        [
            1.0 / denominator,
            point / denominator,
            point * point / denominator,
        ]
    };
    let (at_a, at_b) = (2.0 * a2 * (a2 - b2), 2.0 * b2 * (b2 - a2));
    [
        row(0.0, a2 * b2),
        row(A, at_a),
        row(-A, at_a),
        row(B, at_b),
        row(-B, at_b),
        [0.0, 0.0, 1.0],
    ]
}
