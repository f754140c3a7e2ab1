//! Small cases whose results torch gives, or that can be done by hand.

use super::run;
use crate::graph::{
    Activation, Attention, Convolution, DeformableAttention, GraphBuilder, GraphError, Interpolation,
    LayerNorm, Level, Padding, Pool, Shape, TransposedConvolution, UpsampleSize, Value, Weight,
    WindowAttention,
};

/// The result of one layer on one image.
fn apply(
    shape: Shape,
    input: &[f32],
    layer: impl Fn(&mut GraphBuilder, Value) -> Result<Value, GraphError>,
) -> Vec<f64> {
    let mut network = GraphBuilder::new();
    let input_value = network.input("x", shape).unwrap();
    let result = layer(&mut network, input_value).unwrap();
    network.output(result).unwrap();
    run(&network.build().unwrap(), &[input], 1).unwrap().remove(0)
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
    }
}

const ROW: [f32; 4] = [1.0, 2.0, 3.0, 4.0];

#[test]
fn convolution_pads_each_side_as_told() {
    let weight = Weight::new([1, 1, 1, 3], vec![1.0, 10.0, 100.0]);
    let padding = Padding {
        left: 1,
        right: 2,
        ..Padding::default()
    };
    let conv = Convolution {
        padding,
        ..Convolution::new(weight, Some(Weight::vector(vec![0.5])))
    };
    let found = apply(Shape::map(1, 1, 4), &ROW, |network, x| {
        network.conv2d("conv", x, conv.clone())
    });
    assert_close(&found, &[210.5, 321.5, 432.5, 43.5, 4.5]);
}

/// As TensorFlow's documentation of `tf.nn` says: the odd zero comes last.
#[test]
fn same_padding_is_tensorflow_s() {
    let sides = |size, kernel, stride, dilation| {
        let padding = Padding::same(size, [kernel; 2], [stride; 2], [dilation; 2]);
        [padding.top, padding.bottom, padding.left, padding.right]
    };
    assert_eq!(sides([224, 225], 3, 2, 1), [0, 1, 1, 1]);
    assert_eq!(sides([7, 7], 5, 1, 1), [2, 2, 2, 2]);
    assert_eq!(sides([56, 55], 5, 2, 1), [1, 2, 2, 2]);
    assert_eq!(sides([8, 8], 1, 2, 1), [0, 0, 0, 0]);
    assert_eq!(sides([9, 9], 3, 1, 2), [2, 2, 2, 2]);

    let weight = || Weight::new([1, 1, 1, 3], vec![1.0, 10.0, 100.0]);
    let conv = Convolution::new(weight(), None).stride(2).same();
    let found = apply(Shape::map(1, 1, 4), &ROW, |network, x| {
        network.conv2d("conv", x, conv.clone())
    });
    assert_close(&found, &[321.0, 43.0]);
}

#[test]
fn groups_do_not_see_each_other() {
    let weight = Weight::new([2, 1, 1, 1], vec![2.0, 3.0]);
    let conv = Convolution::new(weight, None).groups(2);
    let found = apply(Shape::map(2, 1, 2), &ROW, |network, x| {
        network.conv2d("conv", x, conv.clone())
    });
    assert_close(&found, &[2.0, 4.0, 9.0, 12.0]);
}

#[test]
fn transposed_convolution_spreads() {
    let parameters = TransposedConvolution {
        weight: Weight::new([1, 1, 1, 3], vec![1.0, 10.0, 100.0]),
        bias: None,
        stride: [2, 2],
        padding: 0,
        output_padding: 0,
    };
    let found = apply(Shape::map(1, 1, 2), &[1.0, 2.0], |network, x| {
        network.conv_transpose2d("up", x, parameters.clone())
    });
    assert_close(&found, &[1.0, 10.0, 102.0, 20.0, 200.0]);
}

#[test]
fn pooling_ignores_its_padding() {
    let negative = [-1.0, -2.0, -3.0, -4.0];
    let pool = Pool {
        kernel: [1, 3],
        stride: [1, 2],
        padding: Padding {
            left: 1,
            right: 1,
            ..Padding::default()
        },
        ceil_mode: false,
    };
    let found = apply(Shape::map(1, 1, 4), &negative, |network, x| {
        network.max_pool2d("pool", x, pool)
    });
    assert_close(&found, &[-1.0, -2.0]);
    let mean = |padded| {
        apply(Shape::map(1, 1, 4), &ROW, |network, x| {
            network.avg_pool2d("pool", x, pool, padded)
        })
    };
    assert_close(&mean(true), &[1.0, 3.0]);
    assert_close(&mean(false), &[1.5, 3.0]);
}

#[test]
fn interpolation_follows_torch() {
    let resize = |interpolation| {
        apply(Shape::map(1, 1, 2), &[0.0, 4.0], |network, x| {
            network.upsample("up", x, interpolation, UpsampleSize::Scale([1, 2]))
        })
    };
    assert_close(&resize(Interpolation::Nearest), &[0.0, 0.0, 4.0, 4.0]);
    assert_close(
        &resize(Interpolation::Bilinear { align_corners: false }),
        &[0.0, 1.0, 3.0, 4.0],
    );
    assert_close(
        &resize(Interpolation::Bilinear { align_corners: true }),
        &[0.0, 4.0 / 3.0, 8.0 / 3.0, 4.0],
    );
}

#[test]
fn tokens_are_pixels_with_their_channels_last() {
    let found = apply(Shape::map(2, 1, 2), &ROW, |network, x| {
        network.to_tokens("tokens", x)
    });
    assert_close(&found, &[1.0, 3.0, 2.0, 4.0]);
    let shuffled = apply(Shape::map(4, 1, 1), &ROW, |network, x| {
        network.channel_shuffle("shuffle", x, 2)
    });
    assert_close(&shuffled, &[1.0, 3.0, 2.0, 4.0]);
}

#[test]
fn normalisation_and_softmax_work_over_features() {
    let norm = LayerNorm {
        weight: Weight::vector(vec![1.0, 2.0]),
        bias: Weight::vector(vec![0.0, 1.0]),
        epsilon: 0.0,
    };
    let found = apply(Shape::tokens(2, 2), &ROW, |network, x| {
        network.layer_norm("norm", x, norm.clone())
    });
    assert_close(&found, &[-1.0, 3.0, -1.0, 3.0]);
    let found = apply(Shape::map(2, 1, 2), &ROW, |network, x| {
        network.softmax("softmax", x)
    });
    assert_close(&found, &[0.1192, 0.1192, 0.8808, 0.8808]);
}

#[test]
fn causal_attention_looks_back_only() {
    let attention = Attention {
        heads: 1,
        scale: None,
        causal: true,
    };
    let found = apply(Shape::tokens(2, 2), &[1.0, 0.0, 0.0, 1.0], |network, x| {
        network.attention("attention", [x, x, x], attention)
    });
    // Scores of the second token: 0 and 1 / sqrt(2).
    assert_close(&found, &[1.0, 0.0, 0.3302, 0.6698]);
}

#[test]
fn windows_do_not_see_each_other_and_have_a_bias() {
    let bias = |values: Vec<f32>| Weight::new([values.len() / 4, 1, 2, 2], values);
    let attention = |bias| WindowAttention {
        heads: 1,
        scale: Some(0.0),
        windows: 2,
        bias,
    };
    let run = |parameters: WindowAttention| {
        apply(Shape::tokens(4, 1), &[0.0, 1.0, 10.0, 11.0], |network, x| {
            network.window_attention("attention", [x, x, x], parameters.clone())
        })
    };
    assert_close(&run(attention(bias(vec![0.0; 4]))), &[0.5, 0.5, 10.5, 10.5]);
    // A bias of ln 3 for the other token: a quarter of the own one.
    let three = 3f32.ln();
    let found = run(attention(bias(vec![
        0.0, three, three, 0.0, 0.0, 0.0, 0.0, three,
    ])));
    assert_close(&found, &[0.75, 0.25, 10.5, 10.75]);
}

/// One head, a map of 1 x 2 pixels with one point and a map of one pixel with another one.
#[test]
fn points_are_found_between_pixels_and_outside_is_zero() {
    let levels = [([1, 2], 1), ([1, 1], 1)].map(|(size, points)| Level { size, points });
    let attention = DeformableAttention {
        heads: 1,
        levels: levels.into(),
        scale: 0.5,
    };
    let run = |offsets: [f32; 4], scores: [f32; 2]| {
        apply(Shape::tokens(3, 1), &[2.0, 4.0, 10.0], |network, values| {
            let offsets = network.constant("offsets", Weight::new([1, 4], offsets.to_vec()))?;
            let scores = network.constant("scores", Weight::new([1, 2], scores.to_vec()))?;
            let boxes = network.constant("boxes", Weight::new([1, 4], vec![0.5, 0.5, 0.5, 1.0]))?;
            network.deformable_attention("attention", [values, offsets, scores, boxes], attention.clone())
        })
    };
    // The centre of the picture is between two pixels of the first map, and on that of the second.
    assert_close(&run([0.0; 4], [0.0, 0.0]), &[6.5]);
    assert_close(&run([0.0; 4], [3f32.ln(), 0.0]), &[4.75]);
    // An offset of 1 is half of the box to the right: the centre of the right pixel. One below is half outside.
    assert_close(&run([1.0, 0.0, 0.0, 1.0], [0.0, 0.0]), &[4.5]);
    assert_close(&run([100.0, 0.0, 0.0, -100.0], [0.0, 0.0]), &[0.0]);
}

#[test]
fn the_largest_come_first() {
    let scores = [1.0, 0.0, 5.0, -1.0, 0.0, 5.0];
    let found = apply(Shape::tokens(3, 2), &scores, |network, x| {
        network.top_tokens("top", x, x, 2)
    });
    assert_close(&found, &[5.0, -1.0, 0.0, 5.0]);
    let found = apply(Shape::tokens(2, 3), &scores, |network, x| {
        network.top_features("top", x, 2)
    });
    assert_close(&found, &[5.0, 1.0, 5.0, 0.0]);
}

#[test]
fn activations_have_their_published_values() {
    let values = [
        (Activation::Relu, [0.0, 0.0, 1.0]),
        (Activation::Relu6, [0.0, 0.0, 1.0]),
        (Activation::LeakyRelu(0.1), [-0.2, 0.0, 1.0]),
        (Activation::Silu, [-0.2384, 0.0, 0.7311]),
        (Activation::HardSwish, [-0.3333, 0.0, 0.6667]),
        (Activation::HardSigmoid, [0.1667, 0.5, 0.6667]),
        (Activation::Sigmoid, [0.1192, 0.5, 0.7311]),
        (Activation::Gelu, [-0.0455, 0.0, 0.8413]),
        (Activation::TanhGelu, [-0.0454, 0.0, 0.8412]),
        (Activation::QuickGelu, [-0.0643, 0.0, 0.8458]),
        (Activation::Tanh, [-0.9640, 0.0, 0.7616]),
        (Activation::Clamp(1.5), [-1.5, 0.0, 1.0]),
    ];
    for (activation, expected) in values {
        let found = apply(Shape::vector(3), &[-2.0, 0.0, 1.0], |network, x| {
            network.activation("activation", x, activation)
        });
        assert_close(&found, &expected);
    }
}
