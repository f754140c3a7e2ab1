//! A network compiled for the shapes of its inputs.
//!
//! Compiling fuses nodes into layers (`fuse`), chooses an algorithm for each (`algorithm`) and what is computed on bytes
//! (`quantise`, where `ranges` are given) or on bf16 (`bf16`, where that is the `precision`), packs weights (`weights`,
//! `byte_weights`, `packer`), gives values their places in memory (`storage`) and makes steps of it all (`build`, `steps`), which
//! threads (`threads`) then run (`execute`) phase by phase (`phases`) in memory that is used again (`memory`), each on images of
//! its own or all on the same ones (`arrangement`).
//!
//! Ranges come from samples (`calibration`): of the channels' extremes and moments (`statistics`) follow the steps of their
//! bytes (`scaling`), of trials which layers stay in numbers (`choice`), and a file keeps it all (`record`).

mod algorithm;
mod arrangement;
mod bf16;
mod build;
mod byte_weights;
mod calibration;
mod choice;
mod execute;
mod fuse;
mod memory;
#[cfg(any(misuse = "names", misuse = "uses"))]
#[path = "../../tests/boundary/misuse.rs"]
mod misuse;
mod options;
mod packer;
mod phases;
mod quantise;
mod ranges;
mod record;
mod scaling;
mod statistics;
mod steps;
mod storage;
mod threads;
mod weights;

use self::{
    arrangement::{Arrangement, Arrangements, chunks, shares},
    build::{Program, build},
    execute::{Batch, StepTimes},
    memory::Memory,
};
pub use self::{
    calibration::Calibration,
    options::{PlanOptions, Precision},
    ranges::{ByteRange, Ranges, RangesError},
};
use self::{packer::Packer, steps::Output, threads::Threads, weights::PackedWeights};
use crate::{
    batch::{RunError, check_inputs, check_outputs},
    graph::{Graph, GraphError, Shape},
    memory::SharedMut,
    simd::Isa,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// A network compiled for the shapes of its inputs; any number of threads may run it at the same time.
#[derive(Debug)]
pub struct Plan {
    graph: Graph,
    options: PlanOptions,
    isa: Isa,
    program: Program,
    memory: Memory,
    arrangements: Arrangements,
    threads: Arc<Threads>,
    packed: Arc<PackedWeights>,
}

/// What a plan keeps in memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// Weights in the order in which the kernels read them. Plans made by [`Plan::with_input_shapes`] share them.
    pub packed_weights: usize,
    /// Values of the images that a thread works on, once for each thread that runs images.
    pub values: usize,
    /// Further memory of each thread.
    pub scratch: usize,
}

impl Plan {
    /// Compiles a network.
    ///
    /// # Errors
    /// A layer that does not fit the shapes asked for.
    pub fn compile(graph: &Graph, options: &PlanOptions) -> Result<Self, GraphError> {
        let threads = match options.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        };
        let threads = Arc::new(Threads::new(threads));
        let packed = Arc::default();
        Self::compile_sharing(graph, options.clone(), threads, packed)
    }

    /// The same network for inputs of other shapes, with the same packed weights and threads.
    ///
    /// # Errors
    /// A layer that does not fit the new shapes.
    pub fn with_input_shapes(&self, shapes: &[Shape]) -> Result<Self, GraphError> {
        let options = PlanOptions {
            input_shapes: Some(shapes.to_vec()),
            ..self.options.clone()
        };
        Self::compile_sharing(
            &self.graph,
            options,
            Arc::clone(&self.threads),
            Arc::clone(&self.packed),
        )
    }

    fn compile_sharing(
        graph: &Graph,
        options: PlanOptions,
        threads: Arc<Threads>,
        packed: Arc<PackedWeights>,
    ) -> Result<Self, GraphError> {
        let graph = match &options.input_shapes {
            Some(shapes) => graph.with_input_shapes(shapes)?,
            None => graph.clone(),
        };
        let options = options.in_range();
        let isa = options.isa.unwrap_or_else(Isa::best);
        let program = build(&graph, &options, isa, Packer::new(&packed, &threads));
        let memory = Memory::new(program.arena, program.scratch, program.shared);
        Ok(Self {
            graph,
            options,
            isa,
            program,
            memory,
            arrangements: Arrangements::default(),
            threads,
            packed,
        })
    }

    /// The network with the shapes that this plan was compiled for.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What it keeps in memory.
    pub fn memory(&self) -> MemoryUse {
        MemoryUse {
            packed_weights: self.packed.bytes(),
            values: self.memory.arena_bytes(),
            scratch: self.memory.scratch_bytes(),
        }
    }

    /// Runs a batch. `inputs` and `outputs` hold each input and output as a dense batch (maps NCHW, tokens NLC,
    /// vectors NC); outputs are overwritten.
    ///
    /// Threads share the images, and run those that are left over, or a single one, together; or they run all of them
    /// together, if that was faster for the first batches of this size, which try both. Results are the same.
    /// Where another call is using the threads, this one runs on the caller's thread.
    ///
    /// All slices are borrowed until it returns, so that no output is another one, or an input:
    ///
    /// ```compile_fail,E0499
    /// # use modelzoo_kernels::plan::Plan;
    /// fn halve(plan: &Plan, image: &[f32], maps: &mut [f32]) -> Result<(), modelzoo_kernels::RunError> {
    ///     plan.run(&[image], &mut [&mut *maps, &mut *maps], 1)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`RunError`] where a slice does not fit; nothing has been written then.
    pub fn run(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]], batch: usize) -> Result<(), RunError> {
        let outputs = self.check(inputs, outputs, batch)?;
        let work = self.batch(inputs, &outputs);
        if !self.run_on_threads(&work, batch) {
            for chunk in chunks(0..batch, self.options.images_together) {
                work.run_alone(chunk, |_| {});
            }
        }
        Ok(())
    }

    /// Runs a batch with all threads on the same images, as [`run`](Self::run) does with a single one, and returns
    /// the time that each step took, with the name of the layer that it belongs to.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn profile(
        &self,
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
        batch: usize,
    ) -> Result<Vec<(&str, Duration)>, RunError> {
        let outputs = self.check(inputs, outputs, batch)?;
        let work = self.batch(inputs, &outputs);
        let times = StepTimes::new(self.program.steps.len());
        for images in chunks(0..batch, self.options.images_together) {
            let mut memory = self.memory.take();
            let count = images.len();
            let together = work.together(images.clone(), count, self.threads.count(), &mut memory);
            times.start();
            let ran = self.threads.count() > 1
                && self
                    .threads
                    .try_run(&|thread| together.run(thread, |step| times.add(step)));
            if !ran {
                work.run_alone(images, |step| times.add(step));
            }
            self.memory.put(memory);
        }
        Ok(self
            .program
            .names
            .iter()
            .map(String::as_str)
            .zip(times.finish())
            .collect())
    }

    /// Checks the caller's slices and returns the outputs for the threads to share.
    fn check<'o>(
        &self,
        inputs: &[&[f32]],
        outputs: &'o mut [&mut [f32]],
        batch: usize,
    ) -> Result<Vec<Output<'o>>, RunError> {
        let lengths: Vec<usize> = inputs.iter().map(|input| input.len()).collect();
        check_inputs(&self.graph, &lengths, batch)?;
        let lengths: Vec<usize> = outputs.iter().map(|output| output.len()).collect();
        check_outputs(&self.graph, &lengths, batch)?;
        let images = batch.max(1);
        Ok(outputs
            .iter_mut()
            .map(|output| Output {
                image: output.len() / images,
                values: SharedMut::new(output),
            })
            .collect())
    }

    fn batch<'a>(&'a self, inputs: &'a [&'a [f32]], outputs: &'a [Output<'a>]) -> Batch<'a> {
        Batch {
            isa: self.isa,
            program: &self.program,
            memory: &self.memory,
            inputs,
            outputs,
        }
    }

    /// Runs a batch on all threads, or returns `false` where there is only one or they are busy.
    fn run_on_threads(&self, work: &Batch, batch: usize) -> bool {
        let threads = self.threads.count();
        if threads == 1 {
            return false;
        }
        let largest = self.options.images_together;
        let arrangement = self.arrangements.next(batch);
        let apart = match arrangement {
            Arrangement::Apart => batch / threads * threads,
            Arrangement::Together => 0,
        };
        let parts = shares(apart, threads, largest);
        let next = AtomicUsize::new(0);
        let mut memory = (apart < batch).then(|| self.memory.take());
        let together = memory
            .as_mut()
            .map(|memory| work.together(apart..batch, largest, threads, memory));
        let started = Instant::now();
        let ran = self.threads.try_run(&|thread| {
            while let Some(images) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                work.run_alone(images.clone(), |_| {});
            }
            if let Some(images) = &together {
                images.run(thread, |_| {});
            }
        });
        if ran {
            self.arrangements.took(batch, arrangement, started.elapsed());
        }
        drop(together);
        memory.into_iter().for_each(|memory| self.memory.put(memory));
        ran
    }
}
