//! A few threads that wait for work, and the barrier at which they meet.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;

/// Rounds for which a thread looks for work before it goes to sleep, or lets others run: some microseconds.
const SPINS: usize = 2000;

type Job = *const (dyn Fn(usize) + Sync);

/// Threads that all run the same closure, each with its own number; the caller is number 0.
#[derive(Debug)]
pub(super) struct Threads {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held while a closure runs.
    busy: Mutex<()>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Counts closures; workers look here first.
    generation: AtomicUsize,
    /// Workers that have not finished the closure.
    running: AtomicUsize,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    job: Option<JobPointer>,
    stop: bool,
    panic: Option<Box<dyn Any + Send>>,
}

#[derive(Debug, Clone, Copy)]
struct JobPointer(Job);

// SAFETY: the closure is `Sync`, and `run` waits for all workers before the closure goes away.
unsafe impl Send for JobPointer {}

impl Threads {
    /// `count` threads with the caller's; fewer where the system has no more.
    pub(super) fn new(count: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let spawn = |index: usize| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("kernels-{index}"))
                .spawn(move || shared.work(index))
                .ok()
        };
        let workers = (1..count).map_while(spawn).collect();
        Self {
            shared,
            workers,
            busy: Mutex::new(()),
        }
    }

    /// How many threads there are, the caller's included.
    pub(super) fn count(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `job(number)` on all threads and waits for them; or, where they are busy with another caller's
    /// closure, returns `false`.
    pub(super) fn try_run(&self, job: &(dyn Fn(usize) + Sync)) -> bool {
        let _busy = match self.busy.try_lock() {
            Ok(busy) => busy,
            // An earlier closure panicked; its threads have finished all the same.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        // SAFETY: only the lifetime changes; `Finish` waits for the workers before `job` goes out of scope, also
        // when the caller's part panics.
        let pointer: Job = unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), Job>(job) };
        self.shared.running.store(self.workers.len(), Ordering::Release);
        {
            let mut state = self.shared.lock();
            state.job = Some(JobPointer(pointer));
            self.shared.generation.fetch_add(1, Ordering::Release);
        }
        self.shared.wake.notify_all();
        let result = catch_unwind(AssertUnwindSafe(|| job(0)));
        let mut spins = 0;
        while self.shared.running.load(Ordering::Acquire) > 0 {
            relax(&mut spins);
        }
        let panic = self.shared.lock().panic.take();
        if let Some(panic) = result.err().or(panic) {
            resume_unwind(panic);
        }
        true
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.generation.fetch_add(1, Ordering::Release);
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its closures, so there is nothing to report.
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, index: usize) {
        let mut seen = 0;
        loop {
            let mut spins = 0;
            while self.generation.load(Ordering::Acquire) == seen && spins < SPINS {
                std::hint::spin_loop();
                spins += 1;
            }
            let mut state = self.lock();
            while self.generation.load(Ordering::Acquire) == seen {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            seen = self.generation.load(Ordering::Acquire);
            if state.stop {
                return;
            }
            let Some(JobPointer(job)) = state.job else {
                continue;
            };
            drop(state);
            // SAFETY: `try_run` keeps the closure until `running` is 0.
            let result = catch_unwind(AssertUnwindSafe(|| unsafe { (*job)(index) }));
            if let Err(panic) = result {
                self.lock().panic = Some(panic);
            }
            self.running.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Waits a little; after some rounds, by letting other threads run.
fn relax(spins: &mut usize) {
    *spins += 1;
    if *spins < SPINS {
        std::hint::spin_loop()
    } else {
        std::thread::yield_now()
    }
}

/// Where threads meet between two steps.
#[derive(Debug)]
pub(super) struct Barrier {
    threads: usize,
    waiting: AtomicUsize,
    round: AtomicUsize,
    /// Set when a thread will never come.
    broken: AtomicBool,
}

impl Barrier {
    pub(super) fn new(threads: usize) -> Self {
        Self {
            threads,
            waiting: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    /// Waits for all threads; the last one to come runs `between` before any goes on.
    ///
    /// # Panics
    /// Where another thread has panicked.
    pub(super) fn wait(&self, between: impl FnOnce()) {
        let round = self.round.load(Ordering::Acquire);
        if self.waiting.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            between();
            self.waiting.store(0, Ordering::Relaxed);
            self.round.store(round.wrapping_add(1), Ordering::Release);
            return;
        }
        let mut spins = 0;
        while self.round.load(Ordering::Acquire) == round {
            assert!(
                !self.broken.load(Ordering::Relaxed),
                "another thread of this run has panicked"
            );
            relax(&mut spins);
        }
    }

    /// Breaks the barrier when it is dropped during a panic.
    pub(super) fn guard(&self) -> impl Drop + '_ {
        struct Guard<'a>(&'a Barrier);
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
    use super::*;

    #[test]
    fn every_thread_runs_the_closure_once_and_meets_the_others() {
        let threads = Threads::new(3);
        for _ in 0..50 {
            let barrier = Barrier::new(threads.count());
            let (before, between) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let ran = threads.try_run(&|number| {
                before.fetch_add(1 << (8 * number), Ordering::Relaxed);
                barrier.wait(|| between.store(before.load(Ordering::Relaxed), Ordering::Relaxed));
                assert_eq!(between.load(Ordering::Relaxed), 0x01_01_01);
            });
            assert!(ran);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_leaves_the_threads_usable() {
        let threads = Threads::new(2);
        let barrier = Barrier::new(2);
        let result = catch_unwind(AssertUnwindSafe(|| {
            threads.try_run(&|number| {
                let _guard = barrier.guard();
                assert!(number == 0, "as intended");
                barrier.wait(|| {});
            })
        }));
        assert!(result.is_err());
        assert!(threads.try_run(&|_| {}));
    }
}
