//! Memory: aligned buffers, how threads share them, the blocked layout, views of values in it, files that are mapped, and
//! the size of a core's cache.

mod aligned;
mod caches;
mod layout;
mod populate;
mod shared;
mod slab;
mod view;

pub(crate) use aligned::AlignedBuffer;
pub(crate) use caches::second_cache;
pub(crate) use layout::{Element, Halo, Layout};
pub(crate) use populate::populate;
pub(crate) use shared::{Shared, SharedMut};
pub(crate) use slab::{Packed, Slab};
pub(crate) use view::{Numbers, NumbersMut, Region, Target, View, ViewMut};
