//! Which normalisations can be folded into the convolution before them.

use modelzoo_kernels::graph::{Graph, Op, Weight};

/// `Affine` nodes that follow a convolution, by the convolution's index.
#[derive(Debug)]
pub(super) struct Folded {
    affine_of: Vec<Option<usize>>,
    is_folded: Vec<bool>,
}

/// Finds every `Affine` whose operand is a convolution that nothing else uses and that is no output.
pub(super) fn affine_after_convolution(graph: &Graph) -> Folded {
    let nodes = graph.nodes();
    let mut uses = vec![0usize; nodes.len()];
    for input in nodes.iter().flat_map(|node| &node.inputs) {
        uses[*input] += 1;
    }
    let mut folded = Folded {
        affine_of: vec![None; nodes.len()],
        is_folded: vec![false; nodes.len()],
    };
    for (index, node) in nodes.iter().enumerate() {
        if let (Op::Affine { .. }, &[input]) = (&node.op, node.inputs.as_slice())
            && uses[input] == 1
            && matches!(nodes[input].op, Op::Convolution(_))
            && !graph.outputs().contains(&input)
        {
            folded.affine_of[input] = Some(index);
            folded.is_folded[index] = true;
        }
    }
    folded
}

impl Folded {
    /// Whether this node's own result no longer exists.
    pub(super) fn hides(&self, node: usize) -> bool {
        self.affine_of[node].is_some()
    }

    pub(super) fn is_folded(&self, affine: usize) -> bool {
        self.is_folded[affine]
    }

    /// The scale and shift that belong into this convolution.
    pub(super) fn scale_and_shift_for<'g>(
        &self,
        graph: &'g Graph,
        convolution: usize,
    ) -> Option<(&'g Weight, &'g Weight)> {
        match &graph.nodes()[self.affine_of[convolution]?].op {
            Op::Affine { scale, shift } => Some((scale, shift)),
            _ => None,
        }
    }
}
