//! What a network takes note of while samples pass through it, to be computed on bytes the next time.

use modelzoo_kernels::{
    graph::{Graph, Shape},
    plan::{self, PlanOptions, Ranges},
};
use modelzoo_plugin_api::{Calibrate, Result};
use std::sync::{Mutex, PoisonError};

/// So many samples of each network's input are looked at.
const OBSERVED: usize = 64;

/// So many of the first of them show what each layer on bytes does to the outputs.
const TRIED: usize = 16;

/// These need no more memory than this, with the outputs that they give.
const TRIED_BYTES: usize = 128 << 20;

/// Results of all layers that need more memory than this for one sample are not looked at.
const MOST_BYTES: usize = 1 << 30;

/// How far the outputs of a network may be off that was loaded for [`Precision::Int8`](modelzoo_plugin_api::Precision::Int8), as
/// a part of their root mean square: layers that would make it more stay in `f32`.
pub const MOST_ERROR: f64 = 0.04;

/// So many choices of a network's outputs are looked at: programs use one or two.
const MOST_GRAPHS: usize = 8;

/// Takes note of the values in one network.
#[derive(Debug)]
pub(super) struct Observer {
    threads: usize,
    most: f64,
    /// What was seen, for each choice of outputs.
    seen: Mutex<Vec<Seen>>,
}

#[derive(Debug)]
struct Seen {
    outputs: Vec<usize>,
    /// The shape of the first sample.
    shapes: Vec<Shape>,
    calibration: plan::Calibration,
    count: usize,
    /// The first samples that have this shape.
    samples: Vec<f32>,
    samples_count: usize,
    most_samples: usize,
}

impl Observer {
    /// `threads` run the network, which may be off by `most`.
    pub(super) fn new(threads: usize, most: f64) -> Self {
        Self {
            threads,
            most,
            seen: Mutex::default(),
        }
    }

    /// For networks whose authors say nothing of how far they may be off.
    pub(super) fn of_network(threads: usize) -> Self {
        Self::new(threads, MOST_ERROR)
    }

    /// Runs the first samples that come once more, and takes note of the results of all layers: one after the other, so that
    /// it is the same in whatever batches they come.
    pub(super) fn observe(&self, graph: &Graph, samples: &[f32], count: usize) -> Result<()> {
        // What was half seen before a panic is seen too little, and harms nothing.
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let place = match all.iter().position(|seen| seen.outputs == graph.outputs()) {
            Some(place) => place,
            None if all.len() == MOST_GRAPHS => return Ok(()),
            None => {
                all.push(Seen::new(graph, self.threads)?);
                all.len() - 1
            }
        };
        all[place].observe(graph, samples, count)
    }

    /// The ranges of what was seen; `None` where nothing was.
    pub(super) fn find(&self, tell: &mut dyn FnMut(u64, u64)) -> Result<Option<Ranges>> {
        let all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Option<Ranges> = None;
        for seen in all.iter().filter(|seen| seen.count > 0) {
            let mut tell = |done: usize, total: usize| tell(done as u64, total as u64);
            let inputs = [seen.samples.as_slice()];
            let count = seen.samples_count;
            let ranges = seen
                .calibration
                .ranges_within(self.most, &inputs, count, &mut tell)?;
            found = Some(match found {
                None => ranges,
                Some(found) => joined(found, &ranges),
            });
        }
        Ok(found)
    }
}

impl Calibrate for Observer {
    fn calibrate(&self, tell: &mut dyn FnMut(u64, u64)) -> Result<Option<Vec<u8>>> {
        Ok(self.find(tell)?.map(|ranges| ranges.to_bytes()))
    }
}

impl Seen {
    fn new(graph: &Graph, threads: usize) -> Result<Self> {
        let options = PlanOptions {
            threads,
            ..PlanOptions::default()
        };
        let elements = graph.input_shapes().chain(graph.output_shapes());
        let bytes = elements
            .map(|shape| shape.elements() * size_of::<f32>())
            .sum::<usize>();
        Ok(Self {
            outputs: graph.outputs().to_vec(),
            shapes: graph.input_shapes().collect(),
            calibration: plan::Calibration::new(graph, &options)?,
            count: 0,
            samples: Vec::new(),
            samples_count: 0,
            most_samples: (TRIED_BYTES / bytes.max(1)).clamp(1, TRIED),
        })
    }

    fn observe(&mut self, graph: &Graph, samples: &[f32], count: usize) -> Result<()> {
        let new = count.min(OBSERVED.saturating_sub(self.count));
        let length = samples.len() / count.max(1);
        let shapes: Vec<Shape> = graph.input_shapes().collect();
        if new == 0 {
            return Ok(());
        }
        self.calibration.set_input_shapes(&shapes)?;
        if self.calibration.memory() > MOST_BYTES {
            return Ok(());
        }
        let samples = &samples[..new * length];
        self.calibration.observe(&[samples], new)?;
        self.count += new;
        if shapes == self.shapes {
            let kept = new.min(self.most_samples - self.samples_count);
            self.samples.extend_from_slice(&samples[..kept * length]);
            self.samples_count += kept;
        }
        Ok(())
    }
}

/// What is known by `first`, and of the layers that it does not know, by `second`.
fn joined(mut first: Ranges, second: &Ranges) -> Ranges {
    for (layer, range) in second.iter() {
        if first.get(layer).is_none() {
            first.insert(layer, range.clone());
        }
    }
    second.in_numbers().for_each(|layer| first.keep_in_numbers(layer));
    first
}

/// What a network is called in a calibration: networks of the same layers have the same name, and others have others.
pub(super) fn name_of(graph: &Graph) -> String {
    /// Of FNV-1a with 64 bits.
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let names = graph.nodes().iter().flat_map(|node| node.name.bytes().chain([0]));
    let hash = names.fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{hash:016x}")
}
