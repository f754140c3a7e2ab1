//! Layers without convolutions, of random shapes, against the reference.
// Miri would take hours; it runs the small networks of `graphs.rs`.
#![cfg(not(miri))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Numbers, assert_agrees, network};
use modelzoo_kernels::graph::{
    Activation, Attention, Convolution, DeformableAttention, Function, GraphBuilder, Interpolation,
    LayerNorm, Level, Padding, Pool, Rotation, Shape, TransposedConvolution, UpsampleSize, Value,
    WindowAttention,
};
use proptest::prelude::*;

const TOLERANCE: f64 = 4e-6;

fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        (1usize..40, 1usize..12, 1usize..12).prop_map(|(c, h, w)| Shape::map(c, h, w)),
        (1usize..40, 1usize..60).prop_map(|(count, features)| Shape::tokens(count, features)),
        (1usize..60).prop_map(Shape::vector),
    ]
}

/// A convolution of 3x3, which wants a halo around its input.
fn convolve(network: &mut GraphBuilder, name: &str, x: Value, outputs: usize) -> Value {
    let inputs = network.shape(x).unwrap().channels();
    let weight = Numbers::new(5).weight(&[outputs, inputs, 3, 3], 1.0);
    network
        .conv2d(name, x, Convolution::new(weight, None).padding(1))
        .unwrap()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn pooling(
        channels in 1usize..40,
        (height, width) in (1usize..16, 1usize..16),
        kernel in (1usize..5, 1usize..5),
        stride in (1usize..4, 1usize..4),
        padding in (0usize..3, 0usize..3, 0usize..3, 0usize..3),
        ceil_mode: bool,
        kind in 0usize..3,
        batch in 1usize..4,
    ) {
        let (top, bottom, left, right) = padding;
        let pool = Pool {
            kernel: [kernel.0, kernel.1],
            stride: [stride.0, stride.1],
            padding: Padding { top, bottom, left, right },
            ceil_mode,
        };
        let graph = network(Shape::map(channels, height, width), |network, x| match kind {
            0 => network.max_pool2d("pool", x, pool),
            kind => network.avg_pool2d("pool", x, pool, kind == 1),
        });
        let Ok(graph) = graph else { return Err(TestCaseError::reject("does not fit")) };
        assert_agrees(&graph, batch, TOLERANCE);
    }

    #[test]
    fn adaptive_pooling(
        channels in 1usize..40,
        (height, width) in (1usize..16, 1usize..16),
        size in (1usize..8, 1usize..8),
    ) {
        let graph = network(Shape::map(channels, height, width), |network, x| {
            let y = network.adaptive_avg_pool2d("pool", x, [size.0, size.1])?;
            network.flatten("flatten", y)
        });
        assert_agrees(&graph.unwrap(), 2, TOLERANCE);
    }

    #[test]
    fn upsampling(
        channels in 1usize..40,
        (height, width) in (1usize..12, 1usize..12),
        size in (1usize..30, 1usize..30),
        kind in 0usize..3,
        like: bool,
    ) {
        let interpolation = match kind {
            0 => Interpolation::Nearest,
            kind => Interpolation::Bilinear { align_corners: kind == 1 },
        };
        let graph = network(Shape::map(channels, height, width), |network, x| {
            if like {
                let other = network.input("other", Shape::map(3, size.0, size.1))?;
                network.upsample_like("up", x, interpolation, other)
            } else {
                network.upsample("up", x, interpolation, UpsampleSize::Exact([size.0, size.1]))
            }
        });
        assert_agrees(&graph.unwrap(), 2, TOLERANCE);
    }

    #[test]
    fn elementwise(shape in shape(), batch in 1usize..4, after: bool) {
        let mut numbers = Numbers::new(4);
        let channels = shape.channels();
        let graph = network(shape, |network, x| {
            let y = network.affine("affine", x, numbers.weight(&[channels], 1.0), numbers.weight(&[channels], 1.0))?;
            let z = network.activation("sigmoid", y, Activation::Sigmoid)?;
            let z = network.mul("mul", z, x)?;
            let z = network.add("add", z, y)?;
            if after { network.activation("silu", z, Activation::Silu) } else { Ok(z) }
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    #[test]
    fn squeeze_and_excitation(
        channels in 1usize..50,
        (height, width) in (1usize..10, 1usize..10),
        flat: bool,
        batch in 1usize..6,
    ) {
        let mut numbers = Numbers::new(4);
        let graph = network(Shape::map(channels, height, width), |network, x| {
            let y = network.global_avg_pool("pool", x)?;
            let y = if flat {
                let y = network.flatten("flatten", y)?;
                network.linear("linear", y, numbers.weight(&[channels, channels], 1.0), None)?
            } else {
                let weight = numbers.weight(&[channels, channels, 1, 1], 1.0);
                network.conv2d("conv", y, Convolution::new(weight, None))?
            };
            let y = network.activation("gate", y, Activation::HardSigmoid)?;
            network.mul("scale", x, y)
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    /// Parts, wholes and parts of wholes, at starts that are multiples of 16 and others.
    #[test]
    fn concatenation_and_slices(
        parts in prop::collection::vec(prop_oneof![Just(16usize), Just(32), 1usize..40], 1..4),
        (height, width) in (1usize..9, 1usize..9),
        start in 0usize..40,
        count in 1usize..40,
        batch in 1usize..3,
    ) {
        let graph = network(Shape::map(8, height, width), |network, x| {
            let values: Vec<Value> = parts
                .iter()
                .enumerate()
                .map(|(index, &channels)| convolve(network, &format!("part{index}"), x, channels))
                .collect();
            let whole = network.concat("whole", &values)?;
            network.output(whole)?;
            let part = network.slice_channels("slice", whole, start, count)?;
            let more = convolve(network, "more", part, 24);
            let again = network.concat("again", &[part, more, values[0], values[0]])?;
            Ok(convolve(network, "last", again, 5))
        });
        let Ok(graph) = graph else { return Err(TestCaseError::reject("does not fit")) };
        assert_agrees(&graph, batch, 1e-5);
    }

    /// As in YOLOv8: halves of a value, and what is made of one of them.
    #[test]
    fn halves_and_more(half in prop_oneof![Just(16usize), Just(32), 1usize..40], (height, width) in (1usize..9, 1usize..9)) {
        let graph = network(Shape::map(8, height, width), |network, x| {
            let both = convolve(network, "both", x, 2 * half);
            let both = network.activation("silu", both, Activation::Silu)?;
            let left = network.slice_channels("left", both, 0, half)?;
            let right = network.slice_channels("right", both, half, half)?;
            let more = convolve(network, "more", right, half);
            let more = network.add("add", more, right)?;
            let all = network.concat("all", &[left, right, more])?;
            let shuffled = network.channel_shuffle("shuffle", all, 3)?;
            Ok(convolve(network, "last", shuffled, 7))
        });
        assert_agrees(&graph.unwrap(), 2, 1e-5);
    }

    #[test]
    fn linear_layers(
        shape in prop_oneof![
            (1usize..60, 1usize..60).prop_map(|(count, features)| Shape::tokens(count, features)),
            (1usize..100).prop_map(Shape::vector),
        ],
        outputs in 1usize..100,
        batch in 1usize..11,
        bias: bool,
    ) {
        let mut numbers = Numbers::new(4);
        let graph = network(shape, |network, x| {
            let bias = bias.then(|| numbers.weight(&[outputs], 1.0));
            let y = network.linear("linear", x, numbers.weight(&[outputs, shape.channels()], 1.0), bias)?;
            let y = network.activation("gelu", y, Activation::Gelu)?;
            let z = network.linear("second", y, numbers.weight(&[shape.channels(), outputs], 1.0), None)?;
            let z = network.affine("scale", z, numbers.weight(&[shape.channels()], 1.0), numbers.weight(&[shape.channels()], 1.0))?;
            network.add("add", z, x)
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    #[test]
    fn normalisation(shape in shape(), softmax: bool, batch in 1usize..3) {
        let mut numbers = Numbers::new(4);
        // Layer normalisation of one or two features divides by almost nothing.
        prop_assume!(softmax || shape.channels() > 4);
        let graph = network(shape, |network, x| {
            if softmax {
                return network.softmax("softmax", x);
            }
            let (weight, bias) = (numbers.weight(&[shape.channels()], 1.0), numbers.weight(&[shape.channels()], 1.0));
            network.layer_norm("norm", x, LayerNorm { weight, bias, epsilon: 1e-5 })
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    #[test]
    fn heads(
        heads in 1usize..5,
        features in prop_oneof![Just(16usize), Just(32), Just(64), 1usize..40],
        tokens in 1usize..40,
        batch in 1usize..3,
    ) {
        let mut numbers = Numbers::new(9);
        let graph = network(Shape::tokens(tokens, 2 * heads * features), |network, x| {
            let rotation = Rotation {
                heads,
                cosines: numbers.weight(&[tokens, 2 * features], 1.0),
                sines: numbers.weight(&[tokens, 2 * features], 1.0),
            };
            let turned = network.rotate("rotate", x, rotation)?;
            network.output(turned)?;
            network.unit_length("unit", x, 2 * heads)
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    #[test]
    fn group_norm(
        groups in 1usize..9,
        size in 1usize..20,
        (height, width) in (1usize..20, 1usize..20),
        batch in 1usize..3,
    ) {
        let graph = network(Shape::map(groups * size, height, width), |network, x| {
            network.group_norm("norm", x, groups, 1e-3)
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    #[test]
    fn response_norms((tokens, features) in (1usize..60, 1usize..60), batch in 1usize..3) {
        let graph = network(Shape::tokens(tokens, features), |network, x| {
            network.response_norms("norms", x, 1e-6)
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    #[test]
    fn functions((tokens, features) in (1usize..30, 1usize..40), sine: bool, batch in 1usize..3) {
        let function = if sine { Function::Sin } else { Function::Exp };
        let graph = network(Shape::tokens(tokens, features), |network, x| {
            network.function("function", x, function)
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    #[test]
    fn attention(
        heads in 1usize..5,
        features in prop_oneof![Just(16usize), Just(64), 1usize..40],
        (queries, keys) in (1usize..70, 1usize..70),
        causal: bool,
        batch in 1usize..3,
    ) {
        let keys = if causal { queries } else { keys };
        let graph = network(Shape::tokens(queries, heads * features), |network, x| {
            let memory = network.input("memory", Shape::tokens(keys, heads * features * 2))?;
            let key = network.slice_channels("keys", memory, 0, heads * features)?;
            let value = network.slice_channels("values", memory, heads * features, heads * features)?;
            network.attention("attention", [x, key, value], Attention { heads, scale: None, causal })
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    #[test]
    fn window_attention(
        heads in 1usize..5,
        features in prop_oneof![Just(16usize), Just(32), 1usize..40],
        (windows, queries, keys) in (1usize..5, 1usize..40, 1usize..40),
        each: bool,
        scaled: bool,
        batch in 1usize..3,
    ) {
        let mut numbers = Numbers::new(7);
        let graph = network(Shape::tokens(windows * queries, heads * features), |network, x| {
            let memory = network.input("memory", Shape::tokens(windows * keys, heads * features * 2))?;
            let key = network.slice_channels("keys", memory, 0, heads * features)?;
            let value = network.slice_channels("values", memory, heads * features, heads * features)?;
            let biases = if each { windows } else { 1 };
            let parameters = WindowAttention {
                heads,
                scale: scaled.then_some(0.5),
                windows,
                bias: numbers.weight(&[biases, heads, queries, keys], 2.0),
            };
            network.window_attention("attention", [x, key, value], parameters)
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    /// Boxes and offsets of -1..1: some points are outside of the maps.
    #[test]
    fn deformable_attention(
        heads in 1usize..5,
        features in prop_oneof![Just(16usize), Just(32), 1usize..40],
        levels in proptest::collection::vec((1usize..9, 1usize..9, 0usize..5), 1..4),
        queries in 1usize..40,
        batch in 1usize..3,
    ) {
        let level = |&(height, width, points): &(usize, usize, usize)| Level { size: [height, width], points };
        let mut levels: Vec<Level> = levels.iter().map(level).collect();
        levels[0].points += 1;
        let pixels = levels.iter().map(|level| level.size[0] * level.size[1]).sum();
        let parameters = DeformableAttention { heads, levels: levels.into(), scale: 0.5 };
        let points = heads * parameters.points();
        let graph = network(Shape::tokens(pixels, heads * features), |network, x| {
            let offsets = network.input("offsets", Shape::tokens(queries, 2 * points))?;
            let scores = network.input("scores", Shape::tokens(queries, points))?;
            let boxes = network.input("boxes", Shape::tokens(queries, 4))?;
            network.deformable_attention("attention", [x, offsets, scores, boxes], parameters)
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    /// The scores are inputs: rounding must not change an order.
    #[test]
    fn largest_tokens_and_features(
        (tokens, features, scores) in (1usize..60, 1usize..40, 1usize..40),
        (count, channels) in (0usize..1000, 0usize..1000),
        batch in 1usize..3,
    ) {
        let graph = network(Shape::tokens(tokens, features), |network, x| {
            let scores = network.input("scores", Shape::tokens(tokens, scores))?;
            let top = network.top_tokens("tokens", x, scores, count % tokens + 1)?;
            network.output(top)?;
            let mean = network.mean_tokens("mean", x)?;
            let largest = network.top_features("of a vector", mean, channels % features + 1)?;
            network.output(largest)?;
            network.top_features("features", top, channels % features + 1)
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    #[test]
    fn tokens_by_their_indices(
        (count, features) in (1usize..40, 1usize..40),
        indices in proptest::collection::vec(0usize..1000, 1..60),
        batch in 1usize..3,
    ) {
        let indices: Vec<usize> = indices.into_iter().map(|index| index % count).collect();
        let graph = network(Shape::tokens(count, features), |network, x| {
            network.take_tokens("take", x, indices)
        });
        assert_agrees(&graph.unwrap(), batch, TOLERANCE);
    }

    /// Patches to tokens with a class token and positions, and back to a map.
    #[test]
    fn tokens(
        (channels, features) in (1usize..6, 1usize..50),
        (height, width) in (1usize..6, 1usize..6),
        patch in 1usize..5,
        batch in 1usize..4,
    ) {
        let mut numbers = Numbers::new(4);
        let graph = network(Shape::map(channels, height * patch, width * patch), |network, x| {
            let weight = numbers.weight(&[features, channels, patch, patch], 1.0);
            let x = network.conv2d("patches", x, Convolution::new(weight, None).stride(patch))?;
            let map = convolve(network, "conv", x, features);
            let x = network.to_tokens("tokens", x)?;
            let class = network.constant("class", numbers.weight(&[1, features], 1.0))?;
            let x = network.concat_tokens("with class", &[class, x])?;
            let positions = numbers.weight(&[height * width + 1, features], 1.0);
            let positions = network.constant("positions", positions)?;
            let x = network.add("add", x, positions)?;
            let first = network.select_token("first", x, 0)?;
            network.output(first)?;
            let mean = network.mean_tokens("mean", x)?;
            network.output(mean)?;
            let tokens = network.to_tokens("map tokens", map)?;
            let back = network.to_map("back", tokens, [height, width])?;
            let y = convolve(network, "after", back, 3);
            network.flatten("flat", y)
        });
        assert_agrees(&graph.unwrap(), batch, 1e-5);
    }

    /// Constants are operands as any other value, also where a layer needs zeros around them.
    #[test]
    fn constants(
        (channels, outputs) in (1usize..20, 1usize..20),
        (height, width) in (1usize..9, 1usize..9),
        depthwise: bool,
        batch in 1usize..3,
    ) {
        let mut numbers = Numbers::new(4);
        let graph = network(Shape::map(outputs, height, width), |network, x| {
            let map = network.constant("map", numbers.weight(&[channels, height, width], 1.0))?;
            let parameters = TransposedConvolution {
                weight: numbers.weight(&[channels, outputs, 3, 3], 1.0),
                bias: None,
                stride: [1, 1],
                padding: 1,
                output_padding: 0,
            };
            let y = network.conv_transpose2d("transposed", map, parameters)?;
            let z = if depthwise {
                let weight = numbers.weight(&[channels, 1, 5, 5], 1.0);
                network.conv2d("depthwise", map, Convolution::new(weight, None).padding(2).groups(channels))?
            } else {
                map
            };
            let z = convolve(network, "conv", z, outputs);
            let sum = network.add("sum", y, z)?;
            network.add("add", sum, x)
        });
        assert_agrees(&graph.unwrap(), batch, 1e-5);
    }
}

#[test]
fn any_layer_can_be_an_output_and_an_input_as_well() {
    let mut numbers = Numbers::new(4);
    let graph = network(Shape::map(3, 9, 7), |network, x| {
        network.output(x)?;
        let y = network.conv2d(
            "conv",
            x,
            Convolution::new(numbers.weight(&[20, 3, 3, 3], 1.0), None).padding(1),
        )?;
        let y = network.affine("norm", y, numbers.weight(&[20], 1.0), numbers.weight(&[20], 1.0))?;
        let y = network.activation("relu", y, Activation::Relu)?;
        network.output(y)?;
        Ok(y)
    })
    .unwrap();
    assert_agrees(&graph, 3, TOLERANCE);
    assert_agrees(
        &graph.with_outputs(&["conv", "norm", "relu"]).unwrap(),
        2,
        TOLERANCE,
    );
}
