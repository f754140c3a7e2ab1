//! Where pictures are decoded to.

use modelzoo_data::media::{PixelBlock, PixelMemory};
use modelzoo_runtime::{LoadedModel, SharedMemory};
use std::sync::Arc;

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
