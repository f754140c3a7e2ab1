//! SegFormer's decoder.
//!
//! It is published as a linear layer of each map, a resizing of the results to the size of the largest one, and a
//! convolution of single pixels over all of them, with its normalisation. Resizing adds neighbours with weights that are 1
//! together, the same for all channels, so it changes places with what is done to single pixels: each map goes through one
//! layer that is the product of all three, in its own size, and the results are resized and added up. In SegFormer-B0 that
//! is 0.3 instead of 4.6 of 8.4 billion products for a picture of 512 x 512.

use super::super::branches::Norm;
use crate::checkpoint::Checkpoint;
use modelzoo_candle::{
    candle_core::{self, DType, Device, Tensor},
    network::{Conv2d, Interpolation, NetworkBuilder, Parameters, Value},
};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Context as _, Result};

/// Added to variances: torch's default.
const EPSILON: f64 = 1e-5;

pub(super) struct Decoder {
    /// Features of each linear layer and of their sum.
    pub(super) features: usize,
    pub(super) classes: usize,
}

impl Decoder {
    /// The logits of maps, the largest one first, in its size.
    pub(super) fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        maps: &[Value],
    ) -> Result<Value> {
        let mut channels = Vec::new();
        for &map in maps {
            channels.push(network.channels(map)?);
        }
        let names = self.store(checkpoint, &channels)?;
        let largest = network.dims(maps[0])?;
        let mut smaller = None;
        let mut x = maps[0];
        // From the smallest one on, so that the largest one's layer adds all others itself.
        for (&map, name) in maps.iter().zip(&names).rev() {
            x = network.conv2d(name, map, Conv2d::new(self.features, 1))?;
            if network.dims(x)?[1..] != largest[1..] {
                let size = [largest[1], largest[2]];
                x = network.interpolate(x, size, Interpolation::Bilinear { align_corners: false })?;
            }
            if let Some(smaller) = smaller {
                x = network.add(x, smaller)?;
            }
            smaller = Some(x);
        }
        let x = network.relu(x)?;
        network.conv2d("decode_head.classifier", x, Conv2d::new(self.classes, 1))
    }

    /// Puts the layers of maps of so many channels into the checkpoint, and gives their names.
    fn store(&self, checkpoint: &Checkpoint, channels: &[usize]) -> Result<Vec<String>> {
        let names: Vec<String> = (0..channels.len())
            .map(|index| format!("decode_head.linear_c.{index}.fused"))
            .collect();
        if names
            .iter()
            .all(|name| checkpoint.has_made(&format!("{name}.bias")))
        {
            return Ok(names);
        }
        let features = self.features;
        let norm = Norm::read(checkpoint, "decode_head.batch_norm", features, EPSILON)?;
        let dims = [features, features * channels.len(), 1, 1];
        let fuse = checkpoint.parameter("decode_head.linear_fuse.weight", &dims)?;
        let fuse = matrix(&fuse, [features, features * channels.len()])?;
        let fuse = fuse
            .broadcast_mul(&Tensor::from_slice(&norm.factors, (features, 1), &Device::Cpu).context(MERGING)?)
            .context(MERGING)?;
        let mut shift = Tensor::from_slice(&norm.shifts, (features, 1), &Device::Cpu).context(MERGING)?;
        for (index, (name, &inputs)) in names.iter().zip(channels).enumerate().rev() {
            let layer = format!("decode_head.linear_c.{index}.proj");
            let weight = checkpoint.parameter(&format!("{layer}.weight"), &[features, inputs])?;
            let bias = checkpoint.parameter(&format!("{layer}.bias"), &[features])?;
            let (weight, bias) = (
                matrix(&weight, [features, inputs])?,
                matrix(&bias, [features, 1])?,
            );
            // The last map comes first in what the convolution reads.
            let place = (channels.len() - 1 - index) * features;
            let merged = || -> candle_core::Result<(Vec<f32>, Tensor)> {
                let own = fuse.narrow(1, place, features)?.contiguous()?;
                let weight = own.matmul(&weight)?.to_dtype(DType::F32)?;
                Ok((weight.flatten_all()?.to_vec1()?, (own.matmul(&bias)? + &shift)?))
            };
            let (weight, summed) = merged().context(MERGING)?;
            shift = summed;
            checkpoint.make(
                format!("{name}.weight"),
                Weight::new([features, inputs, 1, 1], weight),
            );
            // All summands go with the largest map, where nothing is resized.
            let bias = if index == 0 {
                let bias = shift
                    .to_dtype(DType::F32)
                    .and_then(|bias| bias.flatten_all()?.to_vec1());
                bias.context(MERGING)?
            } else {
                vec![0.0; features]
            };
            checkpoint.make(format!("{name}.bias"), Weight::vector(bias));
        }
        Ok(names)
    }
}

/// What is said of a product that cannot be made.
const MERGING: &str = "the layers of the decoder";

/// A tensor as a matrix of `f64`.
fn matrix(weight: &Weight, [rows, columns]: [usize; 2]) -> Result<Tensor> {
    let matrix = Tensor::from_slice(weight.data(), (rows, columns), &Device::Cpu);
    matrix
        .and_then(|matrix| matrix.to_dtype(DType::F64))
        .context(MERGING)
}
