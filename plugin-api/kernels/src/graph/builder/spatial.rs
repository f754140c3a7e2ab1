//! Layers of maps: convolution, pooling, upsampling.

use super::{GraphBuilder, Value};
use crate::graph::{Convolution, GraphError, Interpolation, Op, Pool, TransposedConvolution, UpsampleSize};

impl GraphBuilder {
    /// A convolution of a map.
    pub fn conv2d(&mut self, name: &str, x: Value, parameters: Convolution) -> Result<Value, GraphError> {
        self.layer(name, Op::Convolution(parameters), &[x])
    }

    /// A transposed convolution of a map.
    pub fn conv_transpose2d(
        &mut self,
        name: &str,
        x: Value,
        parameters: TransposedConvolution,
    ) -> Result<Value, GraphError> {
        self.layer(name, Op::TransposedConvolution(parameters), &[x])
    }

    /// The maximum of each window of a map; padding is never the maximum.
    pub fn max_pool2d(&mut self, name: &str, x: Value, pool: Pool) -> Result<Value, GraphError> {
        self.layer(name, Op::MaxPool(pool), &[x])
    }

    /// The mean of each window of a map.
    pub fn avg_pool2d(
        &mut self,
        name: &str,
        x: Value,
        pool: Pool,
        count_include_pad: bool,
    ) -> Result<Value, GraphError> {
        self.layer(
            name,
            Op::AveragePool {
                pool,
                count_include_pad,
            },
            &[x],
        )
    }

    /// The mean of `[height, width]` equal parts of a map.
    pub fn adaptive_avg_pool2d(
        &mut self,
        name: &str,
        x: Value,
        size: [usize; 2],
    ) -> Result<Value, GraphError> {
        self.layer(name, Op::AdaptiveAveragePool { size }, &[x])
    }

    /// The mean of each channel, as a map of 1 x 1.
    pub fn global_avg_pool(&mut self, name: &str, x: Value) -> Result<Value, GraphError> {
        self.adaptive_avg_pool2d(name, x, [1, 1])
    }

    /// A map enlarged (or reduced) to a size or by a factor. For [`UpsampleSize::Like`] see
    /// [`upsample_like`](Self::upsample_like).
    pub fn upsample(
        &mut self,
        name: &str,
        x: Value,
        interpolation: Interpolation,
        size: UpsampleSize,
    ) -> Result<Value, GraphError> {
        self.layer(name, Op::Upsample { interpolation, size }, &[x])
    }

    /// A map enlarged (or reduced) to the height and width of another one.
    pub fn upsample_like(
        &mut self,
        name: &str,
        x: Value,
        interpolation: Interpolation,
        like: Value,
    ) -> Result<Value, GraphError> {
        self.layer(
            name,
            Op::Upsample {
                interpolation,
                size: UpsampleSize::Like,
            },
            &[x, like],
        )
    }

    /// Channels `[groups, channels / groups]` transposed, as ShuffleNet does.
    pub fn channel_shuffle(&mut self, name: &str, x: Value, groups: usize) -> Result<Value, GraphError> {
        self.layer(name, Op::ChannelShuffle { groups }, &[x])
    }
}
