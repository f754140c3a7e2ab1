//! How threads share the tasks of phases that follow each other, without waiting for a thread that is late.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::threads::relax;

/// Phases that follow each other, each of some tasks: a phase starts when all tasks of the one before are done.
///
/// Threads go through the phases each at its own pace. One that starts late, or that the system has stopped between
/// two tasks, goes on with the phase that the others have come to; nobody waits for it.
#[derive(Debug, Default)]
pub(super) struct Phases {
    /// The current phase in the upper half, the first of its tasks that nobody has taken in the lower one.
    next: AtomicU64,
    /// Tasks of the current phase that are done.
    done: AtomicUsize,
    /// Set when a task will never be done.
    broken: AtomicBool,
}

impl Phases {
    /// Takes part in a phase: runs tasks that nobody has taken, and returns when all are done. `finished` runs
    /// once, in the thread that does the last task, before the next phase starts.
    ///
    /// All threads call this for the same phases, counted from 0, with the same number of tasks, at least one.
    ///
    /// # Panics
    /// Where another thread has panicked.
    pub(super) fn run(&self, phase: u32, tasks: u32, mut task: impl FnMut(usize), finished: impl FnOnce()) {
        debug_assert!(tasks > 0, "a phase without tasks never ends");
        let start = u64::from(phase) << u32::BITS;
        let end = start + u64::from(tasks);
        let mut spins = 0;
        loop {
            let next = self.next.load(Ordering::Acquire);
            debug_assert!(next >= start, "the phase before is not done");
            if next < end {
                let taken =
                    self.next
                        .compare_exchange_weak(next, next + 1, Ordering::AcqRel, Ordering::Acquire);
                if taken.is_err() {
                    continue;
                }
                task((next - start) as usize);
                if self.done.fetch_add(1, Ordering::AcqRel) + 1 == tasks as usize {
                    finished();
                    self.done.store(0, Ordering::Relaxed);
                    self.next.store(start + (1 << u32::BITS), Ordering::Release);
                    return;
                }
            } else if next >> u32::BITS > u64::from(phase) {
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
    use super::super::threads::Threads;
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn each_task_runs_once_and_after_those_of_the_phase_before() {
        let threads = Threads::new(3);
        for _ in 0..50 {
            let phases = Phases::default();
            let counts = [const { AtomicUsize::new(0) }; 4];
            let ran = threads.try_run(&|_| {
                for (phase, count) in counts.iter().enumerate() {
                    let tasks = 5 * phase + 1;
                    let before = || phase == 0 || counts[phase - 1].load(Ordering::Relaxed) == 5 * phase - 4;
                    phases.run(
                        phase as u32,
                        tasks as u32,
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
        let phases = Phases::default();
        for phase in 0..3 {
            phases.run(phase, 2, |_| {}, || {});
        }
        // A thread that starts now finds nothing to do in any phase.
        for phase in 0..3 {
            phases.run(phase, 2, |_| panic!("it was done"), || panic!("it was finished"));
        }
    }

    #[test]
    fn a_panic_breaks_the_phase_for_all() {
        let threads = Threads::new(2);
        let phases = Phases::default();
        let result = catch_unwind(AssertUnwindSafe(|| {
            threads.try_run(&|_| {
                let _guard = phases.guard();
                phases.run(0, 2, |task| assert!(task == 0, "as intended"), || {});
            })
        }));
        assert!(result.is_err());
        assert!(threads.try_run(&|_| {}));
    }
}
