//! Shapes of values, for one image.

use std::fmt;

/// The shape of a value for one image; torch's shape without the batch dimension.
///
/// In memory a value is dense and row-major in the order of the fields, so a batch of maps is NCHW.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// An image or a feature map: `[channels, height, width]`.
    Map {
        /// Number of channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A sequence: `[count, features]`.
    Tokens {
        /// Number of tokens.
        count: usize,
        /// Features of each token.
        features: usize,
    },
    /// A single vector: `[features]`.
    Vector {
        /// Number of features.
        features: usize,
    },
}

impl Shape {
    /// The most elements that one value may have: offsets into it stay far from overflow.
    pub const MAX_ELEMENTS: usize = 1 << 31;

    /// A map of `channels` x `height` x `width`.
    pub const fn map(channels: usize, height: usize, width: usize) -> Self {
        Self::Map {
            channels,
            height,
            width,
        }
    }

    /// A sequence of `count` tokens with `features` each.
    pub const fn tokens(count: usize, features: usize) -> Self {
        Self::Tokens { count, features }
    }

    /// A vector of `features`.
    pub const fn vector(features: usize) -> Self {
        Self::Vector { features }
    }

    /// Channels of a map, features of tokens or of a vector.
    pub const fn channels(self) -> usize {
        match self {
            Self::Map { channels, .. } => channels,
            Self::Tokens { features, .. } | Self::Vector { features } => features,
        }
    }

    /// Places that each hold one value per channel: pixels of a map, tokens of a sequence, 1 for a vector.
    pub const fn positions(self) -> usize {
        match self {
            Self::Map { height, width, .. } => height * width,
            Self::Tokens { count, .. } => count,
            Self::Vector { .. } => 1,
        }
    }

    /// Number of elements.
    pub const fn elements(self) -> usize {
        self.channels() * self.positions()
    }

    /// The dimensions in torch's order, without the batch.
    pub fn dims(self) -> Vec<usize> {
        match self {
            Self::Map {
                channels,
                height,
                width,
            } => vec![channels, height, width],
            Self::Tokens { count, features } => vec![count, features],
            Self::Vector { features } => vec![features],
        }
    }

    /// Whether no dimension is 0 and the number of elements is at most [`Shape::MAX_ELEMENTS`].
    pub fn is_valid(self) -> bool {
        let elements = self
            .dims()
            .into_iter()
            .try_fold(1usize, |product, dim| product.checked_mul(dim));
        elements.is_some_and(|elements| elements > 0 && elements <= Self::MAX_ELEMENTS)
    }

    /// The same kind of shape with another number of channels or features.
    pub(crate) fn with_channels(self, count: usize) -> Self {
        match self {
            Self::Map { height, width, .. } => Self::map(count, height, width),
            Self::Tokens { count: tokens, .. } => Self::tokens(tokens, count),
            Self::Vector { .. } => Self::vector(count),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map {
                channels,
                height,
                width,
            } => write!(formatter, "map {channels}x{height}x{width}"),
            Self::Tokens { count, features } => write!(formatter, "tokens {count}x{features}"),
            Self::Vector { features } => write!(formatter, "vector {features}"),
        }
    }
}
