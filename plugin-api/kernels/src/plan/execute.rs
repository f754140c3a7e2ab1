//! Running the steps: images on threads of their own, or all threads on the same images.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::build::Program;
use super::steps::{Context, Scratch, Step};
use super::threads::Barrier;
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
    /// Runs some images on this thread.
    pub(super) fn run_alone(&self, images: Range<usize>) {
        self.run_steps(images, |context, step, scratch, _| {
            run_step(context, step, scratch)
        });
    }

    /// Runs some images on this thread and adds the time of each step to `times`.
    pub(super) fn run_timed(&self, images: Range<usize>, times: &mut [Duration]) {
        self.run_steps(images, |context, step, scratch, index| {
            let start = Instant::now();
            run_step(context, step, scratch);
            times[index] += start.elapsed();
        });
    }

    fn run_steps(&self, images: Range<usize>, mut run: impl FnMut(&Context, &dyn Step, Scratch, usize)) {
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
                run(context, self.program.steps[index].as_ref(), scratch_of, index);
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
            barrier: Barrier::new(threads),
            next: AtomicUsize::new(0),
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

/// Images that several threads run together, each step's tasks shared among them.
pub(super) struct Together<'a> {
    batch: &'a Batch<'a>,
    images: Range<usize>,
    arena: AlignedBuffer,
    shared: AlignedBuffer,
    barrier: Barrier,
    /// The next task of the current step.
    next: AtomicUsize,
    threads: usize,
}

impl Together<'_> {
    /// One thread's part; all threads call it.
    pub(super) fn run(&self) {
        let _guard = self.barrier.guard();
        let memory = self.batch.memory;
        let own = memory.scratch.take();
        let scratch = Scratch {
            own: own.as_shared_ptr(),
            own_length: own.len(),
            shared: self.shared.as_shared_ptr(),
        };
        self.batch
            .each_pass(&self.arena, &self.images, self.threads, |context, steps| {
                for step in &self.batch.program.steps[steps] {
                    let images = context.images();
                    for phase in 0..step.phases(images, self.threads) {
                        let tasks = step.tasks(images, self.threads, phase);
                        // Clearing the halo goes with the first tasks: it writes where they do not.
                        let halos = usize::from(phase == 0);
                        loop {
                            let task = self.next.fetch_add(1, Ordering::Relaxed);
                            if task < halos {
                                clear_halos(context, step.as_ref());
                            } else if task < halos + tasks {
                                step.run(context, scratch, phase, task - halos);
                            } else {
                                break;
                            }
                        }
                        self.barrier.wait(|| self.next.store(0, Ordering::Relaxed));
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
