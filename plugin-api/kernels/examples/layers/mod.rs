//! Single layers of well-known networks, to measure kernels on.

use modelzoo_kernels::{
    graph::{Activation, Attention, Convolution, Graph, GraphBuilder, GraphError, Shape, Weight},
    plan::{ByteRange, Plan, PlanOptions, Ranges},
};
use std::sync::Arc;

/// A layer and the multiplications and additions that its definition has.
pub struct Layer {
    pub name: &'static str,
    pub graph: Graph,
    pub operations: u64,
}

impl Layer {
    /// The layer on one thread.
    pub fn plan(&self) -> Result<Plan, GraphError> {
        let options = PlanOptions {
            threads: 1,
            ..PlanOptions::default()
        };
        Plan::compile(&self.graph, &options)
    }

    /// The layer on bytes, on one thread: its input becomes bytes first, its result is numbers. `None` where that is
    /// computed on numbers anyway.
    pub fn byte_plan(&self) -> Result<Option<Plan>, GraphError> {
        let channels = self.graph.input_shapes().next().map_or(0, Shape::channels);
        let range = ByteRange {
            zero: 0,
            steps: vec![1.0 / 255.0; channels],
            means: vec![0.5; channels],
        };
        let options = PlanOptions {
            threads: 1,
            ranges: Some(Arc::new(Ranges::from_iter([("x".to_owned(), range)]))),
            ..PlanOptions::default()
        };
        let plan = Plan::compile(&self.graph, &options)?;
        let is_other = plan.memory().packed_weights != self.plan()?.memory().packed_weights;
        Ok(is_other.then_some(plan))
    }

    /// An image for each input.
    pub fn inputs(&self) -> Vec<Vec<f32>> {
        let shapes = self.graph.input_shapes();
        shapes.map(|shape| vec![0.5; shape.elements()]).collect()
    }

    /// Room for each output of one image.
    pub fn outputs(&self) -> Vec<Vec<f32>> {
        let shapes = self.graph.output_shapes();
        shapes.map(|shape| vec![0.0; shape.elements()]).collect()
    }
}

/// One layer for each kernel and the shapes that matter most to it.
pub fn all() -> Result<Vec<Layer>, GraphError> {
    let mut layers = vec![
        convolution("3x3 64@56", (64, 64), 56, (3, 1), 1)?,
        convolution("3x3 256@14", (256, 256), 14, (3, 1), 1)?,
        convolution("3x3 16@80", (16, 16), 80, (3, 1), 1)?,
        convolution("3x3 stride 2 128@28", (128, 256), 28, (3, 2), 1)?,
        convolution("1x1 256@28", (256, 512), 28, (1, 1), 1)?,
        convolution("1x1 2048@7", (2048, 512), 7, (1, 1), 1)?,
        convolution("first 7x7 stride 2", (3, 64), 224, (7, 2), 1)?,
        convolution("depthwise 3x3 144@56", (144, 144), 56, (3, 1), 144)?,
        convolution("depthwise 3x3 stride 2 96@112", (96, 96), 112, (3, 2), 96)?,
    ];
    layers.push(linear("linear 197x768 to 3072", (197, 768), 3072)?);
    layers.push(attention("attention 12 heads of 197", 197, 12)?);
    Ok(layers)
}

fn weight(dims: &[usize]) -> Weight {
    let count: usize = dims.iter().product();
    let data: Vec<f32> = (0..count)
        .map(|index| (index % 17) as f32 / 100.0 - 0.08)
        .collect();
    Weight::new(dims, data)
}

fn convolution(
    name: &'static str,
    (inputs, outputs): (usize, usize),
    size: usize,
    (kernel, stride): (usize, usize),
    groups: usize,
) -> Result<Layer, GraphError> {
    let mut network = GraphBuilder::new();
    let x = network.input("x", Shape::map(inputs, size, size))?;
    let weight = weight(&[outputs, inputs / groups, kernel, kernel]);
    let convolution = Convolution::new(weight, None)
        .stride(stride)
        .padding(kernel / 2)
        .groups(groups);
    let y = network.conv2d("conv", x, convolution)?;
    let y = network.activation("relu", y, Activation::Relu)?;
    let results = network.shape(y).map_or(0, Shape::elements);
    network.output(y)?;
    let operations = 2 * results * (inputs / groups) * kernel * kernel;
    Ok(Layer {
        name,
        graph: network.build()?,
        operations: operations as u64,
    })
}

fn linear(name: &'static str, (tokens, inputs): (usize, usize), outputs: usize) -> Result<Layer, GraphError> {
    let mut network = GraphBuilder::new();
    let x = network.input("x", Shape::tokens(tokens, inputs))?;
    let y = network.linear("linear", x, weight(&[outputs, inputs]), None)?;
    network.output(y)?;
    Ok(Layer {
        name,
        graph: network.build()?,
        operations: (2 * tokens * inputs * outputs) as u64,
    })
}

fn attention(name: &'static str, tokens: usize, heads: usize) -> Result<Layer, GraphError> {
    let mut network = GraphBuilder::new();
    let x = network.input("x", Shape::tokens(tokens, heads * 64))?;
    let y = network.attention(
        "attention",
        [x; 3],
        Attention {
            heads,
            scale: None,
            causal: false,
        },
    )?;
    network.output(y)?;
    Ok(Layer {
        name,
        graph: network.build()?,
        operations: (4 * tokens * tokens * heads * 64) as u64,
    })
}
