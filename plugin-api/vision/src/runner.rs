//! A network for pictures of any size that its architecture takes.

use crate::{
    architectures::{Architecture, Detector, Outputs, Prompt, Task, TextTower},
    checkpoint::Checkpoint,
    prompts::{Pointed, PromptRunner},
    regions::RegionRunner,
};
use modelzoo_candle::{
    candle_core::{Device, Tensor},
    device::Placement,
    network::{Network, NetworkBuilder},
};
use modelzoo_plugin_api::{Error, ErrorKind, Precision, Result};
use std::sync::{Arc, Mutex, PoisonError};

/// So many sizes are kept ready, of networks that must be described anew for each.
const MOST_SIZES: usize = 4;

/// A network with its weights.
pub(crate) struct Runner {
    architecture: Box<dyn Architecture>,
    checkpoint: Checkpoint,
    placement: Placement,
    /// What the network's sums are made from.
    precision: Precision,
    /// The layer that gives the embedding, where it is not the architecture's own.
    embeddings_layer: Option<String>,
    task: Task,
    /// The networks of its second look, where it has one.
    regions: Option<RegionRunner>,
    /// What makes masks of prompts, where it does.
    prompts: Option<PromptRunner>,
    /// By what they are for, the one used last comes last.
    ready: Mutex<Vec<(Extent, Arc<Network>)>>,
}

/// The `[height, width]` that a network gets, and what of it is the picture where that is all that it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    size: [usize; 2],
    filled: Option<[usize; 2]>,
}

impl Runner {
    /// Describes the network for pictures of `[height, width]`, and makes it ready for them.
    ///
    /// # Errors
    /// When the weights are not those of the architecture, or there is no such layer for embeddings.
    pub(crate) fn new(
        architecture: Box<dyn Architecture>,
        checkpoint: Checkpoint,
        placement: Placement,
        embeddings_layer: Option<String>,
        size: [usize; 2],
    ) -> Result<Self> {
        let extent = Extent { size, filled: None };
        let (network, task) = build_within(
            architecture.as_ref(),
            &checkpoint,
            &placement,
            embeddings_layer.as_deref(),
            extent,
        )?;
        network.prepare()?;
        let regions = architecture
            .regions()
            .map(|regions| RegionRunner::new(regions, &checkpoint, &placement, features(&network)))
            .transpose()?;
        let prompts = architecture
            .prompts()
            .map(|decoder| PromptRunner::new(decoder, &checkpoint, &placement))
            .transpose()?;
        Ok(Self {
            regions,
            prompts,
            architecture,
            checkpoint,
            placement,
            precision: network.precision(),
            embeddings_layer,
            task,
            ready: Mutex::new(vec![(extent, Arc::new(network))]),
        })
    }

    /// What the network's outputs are for.
    pub(crate) fn task(&self) -> Task {
        self.task
    }

    /// The architecture's tower for texts, where it has one.
    pub(crate) fn text(&self) -> Option<&dyn TextTower> {
        self.architecture.text()
    }

    /// How the architecture finds objects, where it does by boxes around places.
    pub(crate) fn detector(&self) -> Option<&Detector> {
        self.architecture.detector()
    }

    /// The architecture's second look, where it has one.
    pub(crate) fn regions(&self) -> Option<&RegionRunner> {
        self.regions.as_ref()
    }

    /// What makes masks of prompts, where the architecture does.
    pub(crate) fn prompts(&self) -> Option<&PromptRunner> {
        self.prompts.as_ref()
    }

    /// What each prompt points at, of a picture whose features are these outputs; prompts of as many tokens go together.
    ///
    /// # Errors
    /// When the architecture takes no prompts, or a network cannot be run.
    pub(crate) fn point(&self, features: &[Tensor], prompts: &[&Prompt]) -> Result<Vec<Pointed>> {
        let runner = self.prompts.as_ref();
        let runner = runner.ok_or_else(|| Error::new("the network takes no prompts"))?;
        runner.point(&self.checkpoint, &self.placement, features, prompts)
    }

    /// What the network's sums are made from.
    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    pub(crate) fn placement(&self) -> &Placement {
        &self.placement
    }

    pub(crate) fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    pub(crate) fn device(&self) -> &Device {
        &self.placement.device
    }

    /// The dimensions of the network's outputs for one picture of the size that it was made ready for, in the order
    /// of [`Outputs`].
    pub(crate) fn output_dims(&self) -> Vec<Vec<usize>> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready
            .first()
            .map(|(_, network)| network.output_dims())
            .unwrap_or_default()
    }

    /// Runs a batch `[count, 3, height, width]` and gives the outputs in the order of [`Outputs`].
    ///
    /// # Errors
    /// When the architecture cannot take pictures of this size.
    pub(crate) fn forward(&self, batch: &Tensor) -> Result<Vec<Tensor>> {
        self.forward_within(batch, None)
    }

    /// The same for pictures that fill so many rows and columns, where the network is to see nothing else.
    ///
    /// # Errors
    /// As for [`Runner::forward`], and when the architecture cannot tell them from what is beside them.
    pub(crate) fn forward_within(&self, batch: &Tensor, filled: Option<[usize; 2]>) -> Result<Vec<Tensor>> {
        let (_, _, height, width) = batch.dims4()?;
        let size = [height, width];
        self.network(Extent { size, filled })?.forward(batch)
    }

    /// The network for pictures of this extent.
    fn network(&self, extent: Extent) -> Result<Arc<Network>> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let any_size = !self.architecture.depends_on_size();
        if let Some(place) = ready.iter().position(|(other, _)| any_size || *other == extent) {
            let found = ready.remove(place);
            let network = found.1.clone();
            ready.push(found);
            return Ok(network);
        }
        let (network, _) = build_within(
            self.architecture.as_ref(),
            &self.checkpoint,
            &self.placement,
            self.embeddings_layer.as_deref(),
            extent,
        )
        .map_err(|error| error.with_kind(ErrorKind::InvalidInput))?;
        let network = Arc::new(network);
        if ready.len() == MOST_SIZES {
            ready.remove(0);
        }
        ready.push((extent, network.clone()));
        Ok(network)
    }

    /// The same network with the results of layers as its outputs.
    #[cfg(test)]
    pub(crate) fn layers(&self, size: [usize; 2], names: &[&str]) -> Result<Network> {
        self.network(Extent { size, filled: None })?.with_outputs(names)
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Runner")
            .field("checkpoint", &self.checkpoint)
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

/// The features of each place of a network's first output.
fn features(network: &Network) -> usize {
    let first = network.output_dims().into_iter().next();
    first.and_then(|dims| dims.last().copied()).unwrap_or_default()
}

/// Describes the network for pictures of `[height, width]`; its outputs go by the names of [`Outputs`].
///
/// # Errors
/// When the weights are not those of the architecture, or there is no such layer for embeddings.
pub(crate) fn build(
    architecture: &dyn Architecture,
    checkpoint: &Checkpoint,
    placement: &Placement,
    embeddings_layer: Option<&str>,
    size: [usize; 2],
) -> Result<(Network, Task)> {
    let extent = Extent { size, filled: None };
    build_within(architecture, checkpoint, placement, embeddings_layer, extent)
}

fn build_within(
    architecture: &dyn Architecture,
    checkpoint: &Checkpoint,
    placement: &Placement,
    embeddings_layer: Option<&str>,
    Extent {
        size: [height, width],
        filled,
    }: Extent,
) -> Result<(Network, Task)> {
    let mut network = NetworkBuilder::new(checkpoint);
    let image = network.input("pixel_values", [3, height, width])?;
    let outputs = match filled {
        Some(filled) => architecture.describe_within(&mut network, checkpoint, image, filled)?,
        None => architecture.describe(&mut network, checkpoint, image)?,
    };
    let (task, named) = outputs.named();
    let mut values = Vec::new();
    for (name, value) in &named {
        network.alias(name, *value)?;
        values.push(*value);
    }
    let network = network.build(&values, placement)?;
    let Some(layer) = embeddings_layer else {
        return Ok((network, task));
    };
    if !named.iter().any(|(name, _)| name == Outputs::EMBEDDING) {
        return Err(Error::invalid_option(
            "this model has no embeddings, so `embeddings_layer` means nothing",
        ));
    }
    let names: Vec<&str> = named
        .iter()
        .map(|(name, _)| {
            if name == Outputs::EMBEDDING {
                layer
            } else {
                name.as_str()
            }
        })
        .collect();
    Ok((network.with_outputs(&names)?, task))
}
