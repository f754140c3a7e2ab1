//! Networks on a CPU: plans of `modelzoo-kernels`.

use super::observer::{Observer, name_of};
use crate::device::Placement;
use candle_core::{Device, Storage, Tensor};
use modelzoo_kernels::{
    Isa,
    graph::{Graph, Shape},
    plan::{self, MemoryUse, Plan, PlanOptions, Ranges},
};
use modelzoo_plugin_api::{Error, Precision, Result};
use std::sync::{Arc, Mutex, PoisonError};

/// So many shapes and choices of outputs are kept ready; programs use one or two.
const MOST_PLANS: usize = 8;

/// The plans of one network, made when an input's shape is first seen.
#[derive(Debug)]
pub(super) struct Plans {
    threads: usize,
    /// Of what is not on bytes; `F32` or `Bf16`.
    precision: Precision,
    /// Where layers are computed on bytes.
    ranges: Option<Arc<Ranges>>,
    /// Where such are yet to be found.
    observer: Option<Arc<Observer>>,
    /// The one used last comes last.
    ready: Mutex<Vec<(Key, Arc<Plan>)>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    inputs: Vec<Shape>,
    outputs: Vec<usize>,
}

impl Plans {
    /// Plans of a network as it is placed. On bytes where it is known what these stand for; where nothing is known of any
    /// network, what it takes to know is noted.
    pub(super) fn new(graph: &Graph, placement: &Placement) -> Self {
        let precision = match placement.precision {
            Precision::Auto if Isa::best().gains_by_bf16() => Precision::Bf16,
            Precision::Bf16 => Precision::Bf16,
            _ => Precision::F32,
        };
        let plans = Self::of(placement.threads, precision);
        if placement.precision != Precision::Int8 {
            return plans;
        }
        let name = name_of(graph);
        if placement.calibration.is_empty() {
            let observer = Arc::new(Observer::of_network(placement.threads));
            placement.calibration.watch(name, Arc::clone(&observer) as _);
            return Self {
                observer: Some(observer),
                ..plans
            };
        }
        // What another version has written is as good as nothing: the host sees that the model is in `f32`.
        match placement.calibration.get(&name).map(Ranges::from_bytes) {
            Some(Ok(ranges)) => plans.with_ranges(Arc::new(ranges)),
            Some(Err(_)) | None => plans,
        }
    }

    fn of(threads: usize, precision: Precision) -> Self {
        Self {
            threads,
            precision,
            ranges: None,
            observer: None,
            ready: Mutex::default(),
        }
    }

    /// What sums are made from.
    pub(super) fn precision(&self) -> Precision {
        match self.ranges {
            Some(_) => Precision::Int8,
            None => self.precision,
        }
    }

    /// Plans of the same kind on bytes.
    pub(super) fn with_ranges(&self, ranges: Arc<Ranges>) -> Self {
        Self {
            ranges: Some(ranges),
            ..Self::of(self.threads, self.precision)
        }
    }

    /// Threads that a run may use.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// Makes the plan for a network's shapes and outputs.
    pub(super) fn prepare(&self, graph: &Graph) -> Result<()> {
        self.plan(graph).map(|_| ())
    }

    /// What the plan for a network's shapes and outputs keeps in memory.
    pub(super) fn memory_use(&self, graph: &Graph) -> Result<MemoryUse> {
        Ok(self.plan(graph)?.memory())
    }

    /// Runs a contiguous batch on the CPU.
    pub(super) fn run(&self, graph: &Graph, batch: &Tensor) -> Result<Vec<Tensor>> {
        let plan = self.plan(graph)?;
        let count = batch.dim(0)?;
        let mut outputs: Vec<Vec<f32>> = graph
            .output_shapes()
            .map(|shape| vec![0.0; count * shape.elements()])
            .collect();
        {
            let (storage, layout) = batch.storage_and_layout();
            let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) else {
                return Err(Error::new("a plan needs a contiguous tensor on the CPU"));
            };
            let input = &storage.as_slice::<f32>()?[start..end];
            let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
            plan.run(&[input], &mut slices, count)?;
            if let Some(observer) = &self.observer {
                observer.observe(graph, input, count)?;
            }
        }
        outputs
            .into_iter()
            .zip(graph.output_shapes())
            .map(|(values, shape)| {
                let dims = [vec![count], shape.dims()].concat();
                Ok(Tensor::from_vec(values, dims, &Device::Cpu)?)
            })
            .collect()
    }

    fn plan(&self, graph: &Graph) -> Result<Arc<Plan>> {
        let key = Key {
            inputs: graph.input_shapes().collect(),
            outputs: graph.outputs().to_vec(),
        };
        // A plan is whole or not there at all: a panic elsewhere leaves the list usable.
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = ready.iter().position(|(other, _)| *other == key) {
            let found = ready.remove(place);
            let plan = found.1.clone();
            ready.push(found);
            return Ok(plan);
        }
        // A plan with the same outputs shares its packed weights and threads.
        let relative = ready.iter().rev().find(|(other, _)| other.outputs == key.outputs);
        let plan = Arc::new(match relative {
            Some((_, plan)) => plan.with_input_shapes(&key.inputs)?,
            None => {
                let options = PlanOptions {
                    threads: self.threads,
                    precision: match self.precision {
                        Precision::Bf16 => plan::Precision::Bf16,
                        _ => plan::Precision::Float,
                    },
                    ranges: self.ranges.clone(),
                    ..PlanOptions::default()
                };
                Plan::compile(graph, &options)?
            }
        });
        if ready.len() == MOST_PLANS {
            ready.remove(0);
        }
        ready.push((key, plan.clone()));
        Ok(plan)
    }
}
