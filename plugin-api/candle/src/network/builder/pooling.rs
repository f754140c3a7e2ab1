//! Pooling and resampling of maps.

use super::NetworkBuilder;
use modelzoo_kernels::graph::{Interpolation, Op, Pool, UpsampleSize, Value};
use modelzoo_plugin_api::Result;

impl NetworkBuilder<'_> {
    /// `torch.nn.MaxPool2d`; padding is never the maximum.
    pub fn max_pool2d(&mut self, x: Value, pool: Pool) -> Result<Value> {
        self.numbered("max_pool2d", Op::MaxPool(pool), &[x])
    }

    /// `torch.nn.AvgPool2d`; `count_include_pad` is torch's, true by default there.
    pub fn avg_pool2d(&mut self, x: Value, pool: Pool, count_include_pad: bool) -> Result<Value> {
        let op = Op::AveragePool {
            pool,
            count_include_pad,
        };
        self.numbered("avg_pool2d", op, &[x])
    }

    /// `torch.nn.AdaptiveAvgPool2d`: the means of `[height, width]` equal parts.
    pub fn adaptive_avg_pool2d(&mut self, x: Value, size: [usize; 2]) -> Result<Value> {
        self.numbered("adaptive_avg_pool2d", Op::AdaptiveAveragePool { size }, &[x])
    }

    /// `torch.nn.functional.interpolate` to `[height, width]`.
    pub fn interpolate(&mut self, x: Value, size: [usize; 2], interpolation: Interpolation) -> Result<Value> {
        self.resample(&[x], UpsampleSize::Exact(size), interpolation)
    }

    /// `torch.nn.functional.interpolate` by a whole factor.
    pub fn upsample(&mut self, x: Value, factor: usize, interpolation: Interpolation) -> Result<Value> {
        self.resample(&[x], UpsampleSize::Scale([factor; 2]), interpolation)
    }

    /// `torch.nn.functional.interpolate` to the height and width of another map.
    pub fn interpolate_like(&mut self, x: Value, like: Value, interpolation: Interpolation) -> Result<Value> {
        self.resample(&[x, like], UpsampleSize::Like, interpolation)
    }

    fn resample(
        &mut self,
        operands: &[Value],
        size: UpsampleSize,
        interpolation: Interpolation,
    ) -> Result<Value> {
        self.numbered("interpolate", Op::Upsample { interpolation, size }, operands)
    }
}
