//! The images that a convolution works on.

use super::specification::Specification;
use crate::memory::{Shared, SharedMut};

/// The first image's values with those that follow, and the distances from one image to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Images<'a> {
    pub(crate) count: usize,
    pub(crate) x: Shared<'a>,
    pub(crate) x_image: usize,
    pub(crate) residual: Option<Shared<'a>>,
    pub(crate) r_image: usize,
    pub(crate) y: SharedMut<'a>,
    pub(crate) y_image: usize,
}

impl Images<'_> {
    /// # Panics
    /// Where values that a layer reads or writes are not there.
    pub(super) fn check(&self, layer: &Specification) {
        let others = self.count.saturating_sub(1);
        assert!(others * self.x_image + layer.x.length <= self.x.len());
        assert!(others * self.y_image + layer.y.length <= self.y.len());
        assert!(others == 0 || self.y_image >= layer.y.length, "images overlap");
        match (&layer.residual, self.residual) {
            (Some(lines), Some(values)) => {
                assert!(others * self.r_image + lines.length <= values.len());
            }
            (None, None) => {}
            _ => panic!("a residual is missing, or one too many is there"),
        }
    }
}
