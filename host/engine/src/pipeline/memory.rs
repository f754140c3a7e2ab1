//! Where pictures are decoded to, and how much room there is for them.

use super::{
    pool::{Lease, Ticket},
    sizes::bytes_of_pixels,
};
use modelzoo_data::media::{PixelBlock, PixelMemory};
use modelzoo_runtime::{LoadedModel, SharedMemory};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The memory from which a model reads pictures in place, as decoders see it.
pub(super) struct ModelMemory<'a>(Option<&'a Arc<SharedMemory>>);

impl<'a> ModelMemory<'a> {
    /// The memory of `model`, where it has one.
    pub(super) fn of(model: &'a dyn LoadedModel) -> Self {
        Self(model.memory())
    }
}

impl PixelMemory for ModelMemory<'_> {
    fn take(&self, bytes: usize) -> Option<Box<dyn PixelBlock>> {
        // Without room there, a picture is copied on its way, which tells what is wrong.
        let block = self.0?.take(bytes).ok()?;
        Some(Box::new(block))
    }
}

/// The same for one picture, which is decoded once there is room for it.
pub(super) struct Room<'a, F> {
    memory: ModelMemory<'a>,
    /// How many bytes are made of a picture of a size, beside its own.
    parts: F,
    place: Mutex<Place>,
}

/// Whether there is room yet.
enum Place {
    InLine(Ticket),
    Taken(Lease),
    Nowhere,
}

impl<'a, F: Fn(u32, u32) -> u64> Room<'a, F> {
    pub(super) fn new(memory: ModelMemory<'a>, ticket: Ticket, parts: F) -> Self {
        Self {
            memory,
            parts,
            place: Mutex::new(Place::InLine(ticket)),
        }
    }

    /// What was taken for the picture; nothing before its size was announced.
    pub(super) fn into_lease(self) -> Option<Lease> {
        match std::mem::replace(&mut *self.place(), Place::Nowhere) {
            Place::Taken(lease) => Some(lease),
            _ => None,
        }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        // A decoder that panicked leaves it as it was.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Fn(u32, u32) -> u64 + Send + Sync> PixelMemory for Room<'_, F> {
    fn take(&self, bytes: usize) -> Option<Box<dyn PixelBlock>> {
        self.memory.take(bytes)
    }

    fn announce(&self, width: u32, height: u32, is_in_place: bool) {
        let pixels = bytes_of_pixels(width, height);
        // Elsewhere there is another form of it meanwhile, or a copy on its way.
        let times = if is_in_place { 1 } else { 2 };
        let bytes = pixels
            .saturating_mul(times)
            .saturating_add((self.parts)(width, height));
        let mut place = self.place();
        *place = match std::mem::replace(&mut *place, Place::Nowhere) {
            Place::InLine(ticket) => Place::Taken(ticket.take(bytes)),
            Place::Taken(mut lease) => {
                lease.resize(bytes);
                Place::Taken(lease)
            }
            Place::Nowhere => Place::Nowhere,
        };
    }
}
