//! How threads share a batch: its images, or each layer of all of them.
//!
//! Threads on images of their own never wait for each other, but each reads all weights. Threads on the same images read them
//! once together. Which is faster depends on the network, on the machine's caches and on what else it does, so it is measured
//! while batches are computed. Results are the same.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How threads share a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Arrangement {
    /// Each thread has images of its own.
    Apart,
    /// All threads work on the same images.
    Together,
}

impl Arrangement {
    const ALL: [Self; 2] = [Self::Apart, Self::Together];
}

/// How fast a plan was with each arrangement, for each size of a batch.
#[derive(Debug, Default)]
pub(super) struct Arrangements {
    seen: Mutex<HashMap<usize, Seen>>,
}

/// What was seen of batches of one size, in the order of [`Arrangement::ALL`].
#[derive(Clone, Copy, Debug)]
struct Seen {
    tries: [usize; 2],
    fastest: [Duration; 2],
}

impl Seen {
    const NOTHING: Self = Self {
        tries: [0; 2],
        fastest: [Duration::MAX; 2],
    };
}

impl Arrangements {
    /// Batches that each arrangement is tried on, in turn. The fastest one counts: the first one makes memory, and other
    /// programs may interrupt another.
    const TRIES: usize = 3;
    /// After so many batches it is tried again: other programs come and go.
    const KEPT: usize = 200;

    /// The arrangement for the next batch of so many images.
    pub(super) fn next(&self, batch: usize) -> Arrangement {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { tries, fastest } = *seen.get(&batch).unwrap_or(&Seen::NOTHING);
        let is_second = if tries.iter().any(|&tries| tries < Self::TRIES) {
            tries[1] < tries[0]
        } else {
            fastest[1] < fastest[0]
        };
        Arrangement::ALL[usize::from(is_second)]
    }

    /// A batch of so many images took this long.
    pub(super) fn took(&self, batch: usize, arrangement: Arrangement, time: Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(batch).or_insert(Seen::NOTHING);
        let index = usize::from(arrangement == Arrangement::ALL[1]);
        seen.tries[index] += 1;
        seen.fastest[index] = seen.fastest[index].min(time);
        if seen.tries[index] >= Self::KEPT {
            *seen = Seen::NOTHING;
        }
    }
}

/// Cuts so many images into parts of at most `largest` that threads take one after the other, smaller ones towards the
/// end: a thread that other programs hold up is then not waited for long.
pub(super) fn shares(images: usize, threads: usize, largest: usize) -> Vec<Range<usize>> {
    let mut shares = Vec::new();
    let mut first = 0;
    while first < images {
        let length = ((images - first) / (2 * threads)).clamp(1, largest);
        shares.push(first..first + length);
        first += length;
    }
    shares
}

/// Cuts a range into parts of at most `largest` that are as equal as can be.
pub(super) fn chunks(range: Range<usize>, largest: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = range.len().div_ceil(largest);
    let (start, length) = (range.start, range.len());
    (0..parts).map(move |part| start + length * part / parts..start + length * (part + 1) / parts)
}

#[cfg(test)]
mod tests {
    use super::{Arrangement::*, *};

    #[test]
    fn shares_are_all_images_and_get_smaller() {
        assert_eq!(shares(8, 2, 4), [0..2, 2..3, 3..4, 4..5, 5..6, 6..7, 7..8]);
        for (images, threads, largest) in [(0, 2, 4), (1, 1, 1), (64, 2, 4), (90, 3, 8), (17, 16, 64)] {
            let shares = shares(images, threads, largest);
            let lengths: Vec<usize> = shares.iter().map(ExactSizeIterator::len).collect();
            assert!(lengths.is_sorted_by(|a, b| a >= b) && lengths.iter().all(|&length| length <= largest));
            assert!(
                shares
                    .iter()
                    .zip(&shares[shares.len().min(1)..])
                    .all(|(a, b)| a.end == b.start)
            );
            assert_eq!(lengths.iter().sum::<usize>(), images);
        }
    }

    /// The arrangements of so many batches that take so many milliseconds apart and together.
    fn batches(
        of: &Arrangements,
        count: usize,
        batch: usize,
        [apart, together]: [u64; 2],
    ) -> Vec<Arrangement> {
        let mut arrangements = Vec::new();
        for _ in 0..count {
            let arrangement = of.next(batch);
            let milliseconds = match arrangement {
                Apart => apart,
                Together => together,
            };
            of.took(batch, arrangement, Duration::from_millis(milliseconds));
            arrangements.push(arrangement);
        }
        arrangements
    }

    #[test]
    fn both_are_tried_and_the_faster_one_stays() {
        let tries = [Apart, Together, Apart, Together, Apart, Together];
        for (times, faster) in [([3, 2], Together), ([2, 3], Apart), ([2, 2], Apart)] {
            let of = Arrangements::default();
            assert_eq!(batches(&of, 6, 8, times), tries);
            assert_eq!(batches(&of, 100, 8, times), [faster; 100]);
            // What is faster for batches of one size says nothing of others.
            assert_eq!(batches(&of, 6, 4, times), tries);
        }
    }

    #[test]
    fn what_was_measured_is_not_believed_for_ever() {
        let of = Arrangements::default();
        batches(&of, 6, 8, [2, 3]);
        let later = batches(&of, 2 * Arrangements::KEPT, 8, [5, 3]);
        assert_eq!(later.last(), Some(&Together));
    }
}
