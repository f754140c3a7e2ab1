//! How resizing weighs the pixels around a place: the filters of Pillow.

use std::f64::consts::PI;

/// How resizing weighs the pixels around a place; all of them widen when they reduce (antialiasing).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filter {
    /// Pillow's `BILINEAR`.
    #[default]
    Bilinear,
    /// Pillow's `BICUBIC`.
    Bicubic,
    /// Pillow's `LANCZOS`.
    Lanczos,
    /// Pillow's `BOX`.
    Box,
    /// Pillow's `HAMMING`.
    Hamming,
    /// Pillow's `NEAREST`, without weights.
    Nearest,
}

impl Filter {
    /// How far the filter reaches, in input pixels of a picture that is not reduced.
    pub(super) fn support(self) -> f64 {
        match self {
            Self::Nearest => 0.0,
            Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    /// The weight of a pixel at a distance from the centre.
    pub(super) fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        match self {
            Self::Bilinear => (1.0 - x).max(0.0),
            // Keys' cubic with a = -0.5.
            Self::Bicubic if x < 1.0 => ((1.5 * x) - 2.5) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5,
            Self::Lanczos if (-3.0..3.0).contains(&distance) => sinc(distance) * sinc(distance / 3.0),
            Self::Box if distance > -0.5 && distance <= 0.5 => 1.0,
            Self::Hamming if x == 0.0 => 1.0,
            Self::Hamming if x < 1.0 => sinc(x) * (0.54 + 0.46 * (x * PI).cos()),
            // The nearest pixel is taken as it is, without a weight.
            Self::Bicubic | Self::Lanczos | Self::Box | Self::Hamming | Self::Nearest => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) }
}
