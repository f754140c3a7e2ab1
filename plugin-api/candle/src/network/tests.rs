//! Both engines against the reference of `modelzoo-kernels`, which computes in f64.

use super::*;
use crate::device::Placement;
use candle_core::{DType, Device, Tensor};
use modelzoo_kernels::{
    graph::{Node, Op, Weight},
    reference,
};
use modelzoo_plugin_api::Result;
use std::sync::Arc;

const BATCH: usize = 2;

fn noise(count: usize) -> Vec<f32> {
    let values = RandomParameters::new(7)
        .parameter("noise", &[count.div_ceil(2), 2])
        .unwrap();
    let scale = (count.max(2) as f32 / 2.0).sqrt().min(2.0);
    values.data()[..count].iter().map(|value| value * scale).collect()
}

/// Runs a network of one input on the reference and both engines, and compares all outputs.
fn check(dims: [usize; 3], describe: impl Fn(&mut NetworkBuilder, Value) -> Result<Vec<Value>>) {
    let parameters = RandomParameters::new(3);
    let mut builder = NetworkBuilder::new(&parameters);
    let image = builder.input("image", dims).unwrap();
    let outputs = describe(&mut builder, image).unwrap();
    let network = builder.build(&outputs, &Placement::cpu()).unwrap();
    compare(&network);
}

fn compare(network: &Network) {
    let graph = network.graph();
    let dims = [vec![BATCH], network.input_dims()].concat();
    let input = noise(dims.iter().product());
    let expected = reference::run(graph, &[&input], BATCH).unwrap();
    let batch = Tensor::from_vec(input, dims, &Device::Cpu).unwrap();
    compare_in_half(network, &batch, &expected);
    for kernels in [false, true] {
        let engine = network.on_kernels(kernels).unwrap();
        let found = engine.forward(&batch).unwrap();
        assert_eq!(found.len(), expected.len());
        for ((found, expected), dims) in found.iter().zip(&expected).zip(network.output_dims()) {
            assert_eq!(found.dims(), [vec![BATCH], dims].concat());
            let (worst, largest) = worst_and_largest(found, expected);
            assert!(largest > 0.0, "nothing to compare");
            assert!(
                worst <= 1e-5 * largest,
                "kernels {kernels}: off by {worst} of {largest}"
            );
        }
    }
}

/// Of the largest number, how far Candle's operators may be off in half precision: some roundings to 8 bits, or 11, of what
/// every layer makes.
const HALF: [(DType, f64); 2] = [(DType::BF16, 3e-2), (DType::F16, 4e-3)];

/// Compares Candle's operators in half precision, as graphics processors compute with it, with the reference. Candle has no
/// convolutions of BF16 on a CPU: networks with such are compared in F16 alone, which goes the same way.
fn compare_in_half(network: &Network, input: &Tensor, expected: &[Vec<f64>]) {
    let convolves = |node: &Node| matches!(node.op, Op::Convolution(_) | Op::TransposedConvolution(_));
    let has_convolutions = network.graph().nodes().iter().any(convolves);
    for (dtype, most) in HALF {
        if dtype == DType::BF16 && has_convolutions {
            continue;
        }
        let engine = network.on_operators_of(dtype).unwrap();
        for (found, expected) in engine.forward(input).unwrap().iter().zip(expected) {
            assert_eq!(found.dtype(), DType::F32);
            let (worst, largest) = worst_and_largest(found, expected);
            assert!(worst <= most * largest, "{dtype:?}: off by {worst} of {largest}");
        }
    }
}

/// How far the numbers are off, and the largest of those expected.
fn worst_and_largest(found: &Tensor, expected: &[f64]) -> (f64, f64) {
    let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
    let largest = expected
        .iter()
        .fold(0f64, |largest, value| largest.max(value.abs()));
    let pairs = found.iter().zip(expected);
    let worst = pairs
        .map(|(&found, &expected)| (f64::from(found) - expected).abs())
        .fold(0.0, f64::max);
    (worst, largest)
}

#[test]
fn convolutions_of_every_setting() {
    let wide = Padding {
        top: 0,
        bottom: 1,
        left: 2,
        right: 0,
    };
    let settings = [
        Conv2d::new(5, 1),
        Conv2d::new(8, 3).padding(1),
        Conv2d::new(8, 3).stride(2).padding(1).without_bias(),
        Conv2d::new(8, 3).padding(2).dilation(2),
        Conv2d::new(12, 3).groups(6).padding(1),
        Conv2d::new(6, 3).groups(6).stride(2).padding(1),
        Conv2d::new(7, 3).uneven_padding(wide).stride(2),
        Conv2d::new(4, 3).kernel([1, 5]),
        Conv2d::new(5, 3).padding(1).wide_sums(),
        Conv2d::new(6, 3).groups(6).uneven_padding(wide).wide_sums(),
        Conv2d::new(5, 3).same(),
        Conv2d::new(6, 5).groups(6).stride(2).same(),
        Conv2d::new(7, 1)
            .kernel([2, 4])
            .strides([3, 2])
            .dilation(2)
            .same(),
    ];
    for conv in settings {
        check([6, 11, 9], |network, x| {
            Ok(vec![network.conv2d("conv", x, conv)?])
        });
    }
    for conv in [
        ConvTranspose2d::new(5, 2, 2),
        ConvTranspose2d::new(4, 3, 2)
            .padding(1)
            .output_padding(1)
            .without_bias(),
    ] {
        check([6, 5, 4], |network, x| {
            Ok(vec![network.conv_transpose2d("up", x, conv)?])
        });
    }
}

#[test]
fn normalisation_is_folded_unless_the_convolution_s_own_result_is_asked_for() {
    check([3, 8, 8], |network, x| {
        let raw = network.conv2d("conv", x, Conv2d::new(4, 3))?;
        Ok(vec![network.batch_norm("bn", raw)?])
    });
    check([3, 8, 8], |network, x| {
        let raw = network.conv2d("conv", x, Conv2d::new(4, 3).without_bias())?;
        let shared = network.batch_norm_with_epsilon("bn", raw, 1e-3)?;
        let alone = network.batch_norm("other", x)?;
        Ok(vec![shared, raw, alone])
    });
}

#[test]
fn activations() {
    check([4, 6, 5], |network, x| {
        Ok(vec![
            network.relu(x)?,
            network.relu6(x)?,
            network.leaky_relu(x, 0.1)?,
            network.silu(x)?,
            network.hardswish(x)?,
            network.hardsigmoid(x)?,
            network.sigmoid(x)?,
            network.gelu(x)?,
            network.tanh_gelu(x)?,
            network.quick_gelu(x)?,
            network.tanh(x)?,
            network.clamp(x, 0.3)?,
            network.softmax(x)?,
        ])
    });
}

#[test]
fn attention_within_windows() {
    for biases in [1, 3] {
        check([6, 3, 4], |network, x| {
            let tokens = network.to_tokens(x)?;
            let count = biases * 2 * 4 * 4;
            let bias = (0..count)
                .map(|index| (index % 7) as f32 / 3.0)
                .collect::<Vec<_>>();
            let bias = Weight::new([biases, 2, 4, 4], bias);
            Ok(vec![network.window_attention([tokens; 3], 2, 3, bias)?])
        });
    }
}

/// Some points are outside of the maps.
#[test]
fn attention_to_points_around_boxes() {
    check([6, 3, 4], |network, x| {
        let tokens = network.to_tokens(x)?;
        let values = network.cat_tokens(&[tokens, tokens])?;
        let queries = network.take_tokens(tokens, [3, 0, 7, 1, 1])?;
        let levels = [([3, 4], 2), ([6, 2], 1)].map(|(size, points)| Level { size, points });
        let attention = DeformableAttention {
            heads: 2,
            levels: levels.into(),
            scale: 0.5,
        };
        let offsets = network.linear("offsets", queries, 12)?;
        let scores = network.linear("scores", queries, 6)?;
        let boxes = network.linear("boxes", queries, 4)?;
        let boxes = network.sigmoid(boxes)?;
        Ok(vec![network.deformable_attention(
            [values, offsets, scores, boxes],
            attention,
        )?])
    });
}

#[test]
fn groups_of_channels_are_normalised() {
    check([24, 5, 7], |network, x| {
        let half = network.max_pool2d(x, Pool::new(2, 2, 0))?;
        network.group_norm_of_each("norm", &[x, half], 4, 1e-5)
    });
}

#[test]
fn heads_and_responses() {
    check([8, 3, 4], |network, x| {
        let tokens = network.to_tokens(x)?;
        let angles =
            |first: usize| -> Vec<f32> { (0..48).map(|index| ((first + index) as f32).sin()).collect() };
        let rotation = Rotation {
            heads: 2,
            cosines: Weight::new([12, 4], angles(0)),
            sines: Weight::new([12, 4], angles(50)),
        };
        Ok(vec![
            network.rotate(tokens, rotation)?,
            network.unit_length(tokens, 4)?,
            network.response_norms(tokens, 1e-6)?,
        ])
    });
}

#[test]
fn the_largest_tokens_and_features() {
    check([6, 3, 4], |network, x| {
        let tokens = network.to_tokens(x)?;
        let top = network.top_tokens(tokens, tokens, 5)?;
        let mean = network.mean_tokens(tokens)?;
        Ok(vec![
            network.top_features(top, 3)?,
            network.top_features(mean, 6)?,
            top,
        ])
    });
}

#[test]
fn pooling_of_every_setting() {
    for (kernel, stride, padding, ceil_mode) in [
        (2, 2, 0, false),
        (3, 2, 1, false),
        (2, 2, 0, true),
        (3, 2, 1, true),
        (5, 1, 2, false),
    ] {
        let pool = Pool {
            ceil_mode,
            ..Pool::new(kernel, stride, padding)
        };
        check([3, 8, 7], |network, x| {
            Ok(vec![
                network.max_pool2d(x, pool)?,
                network.avg_pool2d(x, pool, true)?,
                network.avg_pool2d(x, pool, false)?,
            ])
        });
    }
    check([3, 8, 7], |network, x| {
        Ok(vec![
            network.adaptive_avg_pool2d(x, [1, 1])?,
            network.adaptive_avg_pool2d(x, [3, 4])?,
        ])
    });
}

#[test]
fn resampling_of_every_kind() {
    for interpolation in [
        Interpolation::Nearest,
        Interpolation::Bilinear { align_corners: false },
        Interpolation::Bilinear { align_corners: true },
    ] {
        check([3, 6, 4], |network, x| {
            let halved = network.interpolate(x, [3, 2], interpolation)?;
            Ok(vec![
                halved,
                network.upsample(x, 2, interpolation)?,
                network.interpolate(x, [7, 9], interpolation)?,
                network.interpolate_like(halved, x, interpolation)?,
            ])
        });
    }
}

#[test]
fn rearranging_and_combining() {
    check([6, 5, 4], |network, x| {
        let [first, second] = network.halves(x)?;
        let sum = network.add(first, second)?;
        let product = network.mul(sum, first)?;
        let pooled = network.adaptive_avg_pool2d(first, [1, 1])?;
        let vector = network.flatten(pooled)?;
        Ok(vec![
            network.cat(&[product, x, sum])?,
            network.channel_shuffle(x, 3)?,
            network.mul(second, pooled)?,
            network.mul(second, vector)?,
        ])
    });
}

#[test]
fn a_transformer_block() {
    check([3, 8, 8], |network, x| {
        let x = network.conv2d("patches", x, Conv2d::new(8, 4).stride(4))?;
        let map = network.layer_norm("map_norm", x, 1e-6)?;
        let x = network.to_tokens(x)?;
        let class = network.parameter("class_token", &[1, 8])?;
        let x = network.cat_tokens(&[class, x])?;
        let positions = network.parameter("positions", &[5, 8])?;
        let x = network.add(x, positions)?;
        let normal = network.layer_norm("norm", x, 1e-6)?;
        let attended = network.self_attention("attention", normal, 2)?;
        let x = network.add(x, attended)?;
        let hidden = network.linear("fc1", x, 16)?;
        let hidden = network.gelu(hidden)?;
        let hidden = network.linear_without_bias("fc2", hidden, 8)?;
        let tokens = network.softmax(hidden)?;
        let body = network.narrow(tokens, 1, 6)?;
        let first = network.select_token(tokens, 0)?;
        let taken = network.take_tokens(tokens, [2, 0, 2])?;
        Ok(vec![map, body, first, taken, network.mean_tokens(tokens)?])
    });
}

fn small_network() -> Network {
    let parameters = RandomParameters::new(3);
    let mut builder = NetworkBuilder::new(&parameters);
    let image = builder.input("image", [3, 8, 8]).unwrap();
    let x = builder.conv2d("conv", image, Conv2d::new(4, 3)).unwrap();
    let x = builder.batch_norm("bn", x).unwrap();
    let x = builder.relu(x).unwrap();
    builder.alias("features", x).unwrap();
    let x = builder.adaptive_avg_pool2d(x, [1, 1]).unwrap();
    let x = builder.flatten(x).unwrap();
    let x = builder.linear("fc", x, 5).unwrap();
    builder.build(&[x], &Placement::cpu()).unwrap()
}

#[test]
fn any_layer_s_result_or_input_can_be_an_output() {
    let network = small_network();
    let chosen = network.with_outputs(&["features", "<fc", "<bn", "bn"]).unwrap();
    assert_eq!(
        chosen.output_dims(),
        [vec![4, 6, 6], vec![4], vec![4, 6, 6], vec![4, 6, 6]]
    );
    compare(&chosen);
    let input = Tensor::from_vec(noise(192), (1, 3, 8, 8), &Device::Cpu).unwrap();
    for kernels in [false, true] {
        let engine = network.on_kernels(kernels).unwrap();
        // The normalisation was folded away when the network was made; now its operand is asked for.
        let values = engine
            .with_outputs(&["<bn", "bn"])
            .unwrap()
            .forward(&input)
            .unwrap();
        let difference = (&values[0] - &values[1])
            .unwrap()
            .abs()
            .unwrap()
            .max_all()
            .unwrap();
        assert!(difference.to_scalar::<f32>().unwrap() > 1e-3);
    }
    for name in ["absent", "<absent", "<image"] {
        let error = network.with_outputs(&[name]).unwrap_err();
        assert!(error.message().contains(name.trim_start_matches('<')), "{error}");
    }
}

#[test]
fn memory_is_reported_for_plans() {
    let network = small_network();
    let memory = network.on_kernels(true).unwrap().memory_use().unwrap().unwrap();
    // At least the convolution's 4 x 3 x 3 x 3 and the linear layer's 5 x 4 weights, in f32.
    assert!(memory.packed_weights >= 4 * (108 + 20), "{memory:?}");
    assert_eq!(network.on_kernels(false).unwrap().memory_use().unwrap(), None);
}

#[test]
fn other_picture_sizes_and_batches_run_and_bad_ones_are_errors() {
    let network = small_network();
    let zeros = |dims: &[usize]| Tensor::zeros(dims, DType::F32, &Device::Cpu).unwrap();
    assert_eq!(
        network.forward(&zeros(&[3, 3, 12, 10])).unwrap()[0].dims(),
        [3, 5]
    );
    assert!(network.forward(&zeros(&[0, 3, 8, 8])).is_err());
    assert!(network.forward(&zeros(&[3, 8, 8])).is_err());
    let error = network.forward(&zeros(&[1, 4, 8, 8])).unwrap_err();
    assert!(error.to_string().contains("conv"), "{error}");
}

#[test]
fn a_layer_that_does_not_fit_is_an_error_with_its_name() {
    let parameters = RandomParameters::new(3);
    let mut network = NetworkBuilder::new(&parameters);
    let image = network.input("image", [3, 8, 8]).unwrap();
    let mut other = NetworkBuilder::new(&parameters);
    let mut foreign = other.input("image", [3, 8, 8]).unwrap();
    for _ in 0..3 {
        foreign = other.relu(foreign).unwrap();
    }
    let convolutions = [
        Conv2d::new(4, 9),
        Conv2d::new(4, 0),
        Conv2d::new(0, 3),
        Conv2d::new(usize::MAX, 3),
        Conv2d::new(4, 3).groups(2),
        Conv2d::new(4, 3).groups(0),
        Conv2d::new(4, 3).groups(3),
        Conv2d::new(4, 3).stride(0),
        Conv2d::new(4, 3).dilation(0),
        Conv2d::new(4, 3).padding(usize::MAX),
    ];
    let mut results: Vec<_> = convolutions
        .into_iter()
        .map(|conv| network.conv2d("stem", image, conv))
        .collect();
    results.extend([
        network.conv2d("stem", foreign, Conv2d::new(4, 3)),
        network.conv_transpose2d("stem", image, ConvTranspose2d::new(4, 2, 0)),
        network.conv_transpose2d("stem", image, ConvTranspose2d::new(4, 2, 2).padding(9)),
        network.conv_transpose2d("stem", image, ConvTranspose2d::new(4, 2, 2).output_padding(2)),
        network.linear("stem", image, 4),
        network.linear("stem", foreign, 4),
        network.matmul("stem", image, 4),
        network.batch_norm("stem", foreign),
        network.batch_norm_with_epsilon("stem", image, f64::NAN),
        network.layer_norm("stem", image, f32::NAN),
        network.parameter("stem", &[1, 2, 3, 4]),
        network.parameter("stem", &[usize::MAX, 2]),
        network.self_attention("stem", image, 1),
    ]);
    for result in results {
        let message = result.unwrap_err().to_string();
        assert!(message.contains("`stem"), "{message}");
    }
    assert!(network.alias("image", image).is_err());
    assert!(network.build(&[], &Placement::cpu()).is_err());
}

#[test]
fn a_convolution_of_several_maps_keeps_its_weights_once() {
    let settings = Conv2d::new(24, 3).padding(1);
    check([16, 12, 12], |network, x| {
        let half = network.max_pool2d(x, Pool::new(2, 2, 0))?;
        network.conv2d_of_each("head", &[x, half], settings)
    });
    let packed = |maps: usize| {
        let parameters = RandomParameters::new(3);
        let mut network = NetworkBuilder::new(&parameters);
        let x = network.input("image", [16, 12, 12]).unwrap();
        let results = network.conv2d_of_each("head", &vec![x; maps], settings).unwrap();
        assert_eq!(results.len(), maps);
        let network = network.build(&results, &Placement::cpu()).unwrap();
        network.memory_use().unwrap().unwrap().packed_weights
    };
    assert!(packed(1) > 0);
    assert_eq!(packed(3), packed(1));
}

#[test]
fn a_network_on_bytes_is_about_the_same() {
    let parameters = RandomParameters::new(5);
    let mut network = NetworkBuilder::new(&parameters);
    let mut x = network.input("image", [3, 24, 24]).unwrap();
    for name in ["stem", "body", "head"] {
        x = network.conv2d(name, x, Conv2d::new(24, 3).padding(1)).unwrap();
        x = network.relu(x).unwrap();
    }
    let network = network.build(&[x], &Placement::cpu()).unwrap();
    let network = network.on_kernels(true).unwrap();
    let samples = Tensor::from_vec(noise(5 * 3 * 576), (5, 3, 24, 24), &Device::Cpu).unwrap();
    let values = |network: &Network| -> Vec<f32> {
        let found = network.forward(&samples).unwrap().remove(0);
        found.flatten_all().unwrap().to_vec1().unwrap()
    };
    let ranges = network.calibrate(&samples, 1.0).unwrap();
    assert_eq!(
        network.calibrate(&samples, 1.0).unwrap().to_bytes(),
        ranges.to_bytes()
    );
    let kept = Ranges::from_bytes(&ranges.to_bytes()).unwrap();
    let (found, expected) = (
        values(&network.with_ranges(Arc::new(kept)).unwrap()),
        values(&network),
    );
    let square = |value: f32| f64::from(value) * f64::from(value);
    let errors = found
        .iter()
        .zip(&expected)
        .map(|(found, expected)| square(found - expected));
    let error = (errors.sum::<f64>() / expected.iter().copied().map(square).sum::<f64>()).sqrt();
    assert!(error > 0.0 && error < 0.02, "off by {error}");
    let strict = network.calibrate(&samples, 0.0).unwrap();
    assert_eq!(values(&network.with_ranges(Arc::new(strict)).unwrap()), expected);

    let operators = network.on_kernels(false).unwrap();
    assert!(operators.calibrate(&samples, 1.0).is_err());
    assert!(operators.with_ranges(Arc::new(ranges)).is_err());
    assert!(network.calibrate(&samples.narrow(0, 0, 0).unwrap(), 1.0).is_err());
}
