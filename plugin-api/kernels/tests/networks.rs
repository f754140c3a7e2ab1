//! Whole networks with random weights, on small images, against the reference.
// Miri would take hours; it runs the small networks of `graphs.rs`.
#![cfg(not(miri))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::duplicate_mod,
    reason = "the comparison and the networks both make numbers"
)]

mod common;
#[allow(dead_code, reason = "the example that measures speed uses the rest")]
#[path = "../examples/networks/mod.rs"]
mod networks;

use common::assert_agrees;
use modelzoo_kernels::graph::Shape;

/// What every network has to keep, relative to the largest value of an output.
const TOLERANCE: f64 = 1e-5;

fn check(name: &str, size: usize) {
    let graph = networks::by_name(name).unwrap().unwrap();
    let graph = graph.with_input_shapes(&[Shape::map(3, size, size)]).unwrap();
    assert_agrees(&graph, 2, TOLERANCE);
}

#[test]
fn residual_networks() {
    check("resnet18", 64);
}

#[test]
fn inverted_residuals() {
    check("mobilenet_v2", 64);
}

#[test]
fn detectors() {
    check("nanodet_g", 64);
    check("yolov8n", 64);
}

#[test]
fn nested_u_blocks() {
    check("u2netp", 64);
}
