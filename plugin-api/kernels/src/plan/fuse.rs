//! Which nodes of a graph become one layer of a plan.

use crate::{
    graph::{Graph, Op, Shape},
    kernels::epilogue::Epilogue,
};
use std::collections::HashMap;

/// A node and those that its kernel does along the way.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// The node whose operator it is.
    pub(super) node: usize,
    /// The first node with the same convolution, whose packed weights it shares.
    pub(super) weights: usize,
    /// The node whose value it computes: the last one that it took in.
    pub(super) output: usize,
    /// The operator's operands.
    pub(super) inputs: Vec<usize>,
    /// A factor and a summand for each channel that the weights take in.
    pub(super) affine: Option<usize>,
    pub(super) epilogue: Epilogue,
    /// The value that the epilogue adds.
    pub(super) residual: Option<usize>,
}

impl Layer {
    /// Everything that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = usize> + '_ {
        self.inputs.iter().copied().chain(self.residual)
    }
}

/// The layers that the outputs depend on, in an order in which they can run.
pub(super) fn fuse(graph: &Graph) -> Vec<Layer> {
    let uses = Uses::of(graph);
    let mut taken = vec![false; graph.nodes().len()];
    let mut layers = Vec::new();
    let mut convolutions = HashMap::new();
    for (index, node) in graph.nodes().iter().enumerate() {
        if taken[index] || !uses.needed[index] {
            continue;
        }
        let mut layer = Layer {
            node: index,
            weights: match &node.op {
                Op::Convolution(convolution) => *convolutions
                    .entry((
                        convolution.weight.data().as_ptr(),
                        convolution.weight.dims(),
                        convolution.groups,
                    ))
                    .or_insert(index),
                _ => index,
            },
            output: index,
            inputs: node.inputs.clone(),
            affine: None,
            epilogue: Epilogue::default(),
            residual: None,
        };
        while let Some(next) = uses.only_user(layer.output) {
            if taken[next] || !take_in(graph, &mut layer, next) {
                break;
            }
            taken[next] = true;
            layer.output = next;
        }
        layers.push(layer);
    }
    // Everything that a layer reads has been computed before the last node that it took in, because the operands
    // of a node come before it.
    layers.sort_by_key(|layer| layer.output);
    layers
}

/// Makes `next` a part of `layer` where that is possible.
fn take_in(graph: &Graph, layer: &mut Layer, next: usize) -> bool {
    let node = &graph.nodes()[next];
    let op = &graph.nodes()[layer.node].op;
    let has_weights = matches!(
        op,
        Op::Convolution(_) | Op::TransposedConvolution(_) | Op::Linear { .. }
    );
    let untouched = layer.epilogue == Epilogue::default();
    match &node.op {
        Op::Affine { .. } if has_weights && untouched && layer.affine.is_none() => {
            layer.affine = Some(next);
            true
        }
        Op::Activation(activation) if has_weights || matches!(op, Op::Add) => {
            let epilogue = &mut layer.epilogue;
            let place = if layer.residual.is_some() || !has_weights {
                &mut epilogue.after
            } else {
                &mut epilogue.activation
            };
            let free = place.is_none();
            if free {
                *place = Some(*activation);
            }
            free
        }
        // A residual is added pixel by pixel: the pixels of vectors are the images of a batch, and those of a
        // transposed convolution do not follow each other.
        Op::Add if matches!(op, Op::Convolution(_) | Op::Linear { .. }) && layer.residual.is_none() => {
            let other = node.inputs.iter().copied().find(|&input| input != layer.output);
            let is_vector = matches!(graph.shapes()[next], Shape::Vector { .. });
            match other {
                Some(other) if !is_vector => {
                    layer.residual = Some(other);
                    layer.epilogue.adds_residual = true;
                    true
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// Who uses the values that the outputs depend on.
struct Uses {
    needed: Vec<bool>,
    users: Vec<Vec<usize>>,
    is_output: Vec<bool>,
}

impl Uses {
    fn of(graph: &Graph) -> Self {
        let count = graph.nodes().len();
        let mut uses = Self {
            needed: vec![false; count],
            users: vec![Vec::new(); count],
            is_output: vec![false; count],
        };
        for &output in graph.outputs() {
            uses.needed[output] = true;
            uses.is_output[output] = true;
        }
        for (index, node) in graph.nodes().iter().enumerate().rev() {
            if uses.needed[index] {
                for &input in &node.inputs {
                    uses.needed[input] = true;
                    uses.users[input].push(index);
                }
            }
        }
        uses
    }

    /// The only node that uses a value, unless it is an output as well.
    fn only_user(&self, value: usize) -> Option<usize> {
        match self.users[value][..] {
            [user] if !self.is_output[value] => Some(user),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Activation, Convolution, GraphBuilder, Weight};

    #[test]
    fn a_residual_block_is_two_layers() {
        let mut network = GraphBuilder::new();
        let x = network.input("x", Shape::map(4, 8, 8)).unwrap();
        let conv = || Convolution::new(Weight::new([4, 4, 3, 3], vec![0.5; 144]), None).padding(1);
        let y = network.conv2d("conv1", x, conv()).unwrap();
        let ones = || Weight::vector(vec![1.0; 4]);
        let y = network.affine("bn1", y, ones(), ones()).unwrap();
        let y = network.activation("relu1", y, Activation::Relu).unwrap();
        let y = network.conv2d("conv2", y, conv()).unwrap();
        let y = network.add("add", y, x).unwrap();
        let y = network.activation("relu2", y, Activation::Relu).unwrap();
        network.output(y).unwrap();
        network.activation("unused", y, Activation::Silu).unwrap();
        let graph = network.build().unwrap();
        let layers = fuse(&graph);
        let outputs: Vec<&str> = layers
            .iter()
            .map(|layer| graph.nodes()[layer.output].name.as_str())
            .collect();
        assert_eq!(outputs, ["x", "relu1", "relu2"]);
        assert_eq!(layers[1].affine, graph.find("bn1").ok());
        assert_eq!(layers[2].residual, graph.find("x").ok());
        // A value that is asked for is not taken in.
        let layers = fuse(&graph.with_outputs(&["conv1", "relu2"]).unwrap());
        assert_eq!(layers.len(), 5);
    }
}
