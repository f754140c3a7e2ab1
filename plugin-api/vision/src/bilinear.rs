//! Bilinear interpolation as torch's `interpolate` does it, without aligned corners and without a filter.

/// Two places between which a value lies, and how near it is to the second one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between {
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) share: f32,
}

impl Between {
    /// The value between one at the first place and one at the second.
    pub(crate) fn between(&self, first: f32, second: impl FnOnce() -> f32) -> f32 {
        if self.share == 0.0 {
            first
        } else {
            first * (1.0 - self.share) + second() * self.share
        }
    }

    /// The value between two of a row.
    pub(crate) fn between_of(&self, values: &[f32]) -> f32 {
        self.between(values[self.first], || values[self.second])
    }
}

/// Where each of `to` places lies among `from` places.
pub(crate) fn neighbours(from: usize, to: usize) -> Vec<Between> {
    let scale = from as f32 / to as f32;
    (0..to).map(|place| neighbour(from, scale, place)).collect()
}

/// Where a place lies among `from` places that are `1 / scale` apart.
pub(crate) fn neighbour(from: usize, scale: f32, place: usize) -> Between {
    let exact = ((place as f32 + 0.5) * scale - 0.5).max(0.0);
    let first = (exact as usize).min(from - 1);
    Between {
        first,
        second: (first + 1).min(from - 1),
        share: exact - first as f32,
    }
}
