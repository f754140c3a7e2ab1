//! Bytes that many threads take in the order of the samples, so that they never wait for each other in a circle.
//!
//! Who takes bytes has a ticket; tickets are numbered in the order in which what they stand for is used up. The lowest one that
//! has nothing yet is served first. It waits only for those before it, and these are on their way to the sink whatever it
//! does, but for those of the batch that is being gathered: a batch goes on once it holds a share of the pool, and below
//! that, the next one in line is served though it be larger than the whole pool. So nothing waits for ever, and at most
//! the pool is taken where no single piece is larger than half of it; otherwise half of it, and one such piece.
//!
//! What was taken may be a pool itself: that of a video's frames. Once no more frames come it keeps only what they are, which
//! in a batch that is not full is less than a share of the outer pool.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// A batch may hold this part of a pool: one is gathered, two are with the model, and one is handed on.
const BATCHES: u64 = 4;

/// How finely the part of a share is counted.
const WHOLE: u64 = 1 << 20;

/// Bytes to be taken and given back.
#[derive(Debug)]
pub(super) struct Pool {
    bytes: u64,
    /// What a batch may hold.
    share: u64,
    lines: Mutex<Lines>,
    changed: Condvar,
    /// What the pool's own bytes were taken from. Once the pool is closed, it is no more than is used of them.
    taken_from: Option<Mutex<Lease>>,
}

#[derive(Debug, Default)]
struct Lines {
    used: u64,
    /// The next ticket's number.
    next: u64,
    /// The lowest ticket that has taken nothing yet, and not given up.
    first: u64,
    /// Those behind it that have, or were given up, with what they hold.
    early: BTreeMap<u64, u64>,
    given_up: BTreeSet<u64>,
    /// Nobody waits any more.
    is_closed: bool,
}

/// The right to take bytes once, before all later tickets.
#[derive(Debug)]
pub(super) struct Ticket {
    pool: Arc<Pool>,
    number: u64,
    is_used: bool,
}

/// Bytes that are taken until this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    number: u64,
    bytes: u64,
}

impl Pool {
    pub(super) fn new(bytes: u64) -> Arc<Self> {
        Self::make(bytes, u64::MAX, None)
    }

    /// A pool of what was taken from another one.
    pub(super) fn within(lease: Lease) -> Arc<Self> {
        // A batch that is not full must not keep a share of the other one either.
        let (bytes, most_of_batch) = (lease.bytes, lease.pool.share);
        Self::make(bytes, most_of_batch, Some(Mutex::new(lease)))
    }

    fn make(bytes: u64, most_of_batch: u64, taken_from: Option<Mutex<Lease>>) -> Arc<Self> {
        Arc::new(Self {
            bytes: bytes.max(1),
            share: (bytes / BATCHES).clamp(1, most_of_batch),
            lines: Mutex::default(),
            changed: Condvar::new(),
            taken_from,
        })
    }

    /// All that there is to be taken.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next ticket.
    pub(super) fn ticket(self: &Arc<Self>) -> Ticket {
        let mut lines = self.lock();
        let number = lines.next;
        lines.next += 1;
        Ticket {
            pool: Arc::clone(self),
            number,
            is_used: false,
        }
    }

    /// Lets everybody through: what they take is given up as soon as they have it. Who reads results calls this when it ends
    /// early, as nobody else will give back what lies between the threads.
    pub(super) fn close(&self) {
        let mut lines = self.lock();
        lines.is_closed = true;
        self.give_back(&lines);
        drop(lines);
        self.changed.notify_all();
    }

    /// Of a pool that is closed, what nobody uses goes back to where it was taken from: frames of a video that wait for a
    /// batch keep no more from others than they are. The outer pool's lock is always taken after the inner one's.
    fn give_back(&self, lines: &Lines) {
        if let Some(lease) = self.taken_from.as_ref().filter(|_| lines.is_closed) {
            lease
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .resize(lines.used);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        // Nothing between a change of the numbers and the next one can panic.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        self.lock().used
    }
}

impl Lines {
    /// Whether there is room for so many bytes of a ticket.
    fn has_room(&self, pool: &Pool, number: u64, bytes: u64) -> bool {
        if self.is_closed {
            return true;
        }
        let then = self.used.saturating_add(bytes);
        if number != self.first {
            // Those in front may need the rest.
            return then <= pool.share;
        }
        let of_those_before = self.used.saturating_sub(self.early.values().sum());
        then <= pool.bytes || of_those_before < pool.share
    }

    /// The ticket needs to be waited for no longer.
    fn pass(&mut self, number: u64) {
        self.given_up.insert(number);
        while self.given_up.remove(&self.first) {
            self.early.remove(&self.first);
            self.first += 1;
        }
    }
}

impl Ticket {
    /// Takes so many bytes as soon as there is room for them.
    pub(super) fn take(mut self, bytes: u64) -> Lease {
        let (pool, number) = (Arc::clone(&self.pool), self.number);
        let has_no_room = |lines: &mut Lines| !lines.has_room(&pool, number, bytes);
        let mut lines = pool
            .changed
            .wait_while(pool.lock(), has_no_room)
            .unwrap_or_else(PoisonError::into_inner);
        lines.used = lines.used.saturating_add(bytes);
        lines.early.insert(number, bytes);
        lines.pass(number);
        drop(lines);
        self.is_used = true;
        pool.changed.notify_all();
        Lease { pool, number, bytes }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_used {
            self.pool.lock().pass(self.number);
            self.pool.changed.notify_all();
        }
    }
}

impl Lease {
    /// Holds so many bytes instead, whether there is room for them or not: they are there already.
    pub(super) fn resize(&mut self, bytes: u64) {
        let mut lines = self.pool.lock();
        lines.used = lines.used.saturating_sub(self.bytes).saturating_add(bytes);
        if let Some(early) = lines.early.get_mut(&self.number) {
            *early = bytes;
        }
        self.pool.give_back(&lines);
        drop(lines);
        self.bytes = bytes;
        self.pool.changed.notify_all();
    }

    /// How much of what a batch may hold this is.
    pub(super) fn part(&self) -> Part {
        let parts = u128::from(self.bytes) * u128::from(WHOLE);
        // Rounded up: several of them are a whole before they are more than one.
        let parts = parts.div_ceil(u128::from(self.pool.share));
        Part(u64::try_from(parts).unwrap_or(u64::MAX))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.resize(0);
    }
}

/// A part of what a batch may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part(u64);

impl Part {
    /// The same and another one.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Whether it is all, or more.
    pub(super) fn is_whole(self) -> bool {
        self.0 >= WHOLE
    }
}

#[cfg(test)]
mod tests;
