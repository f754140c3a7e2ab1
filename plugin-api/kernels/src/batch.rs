//! What every way of running a graph checks first: as many slices as the graph has inputs and outputs, each
//! as long as a batch of its shape.

use crate::graph::{Graph, Shape};

/// Slices that do not fit the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// Not as many slices as the graph has inputs or outputs.
    #[error("the network has {expected} {what}s, but {found} slices were given")]
    Count {
        /// `input` or `output`.
        what: &'static str,
        /// Inputs or outputs of the graph.
        expected: usize,
        /// Slices given.
        found: usize,
    },
    /// A slice of the wrong length.
    #[error("{what} {index} is a batch of {batch} x ({shape}) and needs {expected} values, got {found}")]
    Length {
        /// `input` or `output`.
        what: &'static str,
        /// Which one, from 0.
        index: usize,
        /// Images in the batch.
        batch: usize,
        /// The shape of one image's value.
        shape: Shape,
        /// Values needed.
        expected: usize,
        /// Values given.
        found: usize,
    },
}

pub(crate) fn check_inputs(graph: &Graph, lengths: &[usize], batch: usize) -> Result<(), RunError> {
    check("input", graph.input_shapes(), lengths, batch)
}

pub(crate) fn check_outputs(graph: &Graph, lengths: &[usize], batch: usize) -> Result<(), RunError> {
    check("output", graph.output_shapes(), lengths, batch)
}

fn check(
    what: &'static str,
    shapes: impl ExactSizeIterator<Item = Shape>,
    lengths: &[usize],
    batch: usize,
) -> Result<(), RunError> {
    if shapes.len() != lengths.len() {
        return Err(RunError::Count {
            what,
            expected: shapes.len(),
            found: lengths.len(),
        });
    }
    for (index, (shape, &found)) in shapes.zip(lengths).enumerate() {
        let expected = shape.elements().saturating_mul(batch);
        if found != expected {
            return Err(RunError::Length {
                what,
                index,
                batch,
                shape,
                expected,
                found,
            });
        }
    }
    Ok(())
}
