//! The memory that the other side sends with.
//!
//! Each side owns the memory that it sends with, and uses a place in it again when the message that it belonged to has
//! been answered. What a worker sends is read with system calls, since it could change under the host's hands. Only the
//! worker maps what it is sent, so that a plugin reads pixels in place.

use crate::shared_memory::FIXED_SIZE;
use memmap2::Mmap;
use rustix::fs::fcntl_get_seals;
use std::{
    fs::File,
    io,
    ops::Range,
    os::{fd::OwnedFd, unix::fs::FileExt as _},
};

/// The memory that the other side sends with.
#[derive(Debug, Default)]
pub(super) struct IncomingMemory {
    file: Option<File>,
    mapped: Option<Mmap>,
}

impl IncomingMemory {
    /// From now on, buffers lie in `memory`.
    pub(super) fn replace(&mut self, memory: OwnedFd) {
        self.file = Some(memory.into());
        self.mapped = None;
    }

    /// Copies the buffers out. Safe with any sender: one that changes its memory meanwhile spoils its own data.
    pub(super) fn copy(&self, places: &[Range<usize>]) -> io::Result<Vec<Vec<u8>>> {
        let Some(file) = &self.file else {
            return self.nothing(places).map(|empty| vec![Vec::new(); empty]);
        };
        // Nothing is allocated for what cannot be there.
        let size = file.metadata()?.len();
        if places.iter().any(|place| place.end as u64 > size) {
            return Err(outside());
        }
        places
            .iter()
            .map(|place| {
                let mut buffer = vec![0; place.len()];
                file.read_exact_at(&mut buffer, place.start as u64)
                    .map_err(|_| outside())?;
                Ok(buffer)
            })
            .collect()
    }

    /// Shows the buffers in place. Only for memory of a sender that leaves it alone until it is answered.
    pub(super) fn map(&mut self, places: &[Range<usize>]) -> io::Result<Vec<&[u8]>> {
        let Some(file) = &self.file else {
            return self.nothing(places).map(|empty| vec![[].as_slice(); empty]);
        };
        if self.mapped.is_none() {
            if !fcntl_get_seals(file)?.contains(FIXED_SIZE) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the size of the shared memory is not fixed",
                ));
            }
            // SAFETY: the seals keep the memory's size as it is, and the sender, our host, does not write to the places
            // of a message while we owe it an answer; nothing else of it is looked at.
            self.mapped = Some(unsafe { Mmap::map(file) }?);
        }
        let bytes = self.mapped.as_deref().unwrap_or_default();
        places
            .iter()
            .map(|place| bytes.get(place.clone()).ok_or_else(outside))
            .collect()
    }

    /// How many empty buffers there are, where no memory has come.
    fn nothing(&self, places: &[Range<usize>]) -> io::Result<usize> {
        if places.iter().all(Range::is_empty) {
            Ok(places.len())
        } else {
            Err(outside())
        }
    }
}

/// What is wrong with a message that refers to buffers which are not there.
fn outside() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a buffer lies outside of the shared memory",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared_memory::SharedMemory;
    use rustix::fs::{MemfdFlags, memfd_create};
    use std::slice;

    #[test]
    fn empty_buffers_need_no_memory() {
        let mut incoming = IncomingMemory::default();
        let places = [0..0, 0..0];
        assert_eq!(incoming.copy(&places).unwrap(), [b"", b""]);
        assert_eq!(incoming.map(&places).unwrap(), [b"", b""]);
        assert!(incoming.copy(slice::from_ref(&(0..1))).is_err());
    }

    #[test]
    fn places_are_shown_and_copied_and_those_outside_are_errors() {
        let memory = SharedMemory::new().unwrap();
        let place = memory.put(b"one").unwrap();
        let mut incoming = IncomingMemory::default();
        incoming.replace(memory.descriptor().try_clone_to_owned().unwrap());
        let places = [place.range(), 0..0];
        assert_eq!(incoming.copy(&places).unwrap(), [&b"one"[..], b""]);
        assert_eq!(incoming.map(&places).unwrap(), [&b"one"[..], b""]);
        // The last of them lies within.
        let outside = [usize::MAX - 1..usize::MAX, place.range()];
        assert!(incoming.copy(&outside).is_err());
        assert!(incoming.map(&outside).is_err());
    }

    #[test]
    fn memory_that_can_be_cut_off_is_copied_from_but_never_mapped() {
        let file = File::from(memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap());
        file.set_len(64).unwrap();
        let mut incoming = IncomingMemory::default();
        incoming.replace(file.try_clone().unwrap().into());
        let places = slice::from_ref(&(0..64));
        assert!(incoming.map(places).is_err());
        assert!(incoming.copy(places).is_ok());
        file.set_len(3).unwrap();
        assert!(incoming.copy(places).is_err());
    }
}
