//! From a graph to steps: which layers there are, how each is computed, where values live, and which images go
//! through a step together.

mod bf16;
mod bytes;
mod convolution;
mod other;
mod packing;
mod rows;
mod segments;
mod tasks;
mod transposed;
mod words;

use super::{
    algorithm::{Algorithm, Geometry, Phase, choose, halo},
    bf16::narrow,
    fuse::{Layer, fuse},
    options::{PlanOptions, Precision},
    packer::Packer,
    quantise::{Kinds, quantise},
    steps::{BufferSlot, Dense, ExportStep, ImportStep, PlanarImportStep, Step},
    storage::{Lifetime, Part, Place, Places, pack, place},
};
use crate::{
    graph::{Graph, Op, Shape},
    kernels::rearrange::Planar,
    memory::{Element, Halo, Layout},
    simd::{Isa, LANES},
};
use std::collections::HashMap;

pub(super) use segments::Segment;

/// Everything that a plan runs.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Box<dyn Step>>,
    /// The name of the layer that each step belongs to.
    pub(super) names: Vec<String>,
    pub(super) segments: Vec<Segment>,
    pub(super) buffers: Vec<BufferSlot>,
    /// Length of the arena.
    pub(super) arena: usize,
    /// Length of a thread's own memory.
    pub(super) scratch: usize,
    /// Length of the memory that threads share during a step.
    pub(super) shared: usize,
}

/// A graph on the way to its program.
struct Builder<'a> {
    graph: &'a Graph,
    isa: Isa,
    packer: Packer<'a>,
    layers: Vec<Layer>,
    /// How each layer with weights is computed.
    algorithms: Vec<Option<(Geometry, Algorithm)>>,
    places: Vec<Option<Place>>,
    buffers: Vec<Layout>,
    /// Bordered dense images of inputs, which planar convolutions read.
    planar: HashMap<usize, (Planar, Part)>,
    /// How each value is kept.
    kinds: Kinds,
    /// The second places of values that are kept in a narrow form and as `f32`.
    converted: HashMap<usize, Part>,
    /// Images that go through each layer together.
    images: Vec<usize>,
}

/// Makes the program of a graph, and packs its weights.
pub(super) fn build<'a>(graph: &'a Graph, options: &PlanOptions, isa: Isa, packer: Packer<'a>) -> Program {
    let layers = fuse(graph);
    let mut algorithms: Vec<_> = layers.iter().map(|layer| choose(graph, layer, options)).collect();
    let kinds = match (options.precision, options.ranges.as_deref()) {
        (Precision::Bf16, None) => narrow(graph, &layers, &mut algorithms),
        (_, ranges) => quantise(graph, &layers, &mut algorithms, ranges),
    };
    let halos = halos(graph, &layers, &algorithms);
    let planar_only = inputs_read_planar_only(graph, &layers, &algorithms);
    let Places { places, buffers } = place(graph, &layers, &halos, &planar_only, &kinds.elements);
    let split = segments::split(graph, &layers, options.images_together);
    let images = (0..layers.len()).map(|layer| split.images(layer)).collect();
    let mut builder = Builder {
        graph,
        isa,
        packer,
        layers,
        algorithms,
        places,
        buffers,
        planar: HashMap::new(),
        kinds,
        converted: HashMap::new(),
        images,
    };
    builder.add_planar_inputs();
    builder.add_converted(&halos);

    let mut steps: Vec<(usize, Box<dyn Step>)> = Vec::new();
    for layer in 0..builder.layers.len() {
        let mut made = Vec::new();
        builder.add_steps(layer, &mut made);
        if let Some(conversion) = builder.conversion(layer) {
            made.push(Box::new(conversion));
        }
        builder.add_exports(layer, &mut made);
        steps.extend(made.into_iter().map(|step| (layer, step)));
    }
    builder.finish(steps, &split)
}

/// What the readers of each value need around it.
fn halos(graph: &Graph, layers: &[Layer], algorithms: &[Option<(Geometry, Algorithm)>]) -> Vec<Halo> {
    let mut halos = vec![Halo::default(); graph.nodes().len()];
    for (layer, algorithm) in layers.iter().zip(algorithms) {
        let Some(&input) = layer.inputs.first() else {
            continue;
        };
        let (shape, result) = (graph.shapes()[input], graph.shapes()[layer.node]);
        let needed = match (&graph.nodes()[layer.node].op, algorithm) {
            (Op::TransposedConvolution(parameters), _) => transposed::halo(parameters, shape, result),
            (_, Some((_, Algorithm::Planar))) | (_, None) => Halo::default(),
            (_, Some((geometry, algorithm))) => halo(geometry, *algorithm, shape, result),
        };
        halos[input] = halos[input].union(needed);
    }
    halos
}

/// Inputs that nobody reads in the blocked layout.
fn inputs_read_planar_only(
    graph: &Graph,
    layers: &[Layer],
    algorithms: &[Option<(Geometry, Algorithm)>],
) -> Vec<bool> {
    let mut only = vec![false; graph.nodes().len()];
    for &input in graph.inputs() {
        only[input] = !graph.outputs().contains(&input);
    }
    for (layer, algorithm) in layers.iter().zip(algorithms) {
        let planar = matches!(algorithm, Some((_, Algorithm::Planar)));
        for read in layer
            .inputs
            .iter()
            .copied()
            .skip(usize::from(planar))
            .chain(layer.residual)
        {
            only[read] = false;
        }
    }
    only
}

impl Builder<'_> {
    fn shape(&self, node: usize) -> Shape {
        self.graph.shapes()[node]
    }

    /// The place of a value's numbers that an earlier layer computes.
    fn place(&self, node: usize) -> Place {
        match self.converted.get(&node) {
            Some(part) if self.kinds.elements[node] != Element::Float => Place::Arena(*part),
            _ => self.own_place(node).clone(),
        }
    }

    /// The place of a value as it is computed.
    fn own_place(&self, node: usize) -> &Place {
        self.places[node]
            .as_ref()
            .expect("a layer reads values of earlier layers only, which all have places")
    }

    /// The place of a layer's own value, which is never a constant.
    fn part(&self, node: usize) -> Part {
        match self.own_place(node) {
            Place::Arena(part) => *part,
            Place::Constant(..) => unreachable!("constants are not computed"),
        }
    }

    /// Gives the inputs of planar convolutions a bordered copy, wide enough for all of its readers.
    fn add_planar_inputs(&mut self) {
        let mut borders: Vec<(usize, Halo)> = Vec::new();
        for (layer, algorithm) in self.layers.iter().zip(&self.algorithms) {
            if let Some((geometry, Algorithm::Planar)) = algorithm {
                let input = layer.inputs[0];
                let needed = halo(
                    geometry,
                    Algorithm::Planar,
                    self.shape(input),
                    self.shape(layer.node),
                );
                match borders.iter_mut().find(|(other, _)| *other == input) {
                    Some((_, border)) => *border = border.union(needed),
                    None => borders.push((input, needed)),
                }
            }
        }
        for (input, border) in borders {
            let layout = Layout::new(self.shape(input), Halo::default());
            let planar = Planar {
                channels: layout.channels,
                height: layout.height,
                width: layout.width,
                border,
            };
            let width = planar.image().div_ceil(LANES);
            let row = Layout {
                channels: LANES,
                height: 1,
                width,
                halo: Halo::default(),
                element: Element::Float,
            };
            let part = Part {
                buffer: self.buffers.len(),
                block: 0,
                layout: row,
            };
            self.buffers.push(row);
            self.planar.insert(input, (planar, part));
        }
    }

    fn add_steps(&self, index: usize, steps: &mut Vec<Box<dyn Step>>) {
        let layer = &self.layers[index];
        match &self.graph.nodes()[layer.node].op {
            Op::Input => self.add_imports(layer.node, steps),
            Op::Constant(_) => {}
            Op::TransposedConvolution(parameters) => {
                steps.push(Box::new(self.transposed_convolution(layer, parameters)));
            }
            Op::Convolution(parameters) => {
                steps.push(self.convolution(index, &parameters.weight, parameters.bias.as_ref()));
            }
            Op::Linear { weight, bias } => steps.push(self.convolution(index, weight, bias.as_ref())),
            op => self.add_other(layer, op, steps),
        }
    }

    fn add_imports(&self, node: usize, steps: &mut Vec<Box<dyn Step>>) {
        let input = self.input_index(node);
        if let Some(&(planar, y)) = self.planar.get(&node)
            && planar.border != Halo::default()
        {
            steps.push(Box::new(PlanarImportStep { input, planar, y }));
        }
        if let Some(Place::Arena(y)) = self.places[node] {
            steps.push(Box::new(ImportStep {
                input,
                dense: Dense::of(self.shape(node)),
                y,
            }));
        }
    }

    fn input_index(&self, node: usize) -> usize {
        let inputs = self.graph.inputs();
        inputs
            .iter()
            .position(|&input| input == node)
            .expect("every input node is in the list of inputs")
    }

    fn add_exports(&self, index: usize, steps: &mut Vec<Box<dyn Step>>) {
        let value = self.layers[index].output;
        for (output, _) in self
            .graph
            .outputs()
            .iter()
            .enumerate()
            .filter(|&(_, &node)| node == value)
        {
            let (dense, x) = (Dense::of(self.shape(value)), self.place(value));
            steps.push(Box::new(ExportStep { output, dense, x }));
        }
    }

    /// Places buffers by their lifetimes, and packs weights.
    fn finish(self, steps: Vec<(usize, Box<dyn Step>)>, split: &segments::Split) -> Program {
        let segments = split.segments(steps.iter().map(|(layer, _)| *layer));
        let most = split.most_images();
        let (mut buffers, lifetimes): (Vec<_>, Vec<_>) = self
            .buffers
            .iter()
            .zip(self.uses(&steps))
            .map(|(layout, uses)| slot(layout, uses, &segments, most))
            .unzip();
        let (offsets, arena) = pack(&lifetimes);
        for (slot, offset) in buffers.iter_mut().zip(offsets) {
            slot.offset = offset;
        }
        let most = |length: fn(&dyn Step) -> usize| {
            let lengths = steps.iter().map(|(_, step)| length(step.as_ref()));
            lengths.max().unwrap_or(0)
        };
        let (scratch, shared) = (most(|step| step.scratch()), most(|step| step.shared_scratch()));
        let name = |layer: usize| self.graph.nodes()[self.layers[layer].output].name.clone();
        let names = steps.iter().map(|(layer, _)| name(*layer)).collect();
        let steps = steps.into_iter().map(|(_, step)| step).collect();
        self.packer.finish();
        Program {
            steps,
            names,
            segments,
            buffers,
            arena,
            scratch,
            shared,
        }
    }

    /// The first and the last step that use each buffer.
    fn uses(&self, steps: &[(usize, Box<dyn Step>)]) -> Vec<Option<(usize, usize)>> {
        let mut uses: Vec<Option<(usize, usize)>> = vec![None; self.buffers.len()];
        for (index, (_, step)) in steps.iter().enumerate() {
            for part in step.reads().into_iter().chain(step.output()) {
                let (first, last) = uses[part.buffer].unwrap_or((index, index));
                uses[part.buffer] = Some((first.min(index), last.max(index)));
            }
        }
        uses
    }

    /// The phases of a transposed convolution along both axes.
    fn phases(
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: usize,
        results: [usize; 2],
    ) -> [Vec<Phase>; 2] {
        [0, 1].map(|axis| Phase::all(kernel[axis], stride[axis], padding, results[axis]))
    }
}

/// A buffer that is not placed yet, and when it is in use. `uses` are its first and last step; `most` images are in a
/// chunk.
fn slot(
    layout: &Layout,
    uses: Option<(usize, usize)>,
    segments: &[Segment],
    most: usize,
) -> (BufferSlot, Lifetime) {
    let segment_of = |step: usize| {
        segments
            .iter()
            .position(|segment| segment.steps.contains(&step))
            .expect("segments cover all steps")
    };
    let (first, last) = uses.unwrap_or((0, 0));
    let (from, to) = (segment_of(first), segment_of(last));
    let is_local = from == to;
    let images = if is_local { segments[from].images } else { most };
    let length = if uses.is_some() {
        layout.image() * images
    } else {
        0
    };
    let slot = BufferSlot {
        offset: 0,
        length,
        image: layout.image(),
        layout: *layout,
        is_local,
    };
    // A segment runs several times: what crosses its border is in use all the while.
    let (first, last) = if is_local {
        (first, last)
    } else {
        (segments[from].steps.start, segments[to].steps.end - 1)
    };
    let lifetime = Lifetime {
        length: length.next_multiple_of(LANES * 4),
        first,
        last,
    };
    (slot, lifetime)
}
