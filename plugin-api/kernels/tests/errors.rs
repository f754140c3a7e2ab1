//! Layers that do not fit are refused when they are added, with their name, what is needed and what was found.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use modelzoo_kernels::graph::{
    Activation, Attention, BatchNorm, Convolution, DeformableAttention, GraphBuilder, GraphError,
    Interpolation, LayerNorm, Level, Op, Padding, Pool, Rotation, Shape, TransposedConvolution, UpsampleSize,
    Value, Weight, WindowAttention,
};

/// The operands that layers are tried on.
struct Operands {
    /// `map 6x8x9`
    map: Value,
    /// `tokens 5x6`
    tokens: Value,
    /// `vector 6`
    vector: Value,
}

type Layer = fn(&mut GraphBuilder, &Operands) -> Result<Value, GraphError>;

/// What the error of a layer called `it` says after its name.
fn message(layer: Layer) -> String {
    let mut network = GraphBuilder::new();
    let operands = Operands {
        map: network.input("map", Shape::map(6, 8, 9)).unwrap(),
        tokens: network.input("tokens", Shape::tokens(5, 6)).unwrap(),
        vector: network.input("vector", Shape::vector(6)).unwrap(),
    };
    let error = layer(&mut network, &operands).unwrap_err();
    assert_eq!(error.layer, "it");
    let message = error.to_string();
    // A name is free again after an error.
    network.activation("it", operands.map, Activation::Relu).unwrap();
    message.strip_prefix("layer `it`: ").unwrap().to_owned()
}

fn check(cases: &[(&str, Layer)]) {
    for (expected, layer) in cases {
        assert_eq!(message(*layer), *expected);
    }
}

fn ones(dims: &[usize]) -> Weight {
    Weight::new(dims, vec![1.0; dims.iter().product()])
}

fn conv(dims: &[usize]) -> Convolution {
    Convolution::new(ones(dims), None)
}

fn transposed(dims: &[usize]) -> TransposedConvolution {
    TransposedConvolution {
        weight: ones(dims),
        bias: None,
        stride: [2, 2],
        padding: 0,
        output_padding: 0,
    }
}

fn norm(variance: &[f32], epsilon: f64) -> BatchNorm {
    BatchNorm {
        weight: ones(&[6]),
        bias: ones(&[6]),
        mean: ones(&[6]),
        variance: Weight::vector(variance),
        epsilon,
    }
}

#[test]
fn convolutions() {
    check(&[
        ("needs a map, got tokens 5x6", |n, x| {
            n.conv2d("it", x.tokens, conv(&[4, 6, 3, 3]))
        }),
        (
            "weight has dimensions [4, 6, 3], but [out, in / groups, height, width] is needed",
            |n, x| n.conv2d("it", x.map, conv(&[4, 6, 3])),
        ),
        (
            "weight has dimensions [4, 5, 3, 3], but [out, 6, height, width] is needed",
            |n, x| n.conv2d("it", x.map, conv(&[4, 5, 3, 3])),
        ),
        (
            "weight has dimensions [0, 6, 3, 3], but at least 1 in each dimension is needed",
            |n, x| n.conv2d("it", x.map, conv(&[0, 6, 3, 3])),
        ),
        (
            "weight has dimensions [65537, 6, 1, 1], but at most 65536 in each dimension is needed",
            |n, x| n.conv2d("it", x.map, conv(&[65537, 6, 1, 1])),
        ),
        (
            "weight has 5 values, but its dimensions [4, 6, 3, 3] need 216",
            |n, x| {
                n.conv2d(
                    "it",
                    x.map,
                    Convolution::new(Weight::new([4, 6, 3, 3], vec![1.0; 5]), None),
                )
            },
        ),
        (
            "weight has 5 values, but its dimensions [18446744073709551615, 6, 3, 3] need 18446744073709551615",
            |n, x| {
                n.conv2d(
                    "it",
                    x.map,
                    Convolution::new(Weight::new([usize::MAX, 6, 3, 3], vec![1.0; 5]), None),
                )
            },
        ),
        ("bias has dimensions [5], but [4] is needed", |n, x| {
            n.conv2d(
                "it",
                x.map,
                Convolution::new(ones(&[4, 6, 3, 3]), Some(ones(&[5]))),
            )
        }),
        (
            "groups is 0, but a divisor of 6 and 4 channels is needed",
            |n, x| n.conv2d("it", x.map, conv(&[4, 6, 3, 3]).groups(0)),
        ),
        (
            "groups is 3, but a divisor of 6 and 4 channels is needed",
            |n, x| n.conv2d("it", x.map, conv(&[4, 2, 3, 3]).groups(3)),
        ),
        (
            "stride is [0, 0], but 1 to 65536 in both directions is needed",
            |n, x| n.conv2d("it", x.map, conv(&[4, 6, 3, 3]).stride(0)),
        ),
        (
            "dilation is [0, 0], but 1 to 65536 in both directions is needed",
            |n, x| n.conv2d("it", x.map, conv(&[4, 6, 3, 3]).dilation(0)),
        ),
        (
            "dilation is [18446744073709551615, 18446744073709551615], but 1 to 65536 in both directions is needed",
            |n, x| n.conv2d("it", x.map, conv(&[4, 6, 3, 3]).dilation(usize::MAX)),
        ),
        (
            "padding [top, bottom, left, right] is [18446744073709551615, 18446744073709551615, 18446744073709551615, 18446744073709551615], but at most 65536 on each side is needed",
            |n, x| n.conv2d("it", x.map, conv(&[4, 6, 3, 3]).padding(usize::MAX)),
        ),
        (
            "the shape map 6x131080x131081 has no elements or more than 2147483648",
            |n, x| n.conv2d("it", x.map, conv(&[4, 6, 3, 3]).padding(65536).stride(65536)),
        ),
        (
            "a window of [9, 9] does not fit into map 6x8x9 with its padding",
            |n, x| n.conv2d("it", x.map, conv(&[4, 6, 3, 3]).dilation(4)),
        ),
    ]);
}

#[test]
fn transposed_convolutions() {
    check(&[
        ("needs a map, got vector 6", |n, x| {
            n.conv_transpose2d("it", x.vector, transposed(&[6, 4, 2, 2]))
        }),
        (
            "weight has dimensions [6, 4], but [in, out, height, width] is needed",
            |n, x| n.conv_transpose2d("it", x.map, transposed(&[6, 4])),
        ),
        (
            "weight has dimensions [4, 6, 2, 2], but [6, out, height, width] is needed",
            |n, x| n.conv_transpose2d("it", x.map, transposed(&[4, 6, 2, 2])),
        ),
        ("bias has dimensions [6], but [4] is needed", |n, x| {
            n.conv_transpose2d(
                "it",
                x.map,
                TransposedConvolution {
                    bias: Some(ones(&[6])),
                    ..transposed(&[6, 4, 2, 2])
                },
            )
        }),
        (
            "stride is [1, 0], but 1 to 65536 in both directions is needed",
            |n, x| {
                n.conv_transpose2d(
                    "it",
                    x.map,
                    TransposedConvolution {
                        stride: [1, 0],
                        ..transposed(&[6, 4, 2, 2])
                    },
                )
            },
        ),
        (
            "a window of [2, 2] does not fit into map 6x8x9 with its padding",
            |n, x| {
                n.conv_transpose2d(
                    "it",
                    x.map,
                    TransposedConvolution {
                        padding: 8,
                        ..transposed(&[6, 4, 2, 2])
                    },
                )
            },
        ),
        (
            "output_padding is 2, but below the stride of 2 is needed",
            |n, x| {
                n.conv_transpose2d(
                    "it",
                    x.map,
                    TransposedConvolution {
                        output_padding: 2,
                        ..transposed(&[6, 4, 2, 2])
                    },
                )
            },
        ),
        (
            "the shape map 4x458754x524290 has no elements or more than 2147483648",
            |n, x| {
                n.conv_transpose2d(
                    "it",
                    x.map,
                    TransposedConvolution {
                        stride: [65536; 2],
                        ..transposed(&[6, 4, 2, 2])
                    },
                )
            },
        ),
    ]);
}

#[test]
fn windows_and_sizes() {
    check(&[
        ("needs a map, got vector 6", |n, x| {
            n.max_pool2d("it", x.vector, Pool::new(2, 2, 0))
        }),
        (
            "kernel is [0, 0], but 1 to 65536 in both directions is needed",
            |n, x| n.max_pool2d("it", x.map, Pool::new(0, 2, 0)),
        ),
        (
            "stride is [0, 0], but 1 to 65536 in both directions is needed",
            |n, x| n.max_pool2d("it", x.map, Pool::new(2, 0, 0)),
        ),
        (
            "padding [top, bottom, left, right] is [2, 2, 2, 2], but smaller than the kernel [2, 2] is needed",
            |n, x| n.max_pool2d("it", x.map, Pool::new(2, 2, 2)),
        ),
        (
            "padding [top, bottom, left, right] is [0, 0, 3, 0], but smaller than the kernel [3, 3] is needed",
            |n, x| {
                n.avg_pool2d(
                    "it",
                    x.map,
                    Pool {
                        padding: Padding {
                            left: 3,
                            ..Padding::default()
                        },
                        ..Pool::new(3, 2, 0)
                    },
                    true,
                )
            },
        ),
        (
            "a window of [9, 9] does not fit into map 6x8x9 with its padding",
            |n, x| n.avg_pool2d("it", x.map, Pool::new(9, 1, 0), false),
        ),
        ("needs a map, got tokens 5x6", |n, x| {
            n.adaptive_avg_pool2d("it", x.tokens, [1, 1])
        }),
        (
            "the shape map 6x0x1 has no elements or more than 2147483648",
            |n, x| n.adaptive_avg_pool2d("it", x.map, [0, 1]),
        ),
        (
            "the shape map 6x0x4 has no elements or more than 2147483648",
            |n, x| n.upsample("it", x.map, Interpolation::Nearest, UpsampleSize::Exact([0, 4])),
        ),
        (
            "the shape map 6x18446744073709551615x18 has no elements or more than 2147483648",
            |n, x| {
                n.upsample(
                    "it",
                    x.map,
                    Interpolation::Nearest,
                    UpsampleSize::Scale([usize::MAX, 2]),
                )
            },
        ),
        ("operands is 1, but 2 is needed", |n, x| {
            n.upsample("it", x.map, Interpolation::Nearest, UpsampleSize::Like)
        }),
        ("needs a map, got tokens 5x6", |n, x| {
            n.upsample_like("it", x.map, Interpolation::Nearest, x.tokens)
        }),
    ]);
}

#[test]
fn channels_and_elements() {
    check(&[
        ("slope is NaN, but 0 to 1 is needed", |n, x| {
            n.activation("it", x.map, Activation::LeakyRelu(f32::NAN))
        }),
        ("shift has dimensions [5], but [6] is needed", |n, x| {
            n.affine("it", x.map, ones(&[6]), ones(&[5]))
        }),
        ("running_var has dimensions [5], but [6] is needed", |n, x| {
            n.batch_norm("it", x.map, &norm(&[1.0; 5], 1e-5))
        }),
        ("epsilon is NaN, but 0 or more is needed", |n, x| {
            n.batch_norm("it", x.map, &norm(&[1.0; 6], f64::NAN))
        }),
        ("epsilon is -1, but 0 or more is needed", |n, x| {
            n.batch_norm("it", x.map, &norm(&[1.0; 6], -1.0))
        }),
        (
            "running_var with epsilon is 0 in channel 2, but more than 0 is needed",
            |n, x| n.batch_norm("it", x.map, &norm(&[1.0, 1.0, 0.0, 1.0, 1.0, 1.0], 0.0)),
        ),
        (
            "running_var with epsilon is -0.25 in channel 1, but more than 0 is needed",
            |n, x| n.batch_norm("it", x.map, &norm(&[1.0, -0.5, 1.0, 1.0, 1.0, f32::NAN], 0.25)),
        ),
        ("operands do not fit: map 6x8x9 and vector 6", |n, x| {
            n.add("it", x.map, x.vector)
        }),
        ("operands do not fit: vector 6 and map 6x8x9", |n, x| {
            n.mul("it", x.vector, x.map)
        }),
        ("operands is none, but at least 1 is needed", |n, _| {
            n.concat("it", &[])
        }),
        ("operands do not fit: map 6x8x9 and vector 6", |n, x| {
            n.concat("it", &[x.map, x.vector])
        }),
        ("slice is 4..7, but a part of 0..6 is needed", |n, x| {
            n.slice_channels("it", x.map, 4, 3)
        }),
        (
            "slice is 18446744073709551615..18446744073709551615, but a part of 0..6 is needed",
            |n, x| n.slice_channels("it", x.map, usize::MAX, 2),
        ),
        ("slice is 2..2, but a part of 0..6 is needed", |n, x| {
            n.slice_channels("it", x.map, 2, 0)
        }),
        ("groups is 4, but a divisor of 6 is needed", |n, x| {
            n.channel_shuffle("it", x.map, 4)
        }),
        ("groups is 0, but a divisor of 6 is needed", |n, x| {
            n.channel_shuffle("it", x.map, 0)
        }),
        ("operands is 1, but 2 is needed", |n, x| {
            n.layer("it", Op::Add, &[x.map])
        }),
        ("operands is 2, but 1 is needed", |n, x| {
            n.layer("it", Op::Softmax, &[x.map, x.map])
        }),
    ]);
}

#[test]
fn tokens() {
    check(&[
        ("needs tokens or a vector, got map 6x8x9", |n, x| {
            n.linear("it", x.map, ones(&[4, 6]), None)
        }),
        ("weight has dimensions [24], but [out, in] is needed", |n, x| {
            n.linear("it", x.tokens, ones(&[24]), None)
        }),
        ("weight has dimensions [6, 4], but [out, 6] is needed", |n, x| {
            n.linear("it", x.tokens, ones(&[6, 4]), None)
        }),
        ("bias has dimensions [6], but [4] is needed", |n, x| {
            n.linear("it", x.tokens, ones(&[4, 6]), Some(ones(&[6])))
        }),
        ("weight has dimensions [5], but [6] is needed", |n, x| {
            n.layer_norm(
                "it",
                x.tokens,
                LayerNorm {
                    weight: ones(&[5]),
                    bias: ones(&[6]),
                    epsilon: 1e-5,
                },
            )
        }),
        ("epsilon is inf, but 0 or more is needed", |n, x| {
            n.layer_norm(
                "it",
                x.tokens,
                LayerNorm {
                    weight: ones(&[6]),
                    bias: ones(&[6]),
                    epsilon: f32::INFINITY,
                },
            )
        }),
        ("needs tokens, got vector 6", |n, x| {
            n.attention(
                "it",
                [x.tokens, x.tokens, x.vector],
                Attention {
                    heads: 1,
                    scale: None,
                    causal: false,
                },
            )
        }),
        ("heads is 4, but a divisor of 6 and 6 is needed", |n, x| {
            n.attention(
                "it",
                [x.tokens; 3],
                Attention {
                    heads: 4,
                    scale: None,
                    causal: false,
                },
            )
        }),
        ("heads is 0, but a divisor of 6 and 6 is needed", |n, x| {
            n.attention(
                "it",
                [x.tokens; 3],
                Attention {
                    heads: 0,
                    scale: None,
                    causal: false,
                },
            )
        }),
        ("scale is -1, but 0 or more is needed", |n, x| {
            n.attention(
                "it",
                [x.tokens; 3],
                Attention {
                    heads: 1,
                    scale: Some(-1.0),
                    causal: false,
                },
            )
        }),
        ("needs a map, got tokens 5x6", |n, x| n.to_tokens("it", x.tokens)),
        (
            "size is 2x3, but a height times a width of 5 is needed",
            |n, x| n.to_map("it", x.tokens, [2, 3]),
        ),
        ("index is 5, but below 5 is needed", |n, x| {
            n.select_token("it", x.tokens, 5)
        }),
        ("indices is 5, but below 5 is needed", |n, x| {
            n.take_tokens("it", x.tokens, [0, 5])
        }),
        ("indices is none, but at least 1 is needed", |n, x| {
            n.take_tokens("it", x.tokens, [0usize; 0])
        }),
        ("windows is 2, but a divisor of 5 and 5 is needed", |n, x| {
            n.window_attention("it", [x.tokens; 3], windows(2, ones(&[1, 1, 2, 2])))
        }),
        (
            "bias has dimensions [2, 1, 5, 5], but [1 or 1, 1, 5, 5] is needed",
            |n, x| n.window_attention("it", [x.tokens; 3], windows(1, ones(&[2, 1, 5, 5]))),
        ),
        ("bias is NaN, but finite numbers is needed", |n, x| {
            let bias = Weight::new([1, 1, 5, 5], vec![f32::NAN; 25]);
            n.window_attention("it", [x.tokens; 3], windows(1, bias))
        }),
        ("count is 6, but 1 to 5 is needed", |n, x| {
            n.top_tokens("it", x.tokens, x.tokens, 6)
        }),
        ("count is 0, but 1 to 6 is needed", |n, x| {
            n.top_features("it", x.tokens, 0)
        }),
        ("needs tokens or a vector, got map 6x8x9", |n, x| {
            n.top_features("it", x.map, 1)
        }),
        ("limit is -1, but 0 or more is needed", |n, x| {
            n.activation("it", x.map, Activation::Clamp(-1.0))
        }),
        ("heads is 4, but a divisor of 6 is needed", |n, x| {
            n.deformable_attention("it", [x.tokens; 4], deformable(4, [5, 1]))
        }),
        ("levels is 4, but maps of 5 pixels is needed", |n, x| {
            n.deformable_attention("it", [x.tokens; 4], deformable(1, [2, 2]))
        }),
        ("operands do not fit: tokens 5x3 and tokens 5x6", |n, x| {
            n.deformable_attention("it", [x.tokens; 4], deformable(1, [1, 5]))
        }),
        ("needs tokens, got map 6x8x9", |n, x| n.mean_tokens("it", x.map)),
        ("groups is 4, but a divisor of 6 is needed", |n, x| {
            n.group_norm("it", x.map, 4, 1e-5)
        }),
        ("needs a map, got vector 6", |n, x| {
            n.group_norm("it", x.vector, 2, 1e-5)
        }),
        ("parts is 4, but a divisor of 6 is needed", |n, x| {
            n.unit_length("it", x.tokens, 4)
        }),
        ("needs tokens, got vector 6", |n, x| {
            n.response_norms("it", x.vector, 1e-6)
        }),
        ("heads is 0, but a divisor of 6 is needed", |n, x| {
            n.rotate("it", x.tokens, rotation(0, [5, 6], 1.0))
        }),
        ("features of a head is 3, but an even number is needed", |n, x| {
            n.rotate("it", x.tokens, rotation(2, [5, 3], 1.0))
        }),
        ("cosines has dimensions [4, 6], but [5, 6] is needed", |n, x| {
            n.rotate("it", x.tokens, rotation(1, [4, 6], 1.0))
        }),
        ("cosines is NaN, but finite numbers is needed", |n, x| {
            n.rotate("it", x.tokens, rotation(1, [5, 6], f32::NAN))
        }),
        ("needs tokens, got map 6x8x9", |n, x| {
            n.concat_tokens("it", &[x.tokens, x.map])
        }),
        (
            "constant has dimensions [1, 2, 3, 4], but 1 to 3 dimensions is needed",
            |n, _| n.constant("it", ones(&[1, 2, 3, 4])),
        ),
        (
            "constant has 5 values, but its dimensions [2, 3] need 6",
            |n, _| n.constant("it", Weight::new([2, 3], vec![1.0; 5])),
        ),
        (
            "the shape map 3x0x2 has no elements or more than 2147483648",
            |n, _| n.input("it", Shape::map(3, 0, 2)),
        ),
        (
            "the shape tokens 1048576x1048576 has no elements or more than 2147483648",
            |n, _| n.input("it", Shape::tokens(1 << 20, 1 << 20)),
        ),
    ]);
}

fn rotation(heads: usize, dims: [usize; 2], value: f32) -> Rotation {
    let weight = Weight::new(dims, vec![value; dims[0] * dims[1]]);
    Rotation {
        heads,
        cosines: weight.clone(),
        sines: weight,
    }
}

fn windows(windows: usize, bias: Weight) -> WindowAttention {
    WindowAttention {
        heads: 1,
        scale: None,
        windows,
        bias,
    }
}

/// Three points in one map: six offsets for each query.
fn deformable(heads: usize, size: [usize; 2]) -> DeformableAttention {
    DeformableAttention {
        heads,
        levels: [Level { size, points: 3 }].into(),
        scale: 0.5,
    }
}
