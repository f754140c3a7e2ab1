use super::*;
use crate::{
    graph::{Activation, GraphBuilder, Value},
    plan::fuse::fuse,
};

fn part(places: &Places, graph: &Graph, name: &str) -> (usize, usize) {
    match places.places[graph.find(name).unwrap()].as_ref().unwrap() {
        Place::Arena(part) => (part.buffer, part.block),
        Place::Constant(..) => panic!("{name} is a constant"),
    }
}

fn place_all(graph: &Graph) -> Places {
    let layers = fuse(graph);
    let count = graph.nodes().len();
    place(
        graph,
        &layers,
        &vec![Halo::default(); count],
        &vec![false; count],
        &vec![Element::Float; count],
    )
}

fn activation(network: &mut GraphBuilder, name: &str, x: Value) -> Value {
    network.activation(name, x, Activation::Silu).unwrap()
}

#[test]
fn a_concatenation_of_slices_and_new_values_copies_nothing() {
    let mut network = GraphBuilder::new();
    let x = network.input("x", Shape::map(64, 4, 4)).unwrap();
    let both = activation(&mut network, "both", x);
    let left = network.slice_channels("left", both, 0, 32).unwrap();
    let right = network.slice_channels("right", both, 32, 32).unwrap();
    let more = activation(&mut network, "more", right);
    let inner = network.concat("inner", &[left, right, more]).unwrap();
    let outer = network.concat("outer", &[x, inner]).unwrap();
    network.output(outer).unwrap();
    let graph = network.build().unwrap();
    let places = place_all(&graph);
    let (buffer, start) = part(&places, &graph, "outer");
    assert_eq!(start, 0);
    for (name, block) in [
        ("x", 0),
        ("both", 4),
        ("left", 4),
        ("right", 6),
        ("more", 8),
        ("inner", 4),
    ] {
        assert_eq!(part(&places, &graph, name), (buffer, block), "{name}");
    }
    assert_eq!(places.buffers.len(), 1);
}

#[test]
fn values_that_do_not_line_up_have_a_place_of_their_own() {
    let mut network = GraphBuilder::new();
    let x = network.input("x", Shape::map(24, 4, 4)).unwrap();
    let y = activation(&mut network, "y", x);
    let both = network.concat("both", &[x, y]).unwrap();
    let twice = network.concat("twice", &[y, y]).unwrap();
    network.output(both).unwrap();
    network.output(twice).unwrap();
    let graph = network.build().unwrap();
    let places = place_all(&graph);
    // The eight unused lanes behind x would be those of y.
    let buffers = ["x", "y", "both", "twice"].map(|name| part(&places, &graph, name).0);
    for (index, buffer) in buffers.iter().enumerate() {
        assert!(!buffers[..index].contains(buffer), "{buffers:?}");
    }
}

#[test]
fn buffers_in_use_at_the_same_time_do_not_overlap() {
    let lifetimes: Vec<Lifetime> = (0..40)
        .map(|index| Lifetime {
            length: 1 + index * 7919 % 100,
            first: index,
            last: index + index * 31 % 5,
        })
        .collect();
    let (offsets, total) = pack(&lifetimes);
    for (index, a) in lifetimes.iter().enumerate() {
        assert!(offsets[index] + a.length <= total);
        for (other, b) in lifetimes.iter().enumerate().take(index) {
            let together = a.first <= b.last && b.first <= a.last;
            let apart =
                offsets[index] + a.length <= offsets[other] || offsets[other] + b.length <= offsets[index];
            assert!(!together || apart);
        }
    }
    assert!(total < lifetimes.iter().map(|lifetime| lifetime.length).sum());
}
