//! The blocks against what torchvision and timm compute: tests/blocks.py has the same blocks and the same numbers.

use super::*;
use crate::{
    device::Placement,
    network::{Activation, Conv2d, NetworkBuilder, Parameters, Value},
    testing::{assert_close, numbers},
};
use candle_core::{Device, Tensor};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;
use std::{collections::BTreeMap, sync::LazyLock};

#[derive(serde::Deserialize)]
struct Golden {
    dims: Vec<usize>,
    values: Vec<f32>,
}

static GOLDEN: LazyLock<BTreeMap<String, Golden>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../tests/blocks.json")).unwrap());

/// Numbers that depend on a name and on their place only.
struct MadeUp;

impl Parameters for MadeUp {
    fn parameter(&self, name: &str, dims: &[usize]) -> Result<Weight> {
        let seed: usize = (1..)
            .zip(name.bytes())
            .map(|(place, byte)| place * usize::from(byte))
            .sum();
        let count: usize = dims.iter().product();
        let is_near_one = name.ends_with("running_var") || name.ends_with("weight");
        let (center, spread) = match dims {
            [_] if is_near_one => (1.0, 1.0),
            [_] => (0.0, 1.0),
            dims => (0.0, ((12 * dims[0]) as f64 / count as f64).sqrt()),
        };
        let part = |index: usize| (seed * 7 + index * index * 13 + index * 31) % 1009;
        let values: Vec<f32> = (0..count)
            .map(|index| (center + spread * (part(index) as f64 / 1009.0 - 0.5)) as f32)
            .collect();
        Ok(Weight::new(dims, values))
    }
}

/// Compares a layer or a block with a case, on kernels and on Candle's operators. It is described for pictures of another
/// size than it gets.
fn check(
    name: &str,
    [channels, height, width]: [usize; 3],
    epsilon: f64,
    describe: impl FnOnce(&mut NetworkBuilder<'_>, Value) -> Result<Value>,
) {
    let mut network = NetworkBuilder::new(&MadeUp).with_batch_norm_epsilon(epsilon);
    let image = network.input("image", [channels, height + 3, width + 2]).unwrap();
    let result = describe(&mut network, image).unwrap();
    let network = network.build(&[result], &Placement::cpu()).unwrap();
    let dims = [1, channels, height, width];
    let picture = MadeUp.parameter("image", &dims).unwrap();
    let picture = Tensor::from_slice(picture.data(), &dims, &Device::Cpu).unwrap();
    let golden = &GOLDEN[name];
    for kernels in [true, false] {
        let network = network.on_kernels(kernels).unwrap();
        let result = network.forward(&picture).unwrap().remove(0);
        assert_eq!(result.dims()[1..], golden.dims, "{name}");
        assert_close(
            &numbers(&result),
            &golden.values,
            2e-5,
            &format!("{name}, kernels: {kernels}"),
        );
    }
}

fn check_block(name: &str, picture: [usize; 3], epsilon: f64, block: InvertedResidual) {
    check(name, picture, epsilon, |network, x| {
        block.describe(&mut network.scope("block"), x)
    });
}

const TORCH: f64 = 1e-5;
const TENSORFLOW: f64 = 1e-3;

#[test]
fn blocks_of_mobilenet_v2_are_torchvision_s() {
    check_block("mobilenet_v2", [6, 6, 5], TORCH, InvertedResidual::new(6, 3));
    let first = InvertedResidual::new(4, 1).stride(2);
    check_block("mobilenet_v2_first", [6, 6, 5], TORCH, first);
}

#[test]
fn blocks_of_efficientnet_are_torchvision_s() {
    let block = |channels, expansion| {
        InvertedResidual::new(channels, expansion)
            .activation(Activation::Silu)
            .excitation(SqueezeExcitation::new(2).activation(Activation::Silu))
            .names(BlockNames::Torchvision)
    };
    let fifth = block(16, 4).kernel(5).stride(2);
    check_block("efficientnet", [8, 7, 6], TENSORFLOW, fifth);
    check_block("efficientnet_first", [8, 5, 6], TENSORFLOW, block(8, 1));
}

#[test]
fn blocks_of_mobilenet_v3_are_torchvision_s() {
    let excitation = SqueezeExcitation::new(16).gate(Activation::HardSigmoid);
    let block = InvertedResidual::new(8, 1)
        .width(40)
        .kernel(5)
        .activation(Activation::HardSwish)
        .excitation(excitation)
        .names(BlockNames::Torchvision);
    check_block("mobilenet_v3", [8, 6, 5], TENSORFLOW, block);
}

#[test]
fn blocks_with_tensorflow_s_padding_are_timm_s() {
    let block = |channels, expansion| {
        InvertedResidual::new(channels, expansion)
            .same()
            .activation(Activation::Silu)
            .excitation(SqueezeExcitation::new(3).activation(Activation::Silu))
            .names(BlockNames::Timm)
    };
    check_block("timm", [8, 5, 6], TENSORFLOW, block(8, 2));
    let first = block(4, 1).kernel(5).stride(2);
    check_block("timm_first", [6, 8, 7], TENSORFLOW, first);
}

#[test]
fn convolutions_with_tensorflow_s_padding_are_timm_s() {
    let conv = Conv2d::new(3, 3).stride(2).same();
    check("same", [2, 8, 7], TORCH, |network, x| {
        network.conv2d("block", x, conv)
    });
    let conv = Conv2d::new(3, 1)
        .kernel([2, 5])
        .strides([1, 3])
        .dilation(2)
        .same();
    check("same_dilated", [2, 7, 10], TORCH, |network, x| {
        network.conv2d("block", x, conv)
    });
}

#[test]
fn names_may_be_given() {
    let names = LayerNames {
        widen: ["widen.conv", "widen.norm"],
        filter: ["filter.conv", "filter.norm"],
        excite: ["", ""],
        narrow: ["narrow.conv", "narrow.norm"],
    };
    let mut network = NetworkBuilder::new(&MadeUp);
    let image = network.input("image", [4, 8, 8]).unwrap();
    let block = InvertedResidual::new(4, 2).names(BlockNames::Given(names));
    let x = block.describe(&mut network.scope("b"), image).unwrap();
    let network = network.build(&[x], &Placement::cpu()).unwrap();
    let layers = ["b.widen.conv", "b.filter.norm", "b.narrow.norm"];
    assert!(network.with_outputs(&layers).is_ok());
}
