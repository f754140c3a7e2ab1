//! Running the steps: images on threads of their own, or all threads on the same images.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::build::Program;
use super::phases::Phases;
use super::steps::{Context, Scratch, Step};
use crate::memory::{AlignedBuffer, Halo};
use crate::simd::Isa;

/// Buffers of one length that runs borrow, so that only the first ones allocate.
#[derive(Debug)]
pub(super) struct BufferPool {
    length: usize,
    free: Mutex<Vec<AlignedBuffer>>,
}

impl BufferPool {
    pub(super) fn new(length: usize) -> Self {
        Self {
            length,
            free: Mutex::new(Vec::new()),
        }
    }

    fn take(&self) -> AlignedBuffer {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| AlignedBuffer::zeroed(self.length))
    }

    fn put(&self, buffer: AlignedBuffer) {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(buffer);
    }

    /// Bytes of one buffer.
    pub(super) fn bytes(&self) -> usize {
        self.length * size_of::<f32>()
    }
}

/// The memory of a program's runs.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) arenas: BufferPool,
    pub(super) scratch: BufferPool,
    pub(super) shared: BufferPool,
}

impl Memory {
    pub(super) fn new(program: &Program) -> Self {
        Self {
            arenas: BufferPool::new(program.arena),
            scratch: BufferPool::new(program.scratch),
            shared: BufferPool::new(program.shared),
        }
    }
}

/// A batch of the caller's, whose slices have been checked.
pub(super) struct Batch<'a> {
    pub(super) isa: Isa,
    pub(super) program: &'a Program,
    pub(super) memory: &'a Memory,
    pub(super) inputs: &'a [&'a [f32]],
    /// The start of each output and its length for one image.
    pub(super) outputs: &'a [(*mut f32, usize)],
}

// SAFETY: every image's part of an output is written by the one that runs the image.
unsafe impl Sync for Batch<'_> {}

impl Batch<'_> {
    /// Runs some images on this thread. `finished` is called after each step with its index.
    pub(super) fn run_alone(&self, images: Range<usize>, finished: impl Fn(usize)) {
        let arena = self.memory.arenas.take();
        let scratch = self.memory.scratch.take();
        let (own, own_length) = (scratch.as_shared_ptr(), scratch.len());
        let scratch_of = Scratch {
            own,
            own_length,
            shared: std::ptr::null_mut(),
        };
        self.each_pass(&arena, &images, 1, |context, steps| {
            for index in steps {
                run_step(context, self.program.steps[index].as_ref(), scratch_of);
                finished(index);
            }
        });
        self.memory.scratch.put(scratch);
        self.memory.arenas.put(arena);
    }

    /// Makes what threads share to run some images together, see [`Together::run`].
    pub(super) fn together(&self, images: Range<usize>, threads: usize) -> Together<'_> {
        Together {
            batch: self,
            images,
            arena: self.memory.arenas.take(),
            shared: self.memory.shared.take(),
            phases: Phases::new(threads),
            threads,
        }
    }

    /// Calls `run` for the steps of each segment and the images that go through them together.
    fn each_pass(
        &self,
        arena: &AlignedBuffer,
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
                    arena: arena.as_shared_ptr(),
                    buffers: &self.program.buffers,
                    chunk: images.start,
                    pass: (first, count),
                    inputs: self.inputs,
                    outputs: self.outputs,
                    data: PhantomData,
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
    arena: AlignedBuffer,
    shared: AlignedBuffer,
    phases: Phases,
    threads: usize,
}

impl Together<'_> {
    /// The part of the thread of this number: all threads call it, and one of them is enough. `finished` is called
    /// after each step, and part of a step, with the step's index.
    pub(super) fn run(&self, thread: usize, finished: impl Fn(usize)) {
        let _guard = self.phases.guard();
        let memory = self.batch.memory;
        let own = memory.scratch.take();
        let scratch = Scratch {
            own: own.as_shared_ptr(),
            own_length: own.len(),
            shared: self.shared.as_shared_ptr(),
        };
        let mut count = 0;
        self.batch
            .each_pass(&self.arena, &self.images, self.threads, |context, steps| {
                for index in steps {
                    let step = self.batch.program.steps[index].as_ref();
                    let images = context.images();
                    for phase in 0..step.phases(images, self.threads) {
                        let tasks = step.tasks(images, self.threads, phase);
                        // Clearing the halo is a task of the first phase: it writes where the others do not.
                        let halos = usize::from(phase == 0);
                        let run = |task| {
                            if task < tasks {
                                step.run(context, scratch, phase, task)
                            } else {
                                clear_halos(context, step)
                            }
                        };
                        self.phases
                            .run(thread, count, tasks + halos, run, || finished(index));
                        count += 1;
                    }
                }
            });
        memory.scratch.put(own);
    }

    /// Gives the memory back.
    pub(super) fn finish(self) {
        self.batch.memory.arenas.put(self.arena);
        self.batch.memory.shared.put(self.shared);
    }
}

/// Runs all tasks of a step on this thread.
fn run_step(context: &Context, step: &dyn Step, scratch: Scratch) {
    clear_halos(context, step);
    for task in 0..step.tasks(context.images(), 1, 0) {
        step.run(context, scratch, 0, task);
    }
}

/// Writes zeros around the value that a step computes.
fn clear_halos(context: &Context, step: &dyn Step) {
    let Some(part) = step.output().filter(|part| part.layout.halo != Halo::default()) else {
        return;
    };
    for image in 0..context.images() {
        context.write(&part, image).clear_halo(0..part.layout.blocks());
    }
}
