//! How many bytes of pictures a run holds at a time.

use super::pool::{Lease, Pool, Ticket};
use crate::sample::{Sample, SampleError};
use modelzoo_base::memory::MemoryBudget;
use modelzoo_data::input::Content;
use std::sync::Arc;

/// Files that are read, and contents that came with their names, may each take this part of the budget; pictures take the
/// rest. Decoded pictures are several times as large as their files.
const PART_OF_FILES: u64 = 8;

/// A video may take this part of what there is for pictures: others are decoded beside it.
const PART_OF_VIDEO: u64 = 2;

/// Pictures get no more than this: they lie in memory of 16 GiB that the worker reads in place, with room left for copies and
/// for gaps between them.
const MOST_OF_PICTURES: u64 = 12 << 30;

/// What a run may hold, by what holds it.
#[derive(Debug)]
pub(super) struct Budget {
    /// Contents that wait to be decoded. The thread that goes through the input takes these.
    contents: Arc<Pool>,
    /// Files that are read and decoded.
    files: Arc<Pool>,
    /// Pictures, from when they are decoded to when the sink has taken what the model said of them.
    pictures: Arc<Pool>,
}

/// A sample that has its place in the line for memory.
pub(super) struct Admitted {
    pub(super) sample: Result<Sample, SampleError>,
    /// For the content that came with it; held until it is decoded.
    pub(super) content: Option<Lease>,
    /// For its file.
    pub(super) file: Ticket,
    /// For its pictures.
    pub(super) pictures: Ticket,
}

/// Lets everybody through who waits for memory when it is dropped, however a run ends.
#[derive(Debug)]
pub(super) struct OpenAtTheEnd<'a>(&'a Budget);

impl Drop for OpenAtTheEnd<'_> {
    fn drop(&mut self) {
        for pool in [&self.0.contents, &self.0.files, &self.0.pictures] {
            pool.close();
        }
    }
}

impl Budget {
    pub(super) fn new(budget: MemoryBudget) -> Self {
        Self::of_bytes(budget.bytes())
    }

    pub(super) fn of_bytes(bytes: u64) -> Self {
        let of_files = bytes / PART_OF_FILES;
        Self {
            contents: Pool::new(of_files),
            files: Pool::new(of_files),
            pictures: Pool::new((bytes - 2 * of_files).min(MOST_OF_PICTURES)),
        }
    }

    /// Takes the next sample of the input, and waits until there is room for what came with it.
    pub(super) fn admit(&self, sample: Result<Sample, SampleError>) -> Admitted {
        let content = match &sample {
            Ok(sample) => match &sample.content {
                Content::Bytes(bytes) => Some(self.contents.ticket().take(bytes.len() as u64)),
                Content::AtPath => None,
            },
            Err(_) => None,
        };
        Admitted {
            sample,
            content,
            file: self.files.ticket(),
            pictures: self.pictures.ticket(),
        }
    }

    /// How much a video takes for its frames, of which each takes so many bytes and no more than `most` are there at once:
    /// as much as that, but one frame at least, and otherwise no more than its part.
    pub(super) fn for_frames(&self, bytes: u64, most: usize) -> u64 {
        let part = self.pictures.bytes() / PART_OF_VIDEO;
        bytes.saturating_mul(most as u64).min(part).max(bytes)
    }

    /// Lets everybody through who waits, from when this is dropped on.
    pub(super) fn open_at_the_end(&self) -> OpenAtTheEnd<'_> {
        OpenAtTheEnd(self)
    }

    /// All that is held.
    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        [&self.contents, &self.files, &self.pictures]
            .map(|pool| pool.used())
            .iter()
            .sum()
    }
}
