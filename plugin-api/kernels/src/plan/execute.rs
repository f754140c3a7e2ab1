//! Running the steps: images on threads of their own, or all threads on the same images.

use super::{
    arrangement::chunks,
    build::Program,
    memory::{CommonMemory, Memory},
    phases::Phases,
    steps::{Context, Output, Step, Task},
};
use crate::{
    memory::{Halo, SharedMut, Target},
    simd::Isa,
};
use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A batch of the caller's, whose slices have been checked.
pub(super) struct Batch<'a> {
    pub(super) isa: Isa,
    pub(super) program: &'a Program,
    pub(super) memory: &'a Memory,
    pub(super) inputs: &'a [&'a [f32]],
    pub(super) outputs: &'a [Output<'a>],
}

impl<'a> Batch<'a> {
    /// Runs some images on this thread. `finished` is called after each step with its index.
    pub(super) fn run_alone(&self, images: Range<usize>, finished: impl Fn(usize)) {
        let mut arena = self.memory.arenas.take();
        let mut own = self.memory.scratch.take();
        self.each_pass(SharedMut::new(&mut arena), &images, 1, |context, steps| {
            for index in steps {
                run_step(context, self.program.steps[index].as_ref(), &mut own);
                finished(index);
            }
        });
        self.memory.scratch.put(own);
        self.memory.arenas.put(arena);
    }

    /// Makes what threads share to run some images together, at most `largest` at a time, see [`Together::run`].
    pub(super) fn together<'t>(
        &'t self,
        images: Range<usize>,
        largest: usize,
        threads: usize,
        memory: &'t mut CommonMemory,
    ) -> Together<'t> {
        Together {
            batch: self,
            images,
            largest,
            arena: SharedMut::new(&mut memory.arena),
            shared: SharedMut::new(&mut memory.shared),
            phases: Phases::new(threads),
            threads,
        }
    }

    /// Calls `run` for the steps of each segment and the images that go through them together.
    fn each_pass(
        &self,
        arena: SharedMut,
        images: &Range<usize>,
        threads: usize,
        mut run: impl FnMut(&Context, Range<usize>),
    ) {
        for segment in &self.program.segments {
            let mut first = 0;
            while first < images.len() {
                let count = segment.images.min(images.len() - first);
                let context = Context {
                    isa: self.isa,
                    threads,
                    arena,
                    buffers: &self.program.buffers,
                    chunk: images.start,
                    pass: (first, count),
                    inputs: self.inputs,
                    outputs: self.outputs,
                };
                run(&context, segment.steps.clone());
                first += count;
            }
        }
    }
}

/// The time that each step takes, by the moments at which steps are finished.
#[derive(Debug)]
pub(super) struct StepTimes {
    state: Mutex<(Instant, Vec<Duration>)>,
}

impl StepTimes {
    pub(super) fn new(steps: usize) -> Self {
        Self {
            state: Mutex::new((Instant::now(), vec![Duration::ZERO; steps])),
        }
    }

    /// The next step starts now.
    pub(super) fn start(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 = Instant::now();
    }

    /// A step, or a part of it, is finished, and the next one starts.
    pub(super) fn add(&self, step: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, times) = &mut *state;
        let now = Instant::now();
        times[step] += now - *start;
        *start = now;
    }

    pub(super) fn finish(self) -> Vec<Duration> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// Images that several threads run together, each step's tasks shared among them.
pub(super) struct Together<'a> {
    batch: &'a Batch<'a>,
    images: Range<usize>,
    /// So many of them have a place in the arena at a time.
    largest: usize,
    arena: SharedMut<'a>,
    shared: SharedMut<'a>,
    phases: Phases,
    threads: usize,
}

impl Together<'_> {
    /// The part of the thread of this number: all threads call it, and one of them is enough. `finished` is called
    /// after each step, and part of a step, with the step's index.
    pub(super) fn run(&self, thread: usize, finished: impl Fn(usize)) {
        let _guard = self.phases.guard();
        let scratch = &self.batch.memory.scratch;
        let mut own = scratch.take();
        let mut count = 0;
        for images in chunks(self.images.clone(), self.largest) {
            self.batch
                .each_pass(self.arena, &images, self.threads, |context, steps| {
                    for index in steps {
                        let step = self.batch.program.steps[index].as_ref();
                        for phase in 0..step.phases(context.images(), self.threads) {
                            self.run_phase(context, step, (phase, count), thread, &mut own, || {
                                finished(index)
                            });
                            count += 1;
                        }
                    }
                });
        }
        scratch.put(own);
    }

    /// Runs tasks of a phase of a step, the `count`-th one of all.
    fn run_phase(
        &self,
        context: &Context,
        step: &dyn Step,
        (phase, count): (usize, u32),
        thread: usize,
        own: &mut [f32],
        finished: impl FnOnce(),
    ) {
        let tasks = step.tasks(context.images(), self.threads, phase);
        // Clearing the halo is a task of the first phase: it writes where the others do not.
        let halos = usize::from(phase == 0);
        let run = |index| {
            // SAFETY: `phases` gives each index of a phase to one thread, and starts a phase when all tasks of the one
            // before are done. All threads go through the same phases of the same steps, and the arena is theirs.
            unsafe {
                if index < tasks {
                    let task = Task::new(context, step, (phase, index), self.shared);
                    step.run(&task, own);
                } else {
                    clear_halos(context, step);
                }
            }
        };
        self.phases.run(thread, count, tasks + halos, run, finished);
    }
}

/// Runs all tasks of a step on this thread.
fn run_step(context: &Context, step: &dyn Step, own: &mut [f32]) {
    // SAFETY: the arena is this thread's own, and tasks run one after the other.
    unsafe { clear_halos(context, step) };
    for index in 0..step.tasks(context.images(), 1, 0) {
        // SAFETY: as above; one thread has one phase.
        unsafe {
            let task = Task::new(context, step, (0, index), SharedMut::new(&mut []));
            step.run(&task, own);
        }
    }
}

/// Writes zeros around the value that a step computes.
///
/// # Safety
/// Nobody else uses the halo meanwhile.
unsafe fn clear_halos(context: &Context, step: &dyn Step) {
    let Some(part) = step.output().filter(|part| part.layout.halo != Halo::default()) else {
        return;
    };
    for image in 0..context.images() {
        let target = Target::new(context.values(&part, image), part.layout);
        // SAFETY: the caller's promise.
        unsafe { target.clear_halo() };
    }
}
