//! Which layers multiply bf16, and which values are kept as such.

use super::{
    algorithm::{Algorithm, Geometry},
    fuse::Layer,
    quantise::{Form, Kinds},
};
use crate::{
    graph::{Graph, Op, Shape},
    kernels::winograd,
    memory::Element,
    simd::LANES,
};

/// Gives layers with several positions and groups of one the algorithm for bf16, and says how values are kept. First
/// layers, those of single positions and those that Winograd's algorithm computes faster keep their numbers; so do values
/// that others read than layers on bf16 and those that read either form.
pub(super) fn narrow(
    graph: &Graph,
    layers: &[Layer],
    algorithms: &mut [Option<(Geometry, Algorithm)>],
) -> Kinds {
    let mut kinds = Kinds::numbers(graph.nodes().len());
    for (layer, algorithm) in layers.iter().zip(algorithms.iter_mut()) {
        if let Some((geometry, algorithm)) = algorithm
            && pays(graph, layer, geometry, *algorithm)
        {
            *algorithm = Algorithm::Bf16;
            kinds.forms[layer.inputs[0]] = Some(Form::Bf16);
        }
    }
    let algorithms: Vec<Option<Algorithm>> = algorithms
        .iter()
        .map(|made| made.as_ref().map(|(_, algorithm)| *algorithm))
        .collect();
    let mut readers: Vec<Readers> = vec![Readers::default(); graph.nodes().len()];
    for &output in graph.outputs() {
        readers[output].others = true;
    }
    let mut of_depthwise = vec![false; graph.nodes().len()];
    for (layer, algorithm) in layers.iter().zip(&algorithms) {
        of_depthwise[layer.output] = *algorithm == Some(Algorithm::Depthwise);
    }
    for (layer, algorithm) in layers.iter().zip(&algorithms).rev() {
        if only_moves(graph, layer) {
            let moved = readers[layer.output];
            let readers = &mut readers[layer.inputs[0]];
            readers.either |= moved.operand || moved.either;
            readers.others |= moved.others;
            continue;
        }
        let is_attention = attention_pays(graph, layer);
        kinds.attention_on_bf16[layer.output] = is_attention;
        for (index, read) in layer.reads().enumerate() {
            let readers = &mut readers[read];
            match (algorithm, index) {
                (Some(Algorithm::Bf16), 0) => readers.operand = true,
                (Some(Algorithm::Depthwise), 0) => readers.either = true,
                (None, _) if is_attention || reads_either(graph, layer) => readers.either = true,
                // Elsewhere it is mostly sums of all layers before, in which more than 8 digits count.
                (None, _) if is_layer_norm(graph, layer) && of_depthwise[read] => readers.either = true,
                // A residual is read as whatever it is.
                (Some(Algorithm::Bf16), _) => {}
                _ => readers.others = true,
            }
        }
    }
    for (layer, algorithm) in layers.iter().zip(&algorithms) {
        let readers = readers[layer.output];
        let is_read = readers.operand || readers.either;
        let writes = if only_moves(graph, layer) {
            kinds.elements[layer.inputs[0]] == Element::Bf16
        } else {
            is_read && !readers.others && writes_bf16(graph, layer, *algorithm)
        };
        if writes {
            kinds.elements[layer.output] = Element::Bf16;
            kinds.forms[layer.output] = Some(Form::Bf16);
        }
    }
    for (value, readers) in readers.iter().enumerate() {
        kinds.converted[value] = readers.operand && kinds.elements[value] == Element::Float;
    }
    kinds
}

/// Who reads a value.
#[derive(Clone, Copy, Debug, Default)]
struct Readers {
    /// A layer on bf16, as what it multiplies.
    operand: bool,
    /// Layers that read either form.
    either: bool,
    /// Layers on numbers, or the caller.
    others: bool,
}

/// Whether a layer takes less time on bf16, of which two products take as long as one of numbers.
fn pays(graph: &Graph, layer: &Layer, geometry: &Geometry, algorithm: Algorithm) -> bool {
    let input = layer.inputs[0];
    let is_constant = matches!(graph.nodes()[input].op, Op::Constant(_));
    // Of one position there is little to compute, and much may depend on it: factors for channels, classes. Half of a
    // word would be no channel, which may hold anything.
    if is_constant || graph.shapes()[input].positions() == 1 || !geometry.inputs.is_multiple_of(2) {
        return false;
    }
    match algorithm {
        Algorithm::Direct => true,
        Algorithm::Winograd => !winograd_pays(geometry, graph.shapes()[layer.node]),
        _ => false,
    }
}

/// Whether Winograd's algorithm on numbers takes less time than a direct convolution of bf16.
fn winograd_pays(geometry: &Geometry, output: Shape) -> bool {
    let Shape::Map { height, width, .. } = output else {
        return false;
    };
    let direct = 9 * height * width * geometry.inputs * geometry.outputs.next_multiple_of(LANES) / 2;
    winograd::cost(geometry.inputs, geometry.outputs, [height, width]) < direct
}

/// Whether a layer's results are values of its operand, whatever form they have.
fn only_moves(graph: &Graph, layer: &Layer) -> bool {
    match &graph.nodes()[layer.node].op {
        Op::Slice { start, .. } => start.is_multiple_of(LANES),
        Op::ToTokens | Op::ToMap { .. } | Op::TakeTokens { .. } => true,
        _ => false,
    }
}

/// Whether a layer, not a convolution nor attention, reads `f32` or bf16 alike.
fn reads_either(graph: &Graph, layer: &Layer) -> bool {
    matches!(
        graph.nodes()[layer.node].op,
        Op::Activation(_)
            | Op::Affine { .. }
            | Op::Multiply
            | Op::MaxPool(_)
            | Op::AveragePool { .. }
            | Op::AdaptiveAveragePool { .. }
    )
}

fn is_layer_norm(graph: &Graph, layer: &Layer) -> bool {
    matches!(graph.nodes()[layer.node].op, Op::LayerNorm(_))
}

/// Whether a layer can write its result as bf16.
fn writes_bf16(graph: &Graph, layer: &Layer, algorithm: Option<Algorithm>) -> bool {
    if let Some(algorithm) = algorithm {
        return matches!(algorithm, Algorithm::Bf16 | Algorithm::Depthwise);
    }
    if graph.shapes()[layer.output].positions() == 1 {
        return false;
    }
    match &graph.nodes()[layer.node].op {
        Op::LayerNorm(_) | Op::Activation(_) | Op::Affine { .. } | Op::Multiply | Op::MaxPool(_) => true,
        Op::Attention(parameters) => has_whole_blocks(graph, layer.output, parameters.heads),
        Op::WindowAttention(parameters) => has_whole_blocks(graph, layer.output, parameters.heads),
        _ => false,
    }
}

/// Whether a layer is attention that is computed on bf16.
fn attention_pays(graph: &Graph, layer: &Layer) -> bool {
    let heads = match &graph.nodes()[layer.node].op {
        Op::Attention(parameters) => parameters.heads,
        Op::WindowAttention(parameters) => parameters.heads,
        _ => return false,
    };
    // Values have the features of the result.
    [layer.inputs[0], layer.output]
        .into_iter()
        .all(|value| has_whole_blocks(graph, value, heads))
}

/// Whether the features of each head of attention are whole blocks.
fn has_whole_blocks(graph: &Graph, value: usize, heads: usize) -> bool {
    (graph.shapes()[value].channels() / heads).is_multiple_of(LANES)
}
