//! Shared memory that carries bulk data between host and worker.
//!
//! Each side owns the memories that it sends with, and uses one again when the message that lay in it has been answered.
//! A sender maps its own memory to write to it, and nothing but that: so the host may, too, whatever a worker does with
//! its end. What the worker sends is read with system calls, since it could change under the host's hands. Only
//! the worker maps what it is sent, so that a plugin reads pixels in place.

use crate::limits::MAX_BUFFER_BYTES;
use memmap2::{Advice, Mmap, MmapRaw};
use rustix::{
    fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals, memfd_create},
    io::{Errno, retry_on_intr},
};
use std::{
    fs::File,
    io,
    ops::Range,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::fs::FileExt as _,
    },
    ptr,
};

/// The smallest memory that is made: a few photographs.
const MIN_BYTES: usize = 1 << 20;

/// A memory is made for messages so many times as long as the first one. What of it is not used costs nothing; a new memory
/// costs all pages anew.
const SPARE: usize = 4;

/// What keeps the size of a memory as it is.
pub(super) const FIXED_SIZE: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

/// The memory that one side sends with.
#[derive(Debug, Default)]
pub(super) struct OutgoingMemory {
    current: Option<WrittenMemory>,
}

impl OutgoingMemory {
    /// Writes `buffers` to their places. Gives the memory's descriptor when the receiver does not know it yet.
    pub(super) fn write(
        &mut self,
        buffers: &[&[u8]],
        places: &[Range<usize>],
    ) -> io::Result<Option<BorrowedFd<'_>>> {
        let needed = places.last().map_or(0, |place| place.end);
        let is_new = needed > 0
            && self
                .current
                .as_ref()
                .is_none_or(|memory| memory.mapped.len() < needed);
        if is_new {
            // The old one is freed before the new one is made.
            self.current = None;
            self.current = Some(WrittenMemory::new(needed)?);
        }
        let Some(memory) = &mut self.current else {
            return Ok(None);
        };
        memory.reserve(needed)?;
        for (buffer, place) in buffers.iter().zip(places) {
            memory.put(buffer, place.start)?;
        }
        Ok(is_new.then(|| memory.file.as_fd()))
    }
}

/// Memory that this side writes to through a mapping: faster than system calls, which look each page up.
#[derive(Debug)]
struct WrittenMemory {
    file: File,
    mapped: MmapRaw,
    /// How many of its first bytes the system has set aside.
    reserved: usize,
}

impl WrittenMemory {
    fn new(needed: usize) -> io::Result<Self> {
        let file = unsealed_memory(needed.saturating_mul(SPARE).min(MAX_BUFFER_BYTES))?;
        let mapped = MmapRaw::map_raw(&file)?;
        // From now on, only this mapping can be written through, and nothing can be taken out of the memory.
        match fcntl_add_seals(&file, FIXED_SIZE | SealFlags::FUTURE_WRITE) {
            // Linux before 5.1. All that the other end could do to us there is to give back what is reserved.
            Err(Errno::INVAL) => fcntl_add_seals(&file, FIXED_SIZE)?,
            sealed => sealed?,
        }
        Ok(Self {
            file,
            mapped,
            reserved: 0,
        })
    }

    /// Has the system set memory aside: where there is none, this is an error here, and not the end of the process at the
    /// first access. All pages come at once, which is faster than one after the other at their first access.
    fn reserve(&mut self, needed: usize) -> io::Result<()> {
        let Some(missing) = needed.checked_sub(self.reserved).filter(|&missing| missing > 0) else {
            return Ok(());
        };
        let populated = self
            .mapped
            .advise_range(Advice::PopulateWrite, self.reserved, missing);
        match populated {
            // Linux before 5.14.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                let (start, length) = (self.reserved as u64, missing as u64);
                retry_on_intr(|| fallocate(&self.file, FallocateFlags::empty(), start, length))?;
            }
            populated => populated?,
        }
        self.reserved = needed;
        Ok(())
    }

    fn put(&self, buffer: &[u8], start: usize) -> io::Result<()> {
        if start
            .checked_add(buffer.len())
            .is_none_or(|end| end > self.reserved)
        {
            return Err(outside());
        }
        // SAFETY: the place lies within the mapping, whose size is sealed, and no reference to it exists in this process.
        // The other end reads it only when it is told that the message is there.
        unsafe {
            ptr::copy_nonoverlapping(buffer.as_ptr(), self.mapped.as_mut_ptr().add(start), buffer.len())
        };
        Ok(())
    }
}

/// Makes memory of at least `needed` bytes whose size nobody can change any more, for small things.
pub(super) fn fixed_memory(needed: usize) -> io::Result<File> {
    let file = unsealed_memory(needed)?;
    fcntl_add_seals(&file, FIXED_SIZE)?;
    Ok(file)
}

fn unsealed_memory(needed: usize) -> io::Result<File> {
    let file = File::from(memfd_create(
        "modelzoo-buffers",
        MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
    )?);
    file.set_len(needed.next_power_of_two().max(MIN_BYTES) as u64)?;
    Ok(file)
}

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
        if places.last().is_some_and(|place| place.end as u64 > size) {
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
            // SAFETY: the seals keep the memory's size as it is, and the sender, our host, writes to it only while we
            // owe it no answer.
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
    use super::{super::frame::layout, *};
    use std::slice;

    fn send(
        outgoing: &mut OutgoingMemory,
        incoming: &mut IncomingMemory,
        buffers: &[&[u8]],
    ) -> (Vec<Range<usize>>, bool) {
        let lengths: Vec<usize> = buffers.iter().map(|buffer| buffer.len()).collect();
        let places = layout(&lengths).unwrap();
        let new = outgoing.write(buffers, &places).unwrap();
        let is_new = new.is_some();
        if let Some(memory) = new {
            incoming.replace(memory.try_clone_to_owned().unwrap());
        }
        (places, is_new)
    }

    #[test]
    fn buffers_arrive_mapped_and_copied_and_the_memory_is_used_again() {
        let (mut outgoing, mut incoming) = (OutgoingMemory::default(), IncomingMemory::default());
        let large = vec![7u8; SPARE * MIN_BYTES + 1];
        let batches: [(&[&[u8]], bool); 4] = [
            (&[b"one", b"", b"two"], true),
            (&[b"three"], false),
            (&[&large, b"x"], true),
            (&[b"y"], false),
        ];
        for (buffers, expected_new) in batches {
            let (places, is_new) = send(&mut outgoing, &mut incoming, buffers);
            assert_eq!(is_new, expected_new);
            assert_eq!(incoming.copy(&places).unwrap(), buffers);
            assert_eq!(incoming.map(&places).unwrap(), buffers);
        }
    }

    #[test]
    fn empty_buffers_need_no_memory() {
        let mut incoming = IncomingMemory::default();
        let (places, is_new) = send(&mut OutgoingMemory::default(), &mut incoming, &[b"", b""]);
        assert!(!is_new);
        assert_eq!(incoming.copy(&places).unwrap(), [b"", b""]);
        assert_eq!(incoming.map(&places).unwrap(), [b"", b""]);
        assert!(incoming.copy(slice::from_ref(&(0..1))).is_err());
    }

    #[test]
    fn places_outside_of_the_memory_are_errors() {
        let (mut outgoing, mut incoming) = (OutgoingMemory::default(), IncomingMemory::default());
        send(&mut outgoing, &mut incoming, &[b"one"]);
        let outside = MIN_BYTES - 1..MIN_BYTES + 1;
        assert!(incoming.copy(slice::from_ref(&outside)).is_err());
        assert!(incoming.map(slice::from_ref(&outside)).is_err());
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

    #[test]
    fn the_size_of_our_memory_cannot_be_changed() {
        let sent = WrittenMemory::new(10).unwrap().file;
        for file in [fixed_memory(10).unwrap(), sent] {
            let bytes = file.metadata().unwrap().len();
            assert!(file.set_len(1).is_err());
            assert!(file.set_len(bytes * 2).is_err());
        }
    }

    #[test]
    fn what_was_sent_can_be_neither_changed_nor_taken_away_by_the_other_end() {
        let mut outgoing = OutgoingMemory::default();
        let places = layout(&[3]).unwrap();
        let memory = outgoing.write(&[b"one"], &places).unwrap().unwrap();
        let file = File::from(memory.try_clone_to_owned().unwrap());
        if !fcntl_get_seals(&file).unwrap().contains(SealFlags::FUTURE_WRITE) {
            return; // Linux before 5.1.
        }
        assert!(file.write_all_at(b"two", 0).is_err());
        assert!(MmapRaw::map_raw(&file).is_err());
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        assert!(fallocate(&file, hole, 0, 4096).is_err());
        // The sender goes on writing.
        outgoing.write(&[b"two"], &places).unwrap();
        let mut incoming = IncomingMemory::default();
        incoming.replace(file.into());
        assert_eq!(incoming.map(&places).unwrap(), [b"two"]);
    }

    #[test]
    fn a_place_beyond_the_memory_is_not_written_to() {
        let mut memory = WrittenMemory::new(10).unwrap();
        memory.reserve(10).unwrap();
        assert!(memory.put(b"123", 7).is_ok());
        assert!(memory.put(b"123", 8).is_err());
        assert!(memory.put(b"123", usize::MAX).is_err());
    }
}
