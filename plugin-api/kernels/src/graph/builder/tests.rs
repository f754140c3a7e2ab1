use super::*;
use crate::graph::{Activation, BatchNorm, Convolution, Pool, Weight};

fn ones(dims: &[usize]) -> Weight {
    Weight::new(dims, vec![1.0; dims.iter().product()])
}

#[test]
fn shapes_follow_torch() {
    let mut network = GraphBuilder::new();
    let image = network.input("image", Shape::map(3, 321, 320)).unwrap();
    let conv = Convolution::new(ones(&[64, 3, 7, 7]), None).stride(2).padding(3);
    let x = network.conv2d("conv1", image, conv).unwrap();
    assert_eq!(network.shape(x), Some(Shape::map(64, 161, 160)));
    let pool = Pool {
        ceil_mode: true,
        ..Pool::new(2, 2, 0)
    };
    let x = network.max_pool2d("pool", x, pool).unwrap();
    assert_eq!(network.shape(x), Some(Shape::map(64, 81, 80)));
    network.output(x).unwrap();
    let graph = network.build().unwrap();
    let smaller = graph.with_input_shapes(&[Shape::map(3, 64, 32)]).unwrap();
    assert_eq!(
        smaller.output_shapes().collect::<Vec<_>>(),
        [Shape::map(64, 16, 8)]
    );
    assert!(smaller.shares_layers_with(&graph));
    let named = graph.with_outputs(&["conv1"]).unwrap();
    assert_eq!(
        named.output_shapes().collect::<Vec<_>>(),
        [Shape::map(64, 161, 160)]
    );
    assert_eq!(
        graph.with_outputs(&["conv2"]).unwrap_err().problem,
        Problem::UnknownLayer
    );
}

#[test]
fn ceil_mode_leaves_out_a_window_beyond_the_input() {
    let mut network = GraphBuilder::new();
    let image = network.input("image", Shape::map(1, 3, 4)).unwrap();
    let pool = Pool {
        ceil_mode: true,
        ..Pool::new(2, 2, 1)
    };
    let x = network.max_pool2d("pool", image, pool).unwrap();
    // torch.nn.MaxPool2d(2, 2, 1, ceil_mode=True) of 3 x 4.
    assert_eq!(network.shape(x), Some(Shape::map(1, 2, 3)));
}

#[test]
fn errors_carry_the_name_of_the_layer() {
    let mut network = GraphBuilder::new();
    let image = network.input("image", Shape::map(3, 8, 8)).unwrap();
    let short = Convolution::new(Weight::new([8, 3, 3, 3], vec![0.0; 5]), None);
    let error = network.conv2d("stem", image, short).unwrap_err();
    assert_eq!(error.layer, "stem");
    assert!(
        matches!(
            error.problem,
            Problem::Length {
                expected: 216,
                found: 5,
                ..
            }
        ),
        "{error}"
    );
    let wrong = network
        .conv2d("stem", image, Convolution::new(ones(&[8, 4, 3, 3]), None))
        .unwrap_err();
    assert!(
        matches!(
            wrong.problem,
            Problem::Dimensions {
                parameter: "weight",
                ..
            }
        ),
        "{wrong}"
    );
    let large = network
        .conv2d("stem", image, Convolution::new(ones(&[8, 3, 9, 9]), None))
        .unwrap_err();
    assert_eq!(
        large.problem,
        Problem::WindowTooLarge {
            window: [9, 9],
            input: Shape::map(3, 8, 8)
        }
    );
    let bias = Convolution::new(ones(&[8, 3, 3, 3]), Some(ones(&[7])));
    let bias = network.conv2d("stem", image, bias).unwrap_err();
    assert_eq!(
        bias.to_string(),
        "layer `stem`: bias has dimensions [7], but [8] is needed"
    );
    let zero = Convolution {
        groups: 0,
        ..Convolution::new(ones(&[8, 3, 3, 3]), None)
    };
    assert!(matches!(
        network.conv2d("stem", image, zero).unwrap_err().problem,
        Problem::Setting { .. }
    ));
    let taken = network.activation("image", image, Activation::Relu).unwrap_err();
    assert_eq!(taken.problem, Problem::DuplicateName);
    let stranger = network
        .activation("relu", Value(7), Activation::Relu)
        .unwrap_err();
    assert_eq!(stranger.problem, Problem::UnknownValue);
    assert_eq!(network.build().unwrap_err().problem, Problem::NoOutput);
}

#[test]
fn a_failed_layer_leaves_its_name_free() {
    let mut network = GraphBuilder::new();
    let image = network.input("image", Shape::map(3, 8, 8)).unwrap();
    assert!(network.slice_channels("part", image, 2, 2).is_err());
    let part = network.slice_channels("part", image, 1, 2).unwrap();
    assert_eq!(network.shape(part), Some(Shape::map(2, 8, 8)));
}

#[test]
fn batch_norm_is_checked_before_it_is_folded() {
    let mut network = GraphBuilder::new();
    let image = network.input("image", Shape::map(2, 4, 4)).unwrap();
    let norm = |variance: &[usize]| BatchNorm {
        weight: ones(&[2]),
        bias: ones(&[2]),
        mean: ones(&[2]),
        variance: ones(variance),
        epsilon: 0.0,
    };
    let error = network.batch_norm("bn", image, &norm(&[3])).unwrap_err();
    assert!(matches!(
        error.problem,
        Problem::Dimensions {
            parameter: "running_var",
            ..
        }
    ));
    network.batch_norm("bn", image, &norm(&[2])).unwrap();
    let Op::Affine { scale, shift } = &network.nodes[1].op else {
        panic!("not folded")
    };
    assert_eq!((scale.data(), shift.data()), (&[1.0, 1.0][..], &[0.0, 0.0][..]));
}

#[test]
fn absurd_sizes_are_errors_and_not_overflows() {
    let mut network = GraphBuilder::new();
    let huge = Shape::map(usize::MAX, 2, usize::MAX);
    assert_eq!(
        network.input("image", huge).unwrap_err().problem,
        Problem::Size(huge)
    );
    let image = network.input("image", Shape::map(1, 4, 4)).unwrap();
    let pool = Pool {
        padding: crate::graph::Padding::all(usize::MAX),
        ..Pool::new(usize::MAX, 1, 0)
    };
    assert!(network.max_pool2d("pool", image, pool).is_err());
    assert!(network.slice_channels("part", image, usize::MAX, 2).is_err());
}
