//! The computations of layers on views of memory in the blocked layout.

mod activation;
pub(crate) mod attention;
pub(crate) mod conversion;
pub(crate) mod convolution;
pub(crate) mod deformable;
pub(crate) mod depthwise;
pub(crate) mod elementwise;
pub(crate) mod epilogue;
pub(crate) mod function;
pub(crate) mod group;
pub(crate) mod heads;
pub(crate) mod normalise;
pub(crate) mod pooling;
pub(crate) mod reads;
pub(crate) mod rearrange;
pub(crate) mod requantise;
pub(crate) mod response;
pub(crate) mod row_pairs;
pub(crate) mod selection;
pub(crate) mod tile;
pub(crate) mod turn;
pub(crate) mod upsampling;
pub(crate) mod wide;
pub(crate) mod windows;
pub(crate) mod winograd;
pub(crate) mod word_depthwise;
