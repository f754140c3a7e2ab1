//! A few threads that wait for work.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Condvar, Mutex, PoisonError, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

/// Rounds for which a thread looks for work before it goes to sleep, or lets others run: some microseconds.
const SPINS: usize = if cfg!(miri) { 2 } else { 2000 };

type Job = *const (dyn Fn(usize) + Sync);

/// Threads that run the same closure, each with its own number; the caller is number 0.
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
    /// Workers that are in the closure. It grows only while the state is locked and has the closure.
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

#[derive(Clone, Copy, Debug)]
struct JobPointer(Job);

// SAFETY: the closure is `Sync`, and `try_run` waits for its workers before the closure goes away.
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

    /// Runs `job(number)` here and on every other thread that comes before it has ended here, and waits for them;
    /// or, where the threads are busy with another caller's closure, returns `false`.
    pub(super) fn try_run(&self, job: &(dyn Fn(usize) + Sync)) -> bool {
        let _busy = match self.busy.try_lock() {
            Ok(busy) => busy,
            // An earlier closure panicked; its threads have finished all the same.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        // SAFETY: only the lifetime changes. No worker starts the closure once it is taken from the state, and below
        // we wait for those that have, also when the caller's part panics.
        let pointer: Job = unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), Job>(job) };
        {
            let mut state = self.shared.lock();
            state.job = Some(JobPointer(pointer));
            self.shared.generation.fetch_add(1, Ordering::Release);
        }
        self.shared.wake.notify_all();
        let result = catch_unwind(AssertUnwindSafe(|| job(0)));
        self.shared.lock().job = None;
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
        {
            // Counted under the lock, as in `try_run`: a worker that looks and then waits would miss it otherwise.
            let mut state = self.shared.lock();
            state.stop = true;
            self.shared.generation.fetch_add(1, Ordering::Release);
        }
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
            // It may be too late for this one.
            let Some(JobPointer(job)) = state.job else {
                continue;
            };
            self.running.fetch_add(1, Ordering::Relaxed);
            drop(state);
            // SAFETY: the closure was there when `running` grew, and `try_run` keeps it until `running` is 0.
            let result = catch_unwind(AssertUnwindSafe(|| unsafe { (*job)(index) }));
            if let Err(panic) = result {
                self.lock().panic = Some(panic);
            }
            self.running.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Waits a little; after some rounds, by letting other threads run.
pub(super) fn relax(spins: &mut usize) {
    *spins += 1;
    if *spins < SPINS {
        std::hint::spin_loop()
    } else {
        std::thread::yield_now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_threads_take_part_where_there_is_time() {
        let threads = Threads::new(3);
        for _ in 0..50 {
            let (arrived, numbers) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let ran = threads.try_run(&|number| {
                numbers.fetch_add(1 << (8 * number), Ordering::Relaxed);
                arrived.fetch_add(1, Ordering::Relaxed);
                let mut spins = 0;
                while arrived.load(Ordering::Relaxed) < 3 {
                    relax(&mut spins);
                }
            });
            assert!(ran);
            assert_eq!(numbers.into_inner(), 0x01_01_01);
        }
    }

    #[test]
    fn a_closure_is_not_used_after_its_run() {
        let threads = Threads::new(2);
        for round in 0..500 {
            let current = AtomicUsize::new(round);
            assert!(threads.try_run(&|_| assert_eq!(current.load(Ordering::Relaxed), round)));
            current.store(usize::MAX, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_leaves_the_threads_usable() {
        let threads = Threads::new(2);
        let result = catch_unwind(AssertUnwindSafe(|| {
            threads.try_run(&|number| assert!(number != 0, "as intended"))
        }));
        assert!(result.is_err());
        assert!(threads.try_run(&|_| {}));
    }
}
