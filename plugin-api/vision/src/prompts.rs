//! Masks of what prompts point at: the picture is seen once, and its features are asked about each prompt.

use crate::{
    architectures::{Choice, MaskDecoder, Prompt, PromptEncoder},
    checkpoint::Checkpoint,
};
use modelzoo_candle::{
    candle_core::{Device, Tensor},
    device::Placement,
    network::{Network, NetworkBuilder, Value},
};
use modelzoo_plugin_api::{Error, Result};
use std::sync::{Arc, Mutex, PoisonError};

/// So many networks are kept ready, one for each number of a prompt's tokens.
const MOST_NETWORKS: usize = 8;
/// The tokens of the prompts that are usual: a point, or a box.
const USUAL: usize = 2;

/// The network that is asked about prompts, with its weights.
#[derive(Debug)]
pub(crate) struct PromptRunner {
    decoder: MaskDecoder,
    encoder: PromptEncoder,
    /// By the number of a prompt's tokens, the one used last comes last.
    ready: Mutex<Vec<(usize, Arc<Network>)>>,
}

/// What a prompt points at, in several ways.
#[derive(Debug)]
pub(crate) struct Pointed {
    /// How good each mask is.
    pub(crate) scores: Vec<f32>,
    /// `[masks, features]`
    embeddings: Tensor,
    /// `[features, height * width]`
    pixels: Tensor,
    /// `[height, width]`
    pub(crate) size: [usize; 2],
}

impl Pointed {
    /// The logits of a mask's pixels, row by row.
    pub(crate) fn mask(&self, index: usize) -> Result<Vec<f32>> {
        let embedding = self.embeddings.narrow(0, index, 1)?;
        Ok(embedding.matmul(&self.pixels)?.flatten_all()?.to_vec1()?)
    }
}

impl PromptRunner {
    /// Makes ready for the usual prompts.
    ///
    /// # Errors
    /// When the weights are not those of the architecture.
    pub(crate) fn new(decoder: &MaskDecoder, checkpoint: &Checkpoint, placement: &Placement) -> Result<Self> {
        let encoder = decoder.prompt_encoder(checkpoint)?;
        let network = build(decoder, checkpoint, placement, USUAL)?;
        Ok(Self {
            decoder: decoder.clone(),
            encoder,
            ready: Mutex::new(vec![(USUAL, Arc::new(network))]),
        })
    }

    /// How many tokens a prompt becomes.
    pub(crate) fn tokens(&self, prompt: &Prompt) -> usize {
        self.encoder.count(prompt)
    }

    /// Which mask of a prompt is taken where one is enough.
    pub(crate) fn choice(&self) -> Choice {
        self.decoder.choice()
    }

    /// What each prompt points at in a picture with these features; all become as many tokens.
    ///
    /// # Errors
    /// When the network cannot be run.
    pub(crate) fn point(
        &self,
        checkpoint: &Checkpoint,
        placement: &Placement,
        features: &[Tensor],
        prompts: &[&Prompt],
    ) -> Result<Vec<Pointed>> {
        let Some(first) = prompts.first() else {
            return Ok(Vec::new());
        };
        let count = self.encoder.count(first);
        let network = self.network(checkpoint, placement, count)?;
        let packing = Packing::new(&self.decoder, count);
        let maps = features
            .iter()
            .map(|map| Ok(map.flatten_all()?.to_device(&Device::Cpu)?.to_vec1()?))
            .collect::<Result<Vec<Vec<f32>>>>()?;
        let packed = packing.pack(&maps, prompts.iter().map(|prompt| self.encoder.tokens(prompt)));
        let shape = (prompts.len(), packing.unit, 1, packing.length);
        let outputs = network.forward(&Tensor::from_vec(packed, shape, &placement.device)?)?;
        let [embeddings, pixels, scores] = outputs.as_slice() else {
            return Err(Error::new("the network has not the outputs of prompts"));
        };
        let (embeddings, pixels) = (
            embeddings.to_device(&Device::Cpu)?,
            pixels.to_device(&Device::Cpu)?,
        );
        let (_, _, height, width) = pixels.dims4()?;
        let pixels = pixels.flatten_from(2)?;
        let scores = scores.flatten_from(1)?.to_vec2::<f32>()?;
        scores
            .into_iter()
            .enumerate()
            .map(|(index, scores)| {
                Ok(Pointed {
                    scores,
                    embeddings: embeddings.get(index)?,
                    pixels: pixels.get(index)?,
                    size: [height, width],
                })
            })
            .collect()
    }

    /// The network for prompts of so many tokens.
    fn network(&self, checkpoint: &Checkpoint, placement: &Placement, count: usize) -> Result<Arc<Network>> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = ready.iter().position(|(other, _)| *other == count) {
            let found = ready.remove(place);
            let network = found.1.clone();
            ready.push(found);
            return Ok(network);
        }
        let network = Arc::new(build(&self.decoder, checkpoint, placement, count)?);
        if ready.len() == MOST_NETWORKS {
            ready.remove(0);
        }
        ready.push((count, network.clone()));
        Ok(network)
    }
}

/// Describes the network for prompts of so many tokens.
fn build(
    decoder: &MaskDecoder,
    checkpoint: &Checkpoint,
    placement: &Placement,
    count: usize,
) -> Result<Network> {
    let packing = Packing::new(decoder, count);
    let mut network = NetworkBuilder::new(checkpoint);
    let input = network.input("prompted", [packing.unit, 1, packing.length])?;
    let line = network.to_tokens(input)?;
    let mut first = 0;
    let mut maps = Vec::new();
    for [features, height, width] in decoder.maps() {
        let map = packing.unpack(&mut network, line, &mut first, [features, height * width])?;
        maps.push(network.to_map(map, [height, width])?);
    }
    let tokens = packing.unpack(&mut network, line, &mut first, [decoder.features(), count])?;
    let outputs = decoder.describe(&mut network, checkpoint, &maps, tokens)?;
    network.build(&outputs, placement)
}

/// How all that a network takes becomes its one input: a picture of one row, whose pixels have as many channels as the map
/// with the fewest features; others are cut into parts of so many, one behind the other.
struct Packing {
    maps: Vec<[usize; 3]>,
    tokens: [usize; 2],
    /// The channels.
    unit: usize,
    /// The columns.
    length: usize,
}

impl Packing {
    fn new(decoder: &MaskDecoder, count: usize) -> Self {
        let maps = decoder.maps();
        let features = decoder.features();
        let fewest = maps
            .iter()
            .map(|[features, ..]| *features)
            .fold(features, usize::min);
        let columns = |features: usize, places: usize| features / fewest * places;
        let of_maps = maps
            .iter()
            .map(|[features, height, width]| columns(*features, height * width));
        Self {
            unit: fewest,
            length: of_maps.sum::<usize>() + columns(features, count),
            tokens: [count, features],
            maps,
        }
    }

    /// The inputs `[prompt][channel][column]` for a picture's maps and the tokens of each prompt.
    fn pack(&self, maps: &[Vec<f32>], prompts: impl ExactSizeIterator<Item = Vec<f32>>) -> Vec<f32> {
        let mut packed = Vec::with_capacity(prompts.len() * self.unit * self.length);
        let [count, features] = self.tokens;
        for tokens in prompts {
            for channel in 0..self.unit {
                for (map, [features, height, width]) in maps.iter().zip(&self.maps) {
                    for plane in (channel..*features).step_by(self.unit) {
                        packed.extend_from_slice(&map[plane * height * width..][..height * width]);
                    }
                }
                for feature in (channel..features).step_by(self.unit) {
                    packed.extend((0..count).map(|token| tokens[token * features + feature]));
                }
            }
        }
        packed
    }

    /// The next tokens `[places, features]` of those that stand in the line.
    fn unpack(
        &self,
        network: &mut NetworkBuilder<'_>,
        line: Value,
        first: &mut usize,
        [features, places]: [usize; 2],
    ) -> Result<Value> {
        let parts = (0..features / self.unit)
            .map(|part| {
                let start = *first + part * places;
                network.take_tokens(line, (start..start + places).collect::<Vec<_>>())
            })
            .collect::<Result<Vec<Value>>>()?;
        *first += parts.len() * places;
        match parts.as_slice() {
            [whole] => Ok(*whole),
            parts => network.cat(parts),
        }
    }
}
