//! Memory that a worker can read in place: pictures that are decoded into it need not be copied to reach a model.
//!
//! It is handed out in blocks, and a block that is given back is used again, so that a run takes as much as lies in it at
//! once, and the system clears each of its pages once.

use memmap2::{Advice, MmapRaw};
use rustix::{
    fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, memfd_create},
    io::{Errno, retry_on_intr},
    process::{Resource, getrlimit},
};
use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io,
    ops::{Deref, DerefMut, Range},
    os::fd::{AsFd as _, BorrowedFd},
    ptr, slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Blocks begin at multiples of this: a cache line, so that their numbers can be read in place.
const ALIGNMENT: usize = 64;

/// So much is set aside at once: the system is asked seldom.
const STRIDE: usize = 1 << 20;

/// How long a memory is where nothing limits it. What of it is not used costs nothing.
#[cfg(target_pointer_width = "64")]
const MOST_BYTES: usize = 16 << 30;
#[cfg(not(target_pointer_width = "64"))]
const MOST_BYTES: usize = 1 << 30;

/// What keeps the size of a memory as it is.
pub(crate) const FIXED_SIZE: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

/// Memory of which others may read what this process has written.
pub struct SharedMemory {
    file: File,
    mapped: MmapRaw,
    /// Whether nobody else can write to it.
    is_ours_alone: bool,
    places: Mutex<Places>,
}

/// What of a memory can be handed out.
#[derive(Debug)]
struct Places {
    /// The length of each free place, by its start. No two of them touch.
    free: BTreeMap<usize, usize>,
    /// How many of the first bytes the system has set aside.
    reserved: usize,
}

impl SharedMemory {
    /// Makes memory. Nothing of it is taken from the system yet.
    ///
    /// # Errors
    /// When the system has no such memory.
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        // A longer file would be refused, or even end the process.
        let most = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
        let bytes = usize::try_from(most).unwrap_or(usize::MAX).min(MOST_BYTES);
        let file = unsealed_memory(bytes - bytes % ALIGNMENT)?;
        let mapped = MmapRaw::map_raw(&file)?;
        // From now on, only this mapping can be written through, and nothing can be taken out of the memory.
        let is_ours_alone = match fcntl_add_seals(&file, FIXED_SIZE | SealFlags::FUTURE_WRITE) {
            // Linux before 5.1. All that others could do to us there is to give back what is reserved.
            Err(Errno::INVAL) => {
                fcntl_add_seals(&file, FIXED_SIZE)?;
                false
            }
            sealed => {
                sealed?;
                true
            }
        };
        let places = Places {
            free: BTreeMap::from([(0, mapped.len())]),
            reserved: 0,
        };
        Ok(Arc::new(Self {
            file,
            mapped,
            is_ours_alone,
            places: Mutex::new(places),
        }))
    }

    /// So many bytes, of any content, for this process to write.
    ///
    /// # Errors
    /// When so much memory cannot be had, or not for this process alone.
    pub fn take(self: &Arc<Self>, bytes: usize) -> io::Result<SharedBlock> {
        if !self.is_ours_alone {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(SharedBlock(self.hand_out(bytes)?))
    }

    /// Copies `bytes` to a place of their own.
    pub(crate) fn put(self: &Arc<Self>, bytes: &[u8]) -> io::Result<SharedPlace> {
        let place = self.hand_out(bytes.len())?;
        // SAFETY: the place lies within what is reserved of the mapping, whose size is sealed, and was handed out to nobody
        // else, so no reference to it exists in this process.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), place.start(), bytes.len()) };
        Ok(place)
    }

    /// Where `bytes` lie, if they do so in this memory.
    pub(crate) fn place_of(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let start = bytes.as_ptr().addr().checked_sub(self.mapped.as_ptr().addr())?;
        let end = start.checked_add(bytes.len())?;
        (end <= self.mapped.len()).then_some(start..end)
    }

    /// What others map it by.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Takes a place out of the free ones, the first in which `bytes` fit.
    fn hand_out(self: &Arc<Self>, bytes: usize) -> io::Result<SharedPlace> {
        let out_of_memory = || io::Error::from(io::ErrorKind::OutOfMemory);
        let taken = bytes
            .max(1)
            .checked_next_multiple_of(ALIGNMENT)
            .ok_or_else(out_of_memory)?;
        let mut places = self.lock();
        let fits = |(&start, &length): (&usize, &usize)| (length >= taken).then_some((start, length));
        let (start, length) = places.free.iter().find_map(fits).ok_or_else(out_of_memory)?;
        let end = start + taken;
        if end > places.reserved {
            places.reserved = self.reserve(places.reserved, end)?;
        }
        places.free.remove(&start);
        if length > taken {
            places.free.insert(end, length - taken);
        }
        Ok(SharedPlace {
            memory: Arc::clone(self),
            start,
            bytes,
            taken,
        })
    }

    /// Has the system set memory aside from `reserved` to `needed` at least, and says how far. Where there is none, this is
    /// an error here, and not the end of the process at the first access. All pages come at once, which is faster than one
    /// after the other at their first access.
    fn reserve(&self, reserved: usize, needed: usize) -> io::Result<usize> {
        let end = needed.next_multiple_of(STRIDE).min(self.mapped.len());
        match self
            .mapped
            .advise_range(Advice::PopulateWrite, reserved, end - reserved)
        {
            // Linux before 5.14.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                let (start, length) = (reserved as u64, (end - reserved) as u64);
                retry_on_intr(|| fallocate(&self.file, FallocateFlags::empty(), start, length))?;
            }
            populated => populated?,
        }
        Ok(end)
    }

    /// Makes a place free again, in one with those beside it.
    fn give_back(&self, mut start: usize, mut length: usize) {
        let free = &mut self.lock().free;
        if let Some((&before, &its_length)) = free.range(..start).next_back()
            && before + its_length == start
        {
            free.remove(&before);
            (start, length) = (before, its_length + length);
        }
        if let Some(its_length) = free.remove(&(start + length)) {
            length += its_length;
        }
        free.insert(start, length);
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        // Nothing between a change of the places and the next one can panic.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedMemory({} bytes in use)", self.lock().reserved)
    }
}

/// A place in a [`SharedMemory`] that is nobody else's until this is dropped.
#[derive(Debug)]
pub(crate) struct SharedPlace {
    memory: Arc<SharedMemory>,
    start: usize,
    bytes: usize,
    /// With what was left free behind the bytes, for the next place to begin well.
    taken: usize,
}

impl SharedPlace {
    /// Where it lies.
    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.start + self.bytes
    }

    fn start(&self) -> *mut u8 {
        // It lies within the mapping.
        self.memory.mapped.as_mut_ptr().wrapping_add(self.start)
    }
}

impl Drop for SharedPlace {
    fn drop(&mut self) {
        self.memory.give_back(self.start, self.taken);
    }
}

/// Bytes in a [`SharedMemory`]. They are given back when this is dropped.
#[derive(Debug)]
pub struct SharedBlock(SharedPlace);

impl Deref for SharedBlock {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the place lies within what is reserved of the mapping, which lives as long as the block's memory. It was
        // handed out to this block alone, and nobody outside of this process can write to it (`SharedMemory::take`).
        unsafe { slice::from_raw_parts(self.0.start(), self.0.bytes) }
    }
}

impl DerefMut for SharedBlock {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; others may read meanwhile, but are told to only when it is borrowed for good.
        unsafe { slice::from_raw_parts_mut(self.0.start(), self.0.bytes) }
    }
}

/// Makes memory of `bytes` whose size nobody can change any more, for small things.
pub(crate) fn fixed_memory(bytes: usize) -> io::Result<File> {
    let file = unsealed_memory(bytes)?;
    fcntl_add_seals(&file, FIXED_SIZE)?;
    Ok(file)
}

fn unsealed_memory(bytes: usize) -> io::Result<File> {
    let file = File::from(memfd_create(
        "modelzoo-buffers",
        MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
    )?);
    file.set_len(bytes as u64)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustix::fs::fcntl_get_seals;
    use std::os::unix::fs::FileExt as _;

    #[test]
    fn blocks_are_apart_and_used_again() {
        let memory = SharedMemory::new().unwrap();
        let mut one = memory.take(100).unwrap();
        let mut other = memory.take(1).unwrap();
        one.fill(1);
        other.fill(2);
        assert_eq!((&one[..], &other[..]), (&[1; 100][..], &[2][..]));
        let place = memory.place_of(&one).unwrap();
        assert_eq!(memory.place_of(&other[..1]).unwrap(), 128..129);
        drop(one);
        let again = memory.take(128).unwrap();
        assert_eq!(memory.place_of(&again).unwrap().start, place.start);
        assert_eq!(other[..], [2]);
    }

    #[test]
    fn what_others_see_is_what_was_written() {
        let memory = SharedMemory::new().unwrap();
        let place = memory.put(b"pixels").unwrap();
        let mut seen = [0; 6];
        let start = place.range().start as u64;
        memory.file.read_exact_at(&mut seen, start).unwrap();
        assert_eq!(&seen, b"pixels");
    }

    #[test]
    fn what_lies_elsewhere_has_no_place() {
        let memory = SharedMemory::new().unwrap();
        assert_eq!(memory.place_of(&[1, 2, 3]), None);
    }

    #[test]
    fn more_than_there_is_cannot_be_had_and_costs_nothing() {
        let memory = SharedMemory::new().unwrap();
        for bytes in [MOST_BYTES + 1, usize::MAX] {
            let error = memory.take(bytes).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        }
        assert_eq!(memory.lock().reserved, 0);
    }

    #[test]
    fn others_can_neither_change_it_nor_take_it_away() {
        let memory = SharedMemory::new().unwrap();
        let mut block = memory.take(3).unwrap();
        let file = File::from(memory.descriptor().try_clone_to_owned().unwrap());
        let bytes = file.metadata().unwrap().len();
        assert!(file.set_len(1).is_err());
        assert!(file.set_len(bytes * 2).is_err());
        if !fcntl_get_seals(&file).unwrap().contains(SealFlags::FUTURE_WRITE) {
            return; // Linux before 5.1.
        }
        assert!(file.write_all_at(b"two", 0).is_err());
        assert!(MmapRaw::map_raw(&file).is_err());
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        assert!(fallocate(&file, hole, 0, 4096).is_err());
        // We go on writing.
        block.copy_from_slice(b"two");
    }

    proptest! {
        #[test]
        fn no_two_blocks_share_a_byte_and_all_comes_back(
            steps in prop::collection::vec((any::<bool>(), 0usize..5000), 1..60),
        ) {
            let memory = SharedMemory::new().unwrap();
            let mut blocks: Vec<SharedBlock> = Vec::new();
            for (number, (takes, size)) in steps.into_iter().enumerate() {
                if takes || blocks.is_empty() {
                    let mut block = memory.take(size).unwrap();
                    block.fill(number as u8);
                    blocks.push(block);
                } else {
                    blocks.swap_remove(size % blocks.len());
                }
                for block in &blocks {
                    prop_assert!(block.windows(2).all(|pair| pair[0] == pair[1]));
                }
            }
            blocks.clear();
            prop_assert_eq!(memory.lock().free.clone(), BTreeMap::from([(0, memory.mapped.len())]));
        }
    }
}
