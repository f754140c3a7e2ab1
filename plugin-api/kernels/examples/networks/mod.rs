//! Well-known networks with random weights, to measure speed and accuracy on.

mod convolutional;
mod detection;
pub mod numbers;
mod segmentation;
mod transformers;

use modelzoo_kernels::graph::{
    Activation, Convolution, Graph, GraphBuilder, GraphError, Padding, Value, Weight,
};
use numbers::Numbers;

/// The networks by name.
pub const NAMES: [&str; 8] = [
    "resnet18",
    "resnet50",
    "mobilenet_v2",
    "nanodet_g",
    "yolov8n",
    "u2netp",
    "vit_b_16",
    "clip_vit_b_32",
];

/// The network of this name for images of its usual size, or `None` for another name.
pub fn by_name(name: &str) -> Option<Result<Graph, GraphError>> {
    Some(match name {
        "resnet18" => convolutional::resnet18(),
        "resnet50" => convolutional::resnet50(),
        "mobilenet_v2" => convolutional::mobilenet_v2(),
        "nanodet_g" => detection::nanodet_g(),
        "yolov8n" => detection::yolov8n(),
        "u2netp" => segmentation::u2netp(),
        "vit_b_16" => transformers::vit_b_16(),
        "clip_vit_b_32" => transformers::clip_vit_b_32(),
        _ => return None,
    })
}

/// A builder that makes up the weights: uniform with the variance of He's initialisation, so that values neither
/// vanish nor explode.
#[derive(Debug)]
pub struct Author {
    pub network: GraphBuilder,
    numbers: Numbers,
    layers: usize,
}

/// What a convolution does to a map's size.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    pub groups: usize,
}

impl Window {
    /// A square kernel with padding that keeps the size at stride 1.
    pub fn new(kernel: usize, stride: usize) -> Self {
        Self {
            kernel,
            stride,
            dilation: 1,
            groups: 1,
        }
    }

    pub fn dilation(self, dilation: usize) -> Self {
        Self { dilation, ..self }
    }

    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }
}

impl Author {
    pub fn new() -> Self {
        Self {
            network: GraphBuilder::new(),
            numbers: Numbers::new(1),
            layers: 0,
        }
    }

    /// A name that no other layer has.
    pub fn name(&mut self, kind: &str) -> String {
        self.layers += 1;
        format!("{kind}{}", self.layers)
    }

    /// A weight whose sums over `terms` inputs have about the variance of the inputs times `gain`.
    pub fn weight(&mut self, dims: &[usize], terms: usize, gain: f32) -> Weight {
        self.numbers.weight(dims, (3.0 * gain / terms as f32).sqrt())
    }

    pub fn channels(&self, x: Value) -> usize {
        self.network.shape(x).map_or(0, |shape| shape.channels())
    }

    /// A convolution with a bias, as it is after batch normalisation has been folded into it, and an activation.
    pub fn conv(
        &mut self,
        x: Value,
        outputs: usize,
        window: Window,
        activation: Option<Activation>,
    ) -> Result<Value, GraphError> {
        let gain = if activation.is_some() { 2.0 } else { 1.0 };
        self.conv_with_gain(x, outputs, window, activation, gain)
    }

    /// The same with a gain of its own, see [`weight`](Self::weight).
    pub fn conv_with_gain(
        &mut self,
        x: Value,
        outputs: usize,
        window: Window,
        activation: Option<Activation>,
        gain: f32,
    ) -> Result<Value, GraphError> {
        let inputs = self.channels(x) / window.groups;
        let Window {
            kernel,
            stride,
            dilation,
            groups,
        } = window;
        let weight = self.weight(&[outputs, inputs, kernel, kernel], inputs * kernel * kernel, gain);
        let bias = self.weight(&[outputs], 1, 0.01);
        let convolution = Convolution {
            stride: [stride; 2],
            dilation: [dilation; 2],
            padding: Padding::all(dilation * (kernel - 1) / 2),
            groups,
            ..Convolution::new(weight, Some(bias))
        };
        let name = self.name("conv");
        let y = self.network.conv2d(&name, x, convolution)?;
        self.activate(y, activation)
    }

    pub fn activate(&mut self, x: Value, activation: Option<Activation>) -> Result<Value, GraphError> {
        match activation {
            Some(activation) => {
                let name = self.name("activation");
                self.network.activation(&name, x, activation)
            }
            None => Ok(x),
        }
    }

    pub fn add(&mut self, left: Value, right: Value) -> Result<Value, GraphError> {
        let name = self.name("add");
        self.network.add(&name, left, right)
    }

    pub fn concat(&mut self, values: &[Value]) -> Result<Value, GraphError> {
        let name = self.name("concat");
        self.network.concat(&name, values)
    }

    pub fn linear(&mut self, x: Value, outputs: usize, gain: f32) -> Result<Value, GraphError> {
        let inputs = self.channels(x);
        let weight = self.weight(&[outputs, inputs], inputs, gain);
        let bias = self.weight(&[outputs], 1, 0.01);
        let name = self.name("linear");
        self.network.linear(&name, x, weight, Some(bias))
    }

    /// Global average pooling and a linear layer.
    pub fn classifier(mut self, x: Value, classes: usize) -> Result<Graph, GraphError> {
        let x = self.network.global_avg_pool("pool", x)?;
        let x = self.network.flatten("flatten", x)?;
        let x = self.linear(x, classes, 1.0)?;
        self.network.output(x)?;
        self.network.build()
    }
}
