//! A network compiled for the shapes of its inputs.

use crate::batch::{RunError, check_outputs};
use crate::graph::{Graph, GraphError, Shape};
use crate::reference;

/// How a network is compiled.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Shapes of the inputs for one image; `None` leaves them as the graph has them.
    pub input_shapes: Option<Vec<Shape>>,
    /// Threads that one run may use; 0 is one for each core.
    pub threads: usize,
    /// Use direct convolution only: half of the speed of a network of 3x3 convolutions, a quarter of the memory
    /// for their weights.
    pub direct_only: bool,
}

/// A network compiled for the shapes of its inputs; any number of threads may run it at the same time.
#[derive(Debug)]
pub struct Plan {
    graph: Graph,
}

impl Plan {
    /// Compiles a network.
    ///
    /// # Errors
    /// A layer that does not fit the shapes asked for.
    pub fn compile(graph: &Graph, options: &PlanOptions) -> Result<Self, GraphError> {
        let graph = match &options.input_shapes {
            Some(shapes) => graph.with_input_shapes(shapes)?,
            None => graph.clone(),
        };
        Ok(Self { graph })
    }

    /// The network with the shapes that this plan was compiled for.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Runs a batch. `inputs` and `outputs` hold each input and output as a dense batch (maps NCHW, tokens NLC,
    /// vectors NC); outputs are overwritten.
    ///
    /// # Errors
    /// [`RunError`] where a slice does not fit; nothing has been written then.
    pub fn run(&self, inputs: &[&[f32]], outputs: &mut [&mut [f32]], batch: usize) -> Result<(), RunError> {
        let lengths: Vec<usize> = outputs.iter().map(|output| output.len()).collect();
        check_outputs(&self.graph, &lengths, batch)?;
        let results = reference::run(&self.graph, inputs, batch)?;
        for (output, result) in outputs.iter_mut().zip(results) {
            output
                .iter_mut()
                .zip(result)
                .for_each(|(output, value)| *output = value as f32);
        }
        Ok(())
    }
}
