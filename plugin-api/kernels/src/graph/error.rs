//! Why a layer cannot be part of a graph.

use super::Shape;

/// A layer that does not fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("layer `{layer}`: {problem}")]
pub struct GraphError {
    /// The layer's name.
    pub layer: String,
    /// What is wrong with it. It is a part of the message and no cause, or else whoever prints causes prints it twice.
    pub problem: Problem,
}

/// What is wrong with a layer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The name is taken.
    #[error("another layer has this name; give each layer its own")]
    DuplicateName,
    /// An operand of another builder.
    #[error("an operand does not belong to this graph")]
    UnknownValue,
    /// The name is not in the graph.
    #[error("the graph has no layer of this name")]
    UnknownLayer,
    /// A graph without outputs.
    #[error("the graph has no output; call `output` at least once")]
    NoOutput,
    /// Not as many input shapes as inputs.
    #[error("the graph has {expected} inputs, but {found} shapes were given")]
    InputCount {
        /// Inputs of the graph.
        expected: usize,
        /// Shapes given.
        found: usize,
    },
    /// An operand of the wrong kind.
    #[error("needs {expected}, got {found}")]
    Kind {
        /// What the layer takes.
        expected: &'static str,
        /// What it got.
        found: Shape,
    },
    /// Operands that do not fit each other.
    #[error("operands do not fit: {left} and {right}")]
    ShapesDiffer {
        /// The first.
        left: Shape,
        /// The other.
        right: Shape,
    },
    /// A parameter with the wrong dimensions.
    #[error("{parameter} has dimensions {found:?}, but {expected} is needed")]
    Dimensions {
        /// Which parameter.
        parameter: &'static str,
        /// What is needed, in words and numbers.
        expected: String,
        /// The dimensions found.
        found: Vec<usize>,
    },
    /// A parameter whose data is not as long as its dimensions say.
    #[error("{parameter} has {found} values, but its dimensions {dims:?} need {expected}")]
    Length {
        /// Which parameter.
        parameter: &'static str,
        /// Its dimensions.
        dims: Vec<usize>,
        /// The product of the dimensions.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// A setting outside of its range.
    #[error("{setting} is {found}, but {expected} is needed")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// The range, in words and numbers.
        expected: String,
        /// The value found.
        found: String,
    },
    /// A window that does not fit into its input.
    #[error("a window of {window:?} does not fit into {input} with its padding")]
    WindowTooLarge {
        /// `[height, width]` with dilation.
        window: [usize; 2],
        /// The input.
        input: Shape,
    },
    /// A result with no or too many elements.
    #[error("the shape {0} has no elements or more than {max}", max = Shape::MAX_ELEMENTS)]
    Size(Shape),
}

impl Problem {
    pub(crate) fn at(self, layer: &str) -> GraphError {
        GraphError {
            layer: layer.to_owned(),
            problem: self,
        }
    }
}
