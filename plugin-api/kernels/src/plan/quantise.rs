//! Which layers are computed on bytes, and which values are kept as bytes.

use super::{
    algorithm::{Algorithm, Geometry},
    fuse::Layer,
    ranges::{ByteRange, Ranges},
};
use crate::{
    graph::{Graph, Op, Shape},
    kernels::word_depthwise::WordDepthwise,
    memory::Element,
    simd::LARGEST_WEIGHT,
};
use std::sync::Arc;

/// How the values of a network are kept, by their nodes.
#[derive(Debug)]
pub(super) struct Kinds {
    /// What the layer that computes a value writes.
    pub(super) elements: Vec<Element>,
    /// A value's narrow form, where it is computed or read as such.
    pub(super) forms: Vec<Option<Form>>,
    /// Whether a value is converted into the other kind as well, for others that read it.
    pub(super) converted: Vec<bool>,
    /// Whether it is attention with products of bf16.
    pub(super) attention_on_bf16: Vec<bool>,
}

/// What stands for numbers.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Bytes, and what they stand for.
    Bytes(Arc<ByteRange>),
    /// bf16.
    Bf16,
}

impl Form {
    /// What it is in memory.
    pub(super) fn element(&self) -> Element {
        match self {
            Self::Bytes(range) => Element::Byte { zero: range.zero },
            Self::Bf16 => Element::Bf16,
        }
    }
}

/// The most products whose sum 32 bits hold.
const MOST_TERMS: usize = i32::MAX as usize / (255 * LARGEST_WEIGHT as usize);

impl Kinds {
    /// Numbers everywhere.
    pub(super) fn numbers(count: usize) -> Self {
        Self {
            elements: vec![Element::Float; count],
            forms: vec![None; count],
            converted: vec![false; count],
            attention_on_bf16: vec![false; count],
        }
    }

    /// The narrow form in which a value can be read.
    pub(super) fn narrow(&self, value: usize) -> Option<&Form> {
        self.forms[value]
            .as_ref()
            .filter(|_| self.elements[value] != Element::Float || self.converted[value])
    }
}

/// Gives algorithms for bytes to the layers whose operands' ranges are known, which those of a network's inputs are not
/// as a rule, and says how values are kept. Those that the ranges keep in numbers stay there, and so do layers of single
/// positions, those without weights, and depthwise convolutions of numbers, as bytes of these take longer.
pub(super) fn quantise(
    graph: &Graph,
    layers: &[Layer],
    algorithms: &mut [Option<(Geometry, Algorithm)>],
    ranges: Option<&Ranges>,
) -> Kinds {
    let mut kinds = Kinds::numbers(graph.nodes().len());
    let Some(ranges) = ranges else {
        return kinds;
    };
    let range = |value: usize| {
        let range = ranges.get(&graph.nodes()[value].name)?;
        (range.steps.len() == graph.shapes()[value].channels()).then(|| range.clone())
    };
    let mut computed_on_bytes = vec![false; graph.nodes().len()];
    for (layer, algorithm) in layers.iter().zip(algorithms.iter_mut()) {
        if let Some((geometry, algorithm)) = algorithm
            && let Some(of_bytes) = of_bytes(graph, layer, geometry, *algorithm)
            && (of_bytes != Algorithm::ByteDepthwise || computed_on_bytes[layer.inputs[0]])
            && !ranges.stays_in_numbers(&graph.nodes()[layer.output].name)
            && let Some(range) = range(layer.inputs[0])
        {
            computed_on_bytes[layer.output] = true;
            *algorithm = of_bytes;
            kinds.forms[layer.inputs[0]] = Some(Form::Bytes(range));
        }
    }
    let on_bytes: Vec<bool> = algorithms
        .iter()
        .map(|algorithm| matches!(algorithm, Some((_, Algorithm::Bytes | Algorithm::ByteDepthwise))))
        .collect();
    // Values that such a layer computes and reads are bytes all the way.
    for (layer, _) in layers.iter().zip(&on_bytes).filter(|(_, on_bytes)| **on_bytes) {
        let value = layer.output;
        let is_read = |other: &Layer| other.inputs[0] == value || other.residual == Some(value);
        let is_read_as_bytes = layers
            .iter()
            .zip(&on_bytes)
            .any(|(other, on_bytes)| *on_bytes && is_read(other));
        if let Some(range) = range(value).filter(|_| is_read_as_bytes && !graph.outputs().contains(&value)) {
            kinds.elements[value] = Element::Byte { zero: range.zero };
            kinds.forms[value] = Some(Form::Bytes(range));
        }
    }
    for (layer, on_bytes) in layers.iter().zip(&on_bytes) {
        if *on_bytes {
            let input = layer.inputs[0];
            kinds.converted[input] |= kinds.elements[input] == Element::Float;
        } else {
            for read in layer.reads() {
                kinds.converted[read] |= kinds.elements[read] != Element::Float;
            }
        }
    }
    kinds
}

/// The algorithm of a layer on bytes, if it has one.
pub(super) fn of_bytes(
    graph: &Graph,
    layer: &Layer,
    geometry: &Geometry,
    algorithm: Algorithm,
) -> Option<Algorithm> {
    let input = layer.inputs[0];
    let terms = geometry.inputs * geometry.kernel[0] * geometry.kernel[1];
    let taps = geometry.kernel[0] * geometry.kernel[1];
    if matches!(graph.nodes()[input].op, Op::Constant(_)) || is_single(graph.shapes()[input]) {
        return None;
    }
    match algorithm {
        Algorithm::Direct | Algorithm::Winograd if terms <= MOST_TERMS => Some(Algorithm::Bytes),
        Algorithm::Depthwise if taps <= WordDepthwise::MOST_TAPS => Some(Algorithm::ByteDepthwise),
        _ => None,
    }
}

/// Of one position there is little to compute, and much may depend on it: factors for channels, classes.
fn is_single(shape: Shape) -> bool {
    shape.positions() == 1
}
