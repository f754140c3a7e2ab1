//! Direct convolution: rows of tiles. Linear layers, grouped, transposed and the planar first convolution are
//! the same loops with other distances.

mod direct;
mod images;
mod share;
mod specification;

pub(crate) use direct::DirectConvolution;
pub(crate) use images::Images;
pub(crate) use specification::{Group, Lines, Order, Pixels, Specification, TaskSize};
