//! The description of a network: a typed graph in the vocabulary of torch, with its weights as `f32`.
//!
//! A [`GraphBuilder`] checks every layer as it is added: its shape is known at once, and a wrong weight or
//! a shape that does not fit is an error that carries the layer's name. The finished [`Graph`] is immutable
//! and cheap to clone; [`Plan`](crate::plan::Plan) compiles it, [`reference`](crate::reference) runs it naively.
//!
//! Shapes are those of one image; the batch is chosen when a plan runs.

mod builder;
mod error;
mod infer;
mod network;
mod op;
mod padding;
mod shape;
mod weight;

pub use builder::{GraphBuilder, Value};
pub use error::{GraphError, Problem};
pub use network::{Graph, Node};
pub use op::{
    Activation, Attention, Convolution, DeformableAttention, Function, Interpolation, LayerNorm, Level, Op,
    Pool, Rotation, TransposedConvolution, UpsampleSize, WindowAttention,
};
pub use padding::Padding;
pub use shape::Shape;
pub use weight::{BatchNorm, Weight};
