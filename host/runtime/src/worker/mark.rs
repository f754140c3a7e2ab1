//! Which item of a batch a worker is at, in memory that both sides see: it is still there when the worker is not.

use crate::shared_memory::{FIXED_SIZE, fixed_memory};
use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::fcntl_get_seals;
use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::fs::FileExt as _,
    },
    sync::atomic::{AtomicU64, Ordering},
};

const BYTES: usize = size_of::<u64>();

/// The worker's side of the mark.
#[derive(Debug)]
pub(super) struct Marker {
    file: File,
    memory: MmapRaw,
}

impl Marker {
    /// At no item.
    pub(super) fn new() -> io::Result<Self> {
        let file = fixed_memory(BYTES)?;
        let memory = MmapOptions::new().len(BYTES).map_raw(&file)?;
        Ok(Self { file, memory })
    }

    /// What the host reads.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// From now on, it is at the item of this index, or at none.
    pub(super) fn set(&self, item: Option<u64>) {
        let number = item.map_or(0, |index| index.saturating_add(1));
        // SAFETY: the memory is mapped while `self` lives, begins a page, is as long as the number, and is written to in
        // this way alone.
        unsafe { AtomicU64::from_ptr(self.memory.as_mut_ptr().cast()) }.store(number, Ordering::Relaxed);
    }
}

/// The host's side of the mark of a worker, which is not trusted.
#[derive(Debug)]
pub(super) struct Mark(File);

impl Mark {
    /// What a worker sent as its mark; `None` where it is no such memory.
    pub(super) fn of(descriptor: OwnedFd) -> Option<Self> {
        let file = File::from(descriptor);
        fcntl_get_seals(&file)
            .is_ok_and(|seals| seals.contains(FIXED_SIZE))
            .then_some(Self(file))
    }

    /// The index of the item that the worker is at, or was when it ended.
    pub(super) fn item(&self) -> Option<usize> {
        let mut bytes = [0; BYTES];
        self.0.read_exact_at(&mut bytes, 0).ok()?;
        usize::try_from(u64::from_ne_bytes(bytes).checked_sub(1)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_sees_which_item_it_is() {
        let marker = Marker::new().unwrap();
        let mark = Mark::of(marker.descriptor().try_clone_to_owned().unwrap()).unwrap();
        assert_eq!(mark.item(), None);
        for item in [Some(0), Some(31), None] {
            marker.set(item);
            assert_eq!(mark.item(), item.map(|index| index as usize));
        }
        drop(marker);
        assert_eq!(mark.item(), None);
    }

    #[test]
    fn what_is_no_such_memory_is_no_mark() {
        let (pipe, _end) = io::pipe().unwrap();
        assert!(Mark::of(pipe.into()).is_none());
        assert!(Mark::of(tempfile::tempfile().unwrap().into()).is_none());
    }
}
