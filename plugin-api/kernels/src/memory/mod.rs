//! Memory: aligned buffers, the blocked layout, and views of values in it.

mod aligned;
mod layout;
mod slab;
mod view;

pub(crate) use aligned::AlignedBuffer;
pub(crate) use layout::{Halo, Layout};
pub(crate) use slab::{Packed, Slab};
pub(crate) use view::{View, ViewMut};
