//! Packs the weights that the layers of a plan have asked for, all of them at once and on all threads: where each layer's are
//! packed alone, threads begin and wait for each other once for each layer.

use super::{
    fuse::Layer,
    phases::Phases,
    threads::Threads,
    weights::{Fill, Key, PackedWeights, Packing, Store},
};
use crate::{
    graph::Weight,
    memory::{Packed, populate},
};
use std::{cell::RefCell, fmt, ops::Range, sync::MutexGuard};

/// The packed weights of a network while a plan is made.
#[derive(Debug)]
pub(super) struct Packer<'a> {
    threads: &'a Threads,
    state: RefCell<State<'a>>,
}

#[derive(Debug)]
struct State<'a> {
    /// Nobody else sees what is not packed yet.
    store: MutexGuard<'a, Store>,
    later: Vec<Later>,
}

/// Weights that are not packed yet.
struct Later {
    key: Key,
    packed: Packed,
    /// Values of a block.
    block: usize,
    source: Weight,
    fill: Box<dyn Fill>,
}

impl fmt::Debug for Later {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Later({:?})", self.key)
    }
}

impl<'a> Packer<'a> {
    /// These threads pack what is added.
    pub(super) fn new(packed: &'a PackedWeights, threads: &'a Threads) -> Self {
        let state = State {
            store: packed.lock(),
            later: Vec::new(),
        };
        Self {
            threads,
            state: RefCell::new(state),
        }
    }

    /// The packed weights of a layer, `length` values that `pack` has written where no plan has needed them before.
    pub(super) fn now(
        &self,
        layer: &Layer,
        packing: Packing,
        length: usize,
        pack: impl FnOnce(&mut [f32]),
    ) -> Packed {
        let mut state = self.state.borrow_mut();
        let Store { packed, slab } = &mut *state.store;
        packed
            .entry((layer.weights, layer.affine, packing))
            .or_insert_with(|| slab.allocate(length, pack))
            .clone()
    }

    /// The packed weights of a layer, made of `source` as `length` values in blocks, each of which `fill` writes where no
    /// plan has needed them before. Nobody may read them before [`finish`](Self::finish).
    pub(super) fn later(
        &self,
        layer: &Layer,
        packing: Packing,
        (length, block): (usize, usize),
        source: &Weight,
        fill: impl Fill + 'static,
    ) -> Packed {
        let key = (layer.weights, layer.affine, packing);
        let mut state = self.state.borrow_mut();
        let State { store, later } = &mut *state;
        if let Some(packed) = store.packed.get(&key) {
            return packed.clone();
        }
        let packed = store.slab.reserve(length);
        store.packed.insert(key, packed.clone());
        later.push(Later {
            key,
            packed: packed.clone(),
            block,
            source: source.clone(),
            fill: Box::new(fill),
        });
        packed
    }

    /// Packs what is to be packed.
    pub(super) fn finish(self) {
        /// Fewer values than this are written before other threads have begun.
        const MUCH: usize = 1 << 16;
        let mut state = self.state.borrow_mut();
        let later = &state.later;
        let total = later.iter().map(|later| later.packed.len()).sum();
        let tasks = tasks(later, total, self.threads.count());
        if !tasks.is_empty() {
            let phases = Phases::new(self.threads.count());
            let work = |thread: usize| {
                let _guard = phases.guard();
                let run = |task: usize| {
                    let (later, blocks) = &tasks[task];
                    later.run(blocks.clone());
                };
                phases.run(thread, 0, tasks.len(), run, || {});
            };
            if total < MUCH || !self.threads.try_run(&work) {
                work(0);
            }
        }
        drop(tasks);
        state.later.clear();
    }
}

impl Drop for State<'_> {
    /// What was not packed is not there.
    fn drop(&mut self) {
        for later in &self.later {
            self.store.packed.remove(&later.key);
        }
    }
}

/// Blocks that one thread packs at once. Each thread's share are such as lie next to each other, so that two of them seldom
/// make the zeros of the same page.
fn tasks(later: &[Later], total: usize, threads: usize) -> Vec<(&Later, Range<usize>)> {
    /// Values of a task.
    const FEWEST: usize = 1 << 14;
    const MOST: usize = 1 << 18;
    let values = (total / (16 * threads)).clamp(FEWEST, MOST);
    let mut tasks = Vec::new();
    for later in later {
        let (blocks, together) = (later.blocks(), (values / later.block).max(1));
        let firsts = (0..blocks).step_by(together);
        tasks.extend(firsts.map(|first| (later, first..blocks.min(first + together))));
    }
    tasks
}

impl Later {
    fn blocks(&self) -> usize {
        self.packed.len() / self.block
    }

    fn run(&self, blocks: Range<usize>) {
        // What they are made of, where output channels follow each other in it as they do as a rule.
        let source = self.source.data();
        let place = |block: usize| source.len() * block / self.blocks();
        populate(&source[place(blocks.start)..place(blocks.end)]);
        let values = self.packed.shared_mut();
        for block in blocks {
            // SAFETY: each block is one task's, and nobody reads before `finish` has returned, because the weights are
            // read by steps only, which run when their plan is made.
            let values = unsafe { values.part(block * self.block, self.block).slice_mut() };
            (self.fill)(source, block, values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fuse::fuse, *};
    use crate::graph::{GraphBuilder, Shape};
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::atomic::{AtomicUsize, Ordering},
    };

    fn layer() -> Layer {
        let mut network = GraphBuilder::new();
        let x = network.input("x", Shape::vector(1)).unwrap();
        network.output(x).unwrap();
        fuse(&network.build().unwrap()).remove(0)
    }

    #[test]
    fn each_block_is_filled_once_however_many_threads_there_are() {
        const LENGTH: usize = if cfg!(miri) { 1 << 10 } else { 5000 };
        let (layer, source) = (layer(), Weight::vector(vec![0.0; 100]));
        for threads in [1, 2, 3] {
            let (threads, weights) = (Threads::new(threads), PackedWeights::default());
            let packer = Packer::new(&weights, &threads);
            let packed = [1, 2, 5, 23, 40].map(|blocks| {
                let size = (blocks * LENGTH, LENGTH);
                packer.later(
                    &layer,
                    Packing::Bytes(blocks),
                    size,
                    &source,
                    |_, block, values| {
                        values.iter_mut().for_each(|value| *value += 1.0 + block as f32);
                    },
                )
            });
            packer.finish();
            for packed in packed {
                for (block, values) in packed.chunks_exact(LENGTH).enumerate() {
                    assert!(values.iter().all(|&value| value == 1.0 + block as f32));
                }
            }
            // Nothing is packed twice.
            let packer = Packer::new(&weights, &threads);
            packer.later(&layer, Packing::Bytes(5), (LENGTH, LENGTH), &source, |_, _, _| {
                panic!("again")
            });
            packer.finish();
        }
    }

    #[test]
    fn what_was_not_packed_to_the_end_is_packed_by_the_next_plan() {
        let (layer, source) = (layer(), Weight::vector(vec![0.0; 1]));
        let (threads, weights) = (Threads::new(2), PackedWeights::default());
        static FILLED: AtomicUsize = AtomicUsize::new(0);
        let ask = |packer: &Packer, fails: bool| {
            packer.later(&layer, Packing::Direct, (16, 16), &source, move |_, _, values| {
                assert!(!fails, "as intended");
                values.fill(1.0);
                FILLED.fetch_add(1, Ordering::Relaxed);
            })
        };
        // Its plan is never finished.
        ask(&Packer::new(&weights, &threads), false);
        let failed = catch_unwind(AssertUnwindSafe(|| {
            let packer = Packer::new(&weights, &threads);
            ask(&packer, true);
            packer.finish();
        }));
        assert!(failed.is_err());
        let packer = Packer::new(&weights, &threads);
        let packed = ask(&packer, false);
        packer.finish();
        assert_eq!(FILLED.load(Ordering::Relaxed), 1);
        assert!(packed.iter().all(|&value| value == 1.0));
    }
}
