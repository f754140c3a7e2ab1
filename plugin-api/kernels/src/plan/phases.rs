//! How threads share the tasks of phases that follow each other, without waiting for a thread that is late.

use super::{steps::part_of, threads::relax};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// Phases that follow each other, each of some tasks: a phase starts when all tasks of the one before are done.
///
/// Each thread has a share of a phase's tasks, always the same part of them, because what its last tasks wrote is in
/// its own cache; a thread that is done with its share takes tasks from those of others. Threads go through the phases
/// each at its own pace. One that starts late, or that the system has stopped between two tasks, goes on with the
/// phase that the others have come to; nobody waits for it.
#[derive(Debug)]
pub(super) struct Phases {
    /// The phase whose tasks are not all done.
    current: AtomicU32,
    /// Tasks that have been taken from each thread's share.
    shares: Box<[Share]>,
    /// Tasks of the current phase that are done.
    done: AtomicUsize,
    /// Set when a task will never be done.
    broken: AtomicBool,
}

/// A phase in the upper half and how many of the share's tasks have been taken in the lower one; of an earlier phase
/// where none has been taken in the current one. Alone in its lines of the cache.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Share(AtomicU64);

impl Share {
    /// The number, within the share, of a task that nobody has taken.
    fn take(&self, phase: u32, tasks: usize) -> Option<usize> {
        let start = u64::from(phase) << u32::BITS;
        let end = start + tasks as u64;
        let taken = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |next| {
            let next = next.max(start);
            (next < end).then_some(next + 1)
        });
        taken.ok().map(|next| (next.max(start) - start) as usize)
    }
}

impl Phases {
    /// Phases for so many threads.
    pub(super) fn new(threads: usize) -> Self {
        Self {
            current: AtomicU32::new(0),
            shares: (0..threads).map(|_| Share::default()).collect(),
            done: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    /// Takes part in a phase as the thread of this number: runs tasks that nobody has taken, and returns when all are
    /// done. `finished` runs once, in the thread that does the last task, before the next phase starts.
    ///
    /// All threads call this for the same phases, counted from 0, with the same number of tasks, at least one.
    ///
    /// # Panics
    /// Where another thread has panicked.
    pub(super) fn run(
        &self,
        thread: usize,
        phase: u32,
        tasks: usize,
        mut task: impl FnMut(usize),
        finished: impl FnOnce(),
    ) {
        debug_assert!(tasks > 0, "a phase without tasks never ends");
        debug_assert!(
            self.current.load(Ordering::Acquire) >= phase,
            "the phase before is not done"
        );
        let mut spins = 0;
        loop {
            if let Some(taken) = self.take(thread, phase, tasks) {
                task(taken);
                if self.done.fetch_add(1, Ordering::AcqRel) + 1 == tasks {
                    finished();
                    self.done.store(0, Ordering::Relaxed);
                    self.current.store(phase + 1, Ordering::Release);
                    return;
                }
            } else if self.current.load(Ordering::Acquire) > phase {
                return;
            } else {
                assert!(
                    !self.broken.load(Ordering::Relaxed),
                    "another thread of this run has panicked"
                );
                relax(&mut spins);
            }
        }
    }

    /// A task that nobody has taken: of the thread's own share, or of the next one that has some left.
    fn take(&self, thread: usize, phase: u32, tasks: usize) -> Option<usize> {
        let threads = self.shares.len();
        (0..threads).find_map(|offset| {
            let share = (thread + offset) % threads;
            let part = part_of(tasks, threads, share);
            let taken = self.shares[share].take(phase, part.len())?;
            Some(part.start + taken)
        })
    }

    /// Tells the other threads when it is dropped during a panic.
    pub(super) fn guard(&self) -> impl Drop + '_ {
        struct Guard<'a>(&'a Phases);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    self.0.broken.store(true, Ordering::Relaxed);
                }
            }
        }
        Guard(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::threads::Threads, *};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn each_task_runs_once_and_after_those_of_the_phase_before() {
        let threads = Threads::new(3);
        for _ in 0..50 {
            let phases = Phases::new(3);
            let counts = [const { AtomicUsize::new(0) }; 4];
            let ran = threads.try_run(&|thread| {
                for (phase, count) in counts.iter().enumerate() {
                    let tasks = 5 * phase + 1;
                    let before = || phase == 0 || counts[phase - 1].load(Ordering::Relaxed) == 5 * phase - 4;
                    phases.run(
                        thread,
                        phase as u32,
                        tasks,
                        |_| {
                            assert!(before());
                            count.fetch_add(1, Ordering::Relaxed);
                        },
                        || assert_eq!(count.load(Ordering::Relaxed), tasks),
                    );
                }
            });
            assert!(ran);
            assert_eq!(counts.map(AtomicUsize::into_inner), [1, 6, 11, 16]);
        }
    }

    #[test]
    fn nobody_waits_for_a_thread_that_is_late() {
        let phases = Phases::new(2);
        for phase in 0..3 {
            phases.run(0, phase, 2, |_| {}, || {});
        }
        // A thread that starts now finds nothing to do in any phase.
        for phase in 0..3 {
            phases.run(
                1,
                phase,
                2,
                |_| panic!("it was done"),
                || panic!("it was finished"),
            );
        }
    }

    #[test]
    fn a_thread_begins_with_its_own_share() {
        let phases = Phases::new(2);
        for (thread, expected) in [(0, [0, 1, 2, 3]), (1, [2, 3, 0, 1])] {
            let mut order = Vec::new();
            phases.run(thread, thread as u32, 4, |task| order.push(task), || {});
            assert_eq!(order, expected);
        }
    }

    #[test]
    fn a_panic_breaks_the_phase_for_all() {
        let threads = Threads::new(2);
        let phases = Phases::new(2);
        let result = catch_unwind(AssertUnwindSafe(|| {
            threads.try_run(&|thread| {
                let _guard = phases.guard();
                phases.run(thread, 0, 2, |task| assert!(task == 0, "as intended"), || {});
            })
        }));
        assert!(result.is_err());
        assert!(threads.try_run(&|_| {}));
    }
}
