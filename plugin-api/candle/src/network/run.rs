//! A network that is ready to run.

use super::{
    operators::{Operators, Target},
    plans::Plans,
};
use crate::device::Placement;
use candle_core::{DType, Device, Tensor};
use modelzoo_kernels::{
    graph::{Graph, Shape},
    plan::MemoryUse,
};
use modelzoo_plugin_api::{Error, ErrorKind, Precision, Result};
use std::{collections::BTreeMap, sync::Arc};

/// A network that is ready to run on a device; cheap to clone, and any number of threads may run it at once.
#[derive(Clone, Debug)]
pub struct Network {
    graph: Graph,
    aliases: Arc<BTreeMap<String, String>>,
    device: Device,
    engine: Engine,
}

/// What computes the layers.
#[derive(Clone, Debug)]
pub(super) enum Engine {
    Plans(Arc<Plans>),
    Operators(Arc<Operators>),
}

impl Network {
    pub(super) fn new(
        graph: Graph,
        aliases: BTreeMap<String, String>,
        placement: &Placement,
        kernels: bool,
    ) -> Result<Self> {
        let engine = if placement.device.is_cpu() && kernels {
            Engine::Plans(Arc::new(Plans::new(&graph, placement)))
        } else {
            let target = Target {
                device: placement.device.clone(),
                dtype: placement.operators_type(),
            };
            Engine::Operators(Arc::new(Operators::new(&graph, &target)?))
        };
        Ok(Self {
            graph,
            aliases: Arc::new(aliases),
            device: placement.device.clone(),
            engine,
        })
    }

    /// What computes it.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The same on another engine.
    pub(super) fn on_engine(&self, engine: Engine) -> Self {
        Self {
            engine,
            ..self.clone()
        }
    }

    /// The description that it runs.
    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The same network on plans or on Candle's operators.
    #[cfg(test)]
    pub(crate) fn on_kernels(&self, kernels: bool) -> Result<Self> {
        Self::new(
            self.graph.clone(),
            self.aliases.as_ref().clone(),
            &Placement::cpu(),
            kernels,
        )
    }

    /// The same network on Candle's operators, with weights and values of this type.
    #[cfg(test)]
    pub(crate) fn on_operators_of(&self, dtype: DType) -> Result<Self> {
        let target = Target {
            device: self.device.clone(),
            dtype,
        };
        let engine = Engine::Operators(Arc::new(Operators::new(&self.graph, &target)?));
        Ok(self.on_engine(engine))
    }

    /// Where it runs.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What its sums are made from, never [`Precision::Auto`].
    pub fn precision(&self) -> Precision {
        match &self.engine {
            Engine::Plans(plans) => plans.precision(),
            Engine::Operators(operators) if operators.target().dtype == DType::BF16 => Precision::Bf16,
            Engine::Operators(_) => Precision::F32,
        }
    }

    /// The dimensions of its input without the batch, as it was described; other heights and widths work as well.
    pub fn input_dims(&self) -> Vec<usize> {
        self.graph
            .input_shapes()
            .next()
            .map(Shape::dims)
            .unwrap_or_default()
    }

    /// The dimensions of its outputs without the batch, for an input as it was described.
    pub fn output_dims(&self) -> Vec<Vec<usize>> {
        self.graph.output_shapes().map(Shape::dims).collect()
    }

    /// The same network over the same parameters with other outputs: the results of the layers of these names, or
    /// the (first) input of a layer where the name has a `<` before it, as FiftyOne's `embeddings_layer` has it.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::InvalidOption`] when there is no layer of a name: names are often users' options.
    pub fn with_outputs(&self, layers: &[&str]) -> Result<Self> {
        let names = layers
            .iter()
            .map(|layer| self.resolve(layer))
            .collect::<Result<Vec<_>>>()?;
        let graph = self.graph.with_outputs(&names)?;
        let engine = match &self.engine {
            Engine::Operators(operators) if !operators.can_compute(&graph) => {
                Engine::Operators(Arc::new(Operators::new(&graph, operators.target())?))
            }
            engine => engine.clone(),
        };
        Ok(Self {
            graph,
            engine,
            ..self.clone()
        })
    }

    /// Makes the network ready for inputs as it was described: without it, the first run takes so much longer.
    ///
    /// # Errors
    /// When the network cannot be computed.
    pub fn prepare(&self) -> Result<()> {
        match &self.engine {
            Engine::Plans(plans) => plans.prepare(&self.graph),
            Engine::Operators(_) => Ok(()),
        }
    }

    /// What it keeps in memory on a CPU for inputs as it was described; `None` on Candle's operators.
    ///
    /// # Errors
    /// As for [`Network::prepare`].
    pub fn memory_use(&self) -> Result<Option<MemoryUse>> {
        match &self.engine {
            Engine::Plans(plans) => plans.memory_use(&self.graph).map(Some),
            Engine::Operators(_) => Ok(None),
        }
    }

    /// Runs a batch `[count, channels, height, width]` on the network's device and gives its outputs, each with the
    /// batch as its first dimension.
    ///
    /// # Errors
    /// When the batch does not fit the network.
    pub fn forward(&self, batch: &Tensor) -> Result<Vec<Tensor>> {
        let (count, channels, height, width) = batch.dims4()?;
        if count == 0 {
            return Err(Error::new("an empty batch cannot be run").with_kind(ErrorKind::InvalidInput));
        }
        let shape = Shape::map(channels, height, width);
        let graph = if self.graph.input_shapes().eq([shape]) {
            self.graph.clone()
        } else {
            self.graph.with_input_shapes(&[shape])?
        };
        let batch = batch
            .to_device(&self.device)?
            .to_dtype(DType::F32)?
            .contiguous()?;
        match &self.engine {
            Engine::Plans(plans) => plans.run(&graph, &batch),
            Engine::Operators(operators) => operators.run(&graph, &batch),
        }
    }

    fn resolve<'a>(&'a self, layer: &'a str) -> Result<&'a str> {
        let (name, wants_input) = match layer.strip_prefix('<') {
            Some(name) => (name, true),
            None => (layer, false),
        };
        let name = self.aliases.get(name).map_or(name, String::as_str);
        let index = self
            .graph
            .find(name)
            .map_err(|error| Error::from(error).with_kind(ErrorKind::InvalidOption))?;
        let node = &self.graph.nodes()[index];
        if !wants_input {
            return Ok(name);
        }
        let input = node
            .inputs
            .first()
            .ok_or_else(|| Error::invalid_option(format!("layer `{name}` has no input")))?;
        Ok(&self.graph.nodes()[*input].name)
    }
}

/// Whether plans are used on a CPU: unless `MODELZOO_KERNELS` is `off`.
pub(super) fn kernels_are_on() -> bool {
    std::env::var_os("MODELZOO_KERNELS").is_none_or(|value| value != "off")
}
