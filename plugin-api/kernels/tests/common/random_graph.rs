//! Small networks of any layers, chosen by bytes: most fit together, some must be refused.

use super::{Numbers, choices::Choices};
use modelzoo_kernels::graph::{
    Activation, Attention, BatchNorm, Convolution, Graph, GraphBuilder, GraphError, Interpolation, LayerNorm,
    Padding, Pool, Shape, TransposedConvolution, UpsampleSize, Value, Weight, WindowAttention,
};

/// Every method of [`GraphBuilder`] that adds a layer; convolutions once for each way in which they are computed.
pub const OPERATORS: usize = 35;
/// The one that makes tokens of a map.
pub const TO_TOKENS: usize = 15;

/// The most channels, and rows or columns, that are chosen. Miri is some thousand times slower.
const CHANNELS: usize = if cfg!(miri) { 18 } else { 40 };
const SIZE: usize = if cfg!(miri) { 3 } else { 11 };
/// Values with more elements are no operands.
const ELEMENTS: usize = if cfg!(miri) { 200 } else { 6000 };

/// A network that is being made.
#[derive(Debug)]
pub struct RandomGraph<'c, 'b> {
    choices: &'c mut Choices<'b>,
    numbers: Numbers,
    builder: GraphBuilder,
    values: Vec<Value>,
    layers: usize,
}

impl<'c, 'b> RandomGraph<'c, 'b> {
    /// A network of one input.
    pub fn new(choices: &'c mut Choices<'b>) -> Self {
        let mut graph = Self {
            choices,
            numbers: Numbers::new(11),
            builder: GraphBuilder::new(),
            values: Vec::new(),
            layers: 0,
        };
        let shape = graph.map_shape();
        let input = graph.builder.input("input", shape).expect("no size is 0");
        graph.values.push(input);
        graph
    }

    /// What is left to choose by.
    pub fn choices(&mut self) -> &mut Choices<'b> {
        self.choices
    }

    /// Adds a layer of the kind `operator`; whether it fits.
    ///
    /// # Panics
    /// Where the error of a layer that does not fit has not its name.
    pub fn add(&mut self, operator: usize) -> bool {
        let name = format!("layer {}", self.layers);
        self.layers += 1;
        match self.layer(&name, operator) {
            Ok(value) => {
                if self.shape(value).elements() <= ELEMENTS {
                    self.values.push(value);
                }
                true
            }
            Err(error) => {
                assert_eq!(error.layer, name);
                assert!(error.to_string().contains(&name), "{error}");
                false
            }
        }
    }

    /// The network with its last value and some others as its outputs.
    pub fn finish(mut self) -> Graph {
        let last = self.values[self.values.len() - 1];
        self.builder.output(last).expect("it is a value of this network");
        for _ in 0..self.choices.below(3) {
            let value = self.choices.pick(&self.values);
            self.builder.output(value).expect("it is a value of this network");
        }
        self.builder.build().expect("it has an output")
    }

    fn shape(&self, value: Value) -> Shape {
        self.builder.shape(value).expect("it is a value of this network")
    }

    fn map_shape(&mut self) -> Shape {
        let channels = self.choices.size(CHANNELS);
        Shape::map(channels, self.choices.size(SIZE), self.choices.size(SIZE))
    }

    /// The value that was made last, or any other one.
    fn operand(&mut self) -> Value {
        self.operand_where(|_| true)
    }

    /// As [`operand`](Self::operand), of values with such shapes where there are any.
    fn operand_where(&mut self, fits: impl Fn(Shape) -> bool) -> Value {
        let fitting: Vec<Value> = self
            .values
            .iter()
            .copied()
            .filter(|&value| fits(self.shape(value)))
            .collect();
        match fitting.last() {
            None => self.choices.pick(&self.values),
            Some(&last) if self.choices.flag() => last,
            Some(_) => self.choices.pick(&fitting),
        }
    }

    fn map(&mut self) -> Value {
        self.operand_where(|shape| matches!(shape, Shape::Map { .. }))
    }

    fn tokens(&mut self) -> Value {
        self.operand_where(|shape| matches!(shape, Shape::Tokens { .. }))
    }

    /// Values that keep sums of products about as large as what is multiplied; seldom too few or too many.
    fn weight(&mut self, dims: &[usize]) -> Weight {
        let terms = dims[1..].iter().product::<usize>().max(1);
        let scale = (3.0 / terms as f32).sqrt();
        match self.choices.below(64) {
            63 => Weight::new(dims, self.numbers.take(3)),
            62 => self.numbers.weight(&[dims, &[2]].concat(), scale),
            61 => self.numbers.weight(&dims[1..], scale),
            60 => Weight::new([&[usize::MAX, 2], dims].concat(), self.numbers.take(1)),
            _ => self.numbers.weight(dims, scale),
        }
    }

    /// Features of a linear layer; seldom so many that images go through it together.
    fn outputs(&mut self) -> usize {
        match self.choices.below(16) {
            15 if !cfg!(miri) => 70_000 / CHANNELS,
            _ => self.choices.size(CHANNELS),
        }
    }

    fn bias(&mut self, channels: usize) -> Option<Weight> {
        self.choices.flag().then(|| self.weight(&[channels]))
    }

    fn padding(&mut self, most: usize) -> Padding {
        let mut side = || self.choices.setting(0, most);
        Padding {
            top: side(),
            bottom: side(),
            left: side(),
            right: side(),
        }
    }

    fn layer(&mut self, name: &str, operator: usize) -> Result<Value, GraphError> {
        match operator {
            0..7 => self.convolution(name, operator),
            7..19 => self.layer_of_maps(name, operator - 7),
            19..30 => self.layer_of_tokens(name, operator - 19),
            _ => self.layer_of_elements(name, operator - 30),
        }
    }

    fn convolution(&mut self, name: &str, kind: usize) -> Result<Value, GraphError> {
        let x = self.map();
        let channels = self.shape(x).channels();
        let outputs = self.choices.size(CHANNELS);
        let kernel = [self.choices.size(4), self.choices.size(4)];
        let ([rows, columns], groups, outputs) = match kind {
            1 => ([3, 3], 1, outputs),
            2 => ([1, 1], 1, outputs),
            3 => ([3, 3], channels, channels),
            4 => (kernel, channels, channels),
            5 => {
                let divisors: Vec<usize> = (1..=channels)
                    .filter(|&groups| channels.is_multiple_of(groups))
                    .collect();
                let groups = self.choices.pick(&divisors);
                (
                    kernel,
                    groups,
                    groups * self.choices.size(CHANNELS.div_ceil(groups)),
                )
            }
            _ => (kernel, 1, outputs),
        };
        if kind == 6 {
            let parameters = TransposedConvolution {
                weight: self.weight(&[channels, outputs, rows, columns]),
                bias: self.bias(outputs),
                stride: [self.choices.setting(1, 3), self.choices.setting(1, 3)],
                padding: self.choices.setting(0, 2),
                output_padding: self.choices.setting(0, 1),
            };
            return self.builder.conv_transpose2d(name, x, parameters);
        }
        let convolution = Convolution::new(
            self.weight(&[outputs, channels / groups, rows, columns]),
            self.bias(outputs),
        );
        let convolution = match kind {
            1 | 3 => convolution.padding(1).stride(self.choices.setting(1, 2)),
            2 => convolution,
            _ => Convolution {
                stride: [self.choices.setting(1, 3), self.choices.setting(1, 3)],
                padding: self.padding(3),
                dilation: [self.choices.setting(1, 2), self.choices.setting(1, 2)],
                ..convolution
            },
        };
        let groups = if self.choices.below(64) == 63 {
            self.choices.setting(0, 3)
        } else {
            groups
        };
        let convolution = Convolution {
            wide_sums: self.choices.below(8) == 7,
            is_same: self.choices.below(4) == 3,
            ..convolution.groups(groups)
        };
        self.builder.conv2d(name, x, convolution)
    }

    fn layer_of_maps(&mut self, name: &str, kind: usize) -> Result<Value, GraphError> {
        let x = self.map();
        let pool = |graph: &mut Self| Pool {
            kernel: [graph.choices.setting(1, 4), graph.choices.setting(1, 4)],
            stride: [graph.choices.setting(1, 3), graph.choices.setting(1, 3)],
            padding: graph.padding(2),
            ceil_mode: graph.choices.flag(),
        };
        let interpolation = |graph: &mut Self| {
            let align_corners = graph.choices.flag();
            graph
                .choices
                .pick(&[Interpolation::Nearest, Interpolation::Bilinear { align_corners }])
        };
        match kind {
            0 => {
                let pool = pool(self);
                self.builder.max_pool2d(name, x, pool)
            }
            1 => {
                let (pool, count_include_pad) = (pool(self), self.choices.flag());
                self.builder.avg_pool2d(name, x, pool, count_include_pad)
            }
            2 => {
                let size = [self.choices.setting(1, 6), self.choices.setting(1, 6)];
                self.builder.adaptive_avg_pool2d(name, x, size)
            }
            3 => self.builder.global_avg_pool(name, x),
            4 => {
                let size = [self.choices.setting(1, 12), self.choices.setting(1, 12)];
                let interpolation = interpolation(self);
                self.builder
                    .upsample(name, x, interpolation, UpsampleSize::Exact(size))
            }
            5 => {
                let scale = [self.choices.setting(1, 3), self.choices.setting(1, 3)];
                let interpolation = interpolation(self);
                self.builder
                    .upsample(name, x, interpolation, UpsampleSize::Scale(scale))
            }
            6 => {
                let (like, interpolation) = (self.map(), interpolation(self));
                self.builder.upsample_like(name, x, interpolation, like)
            }
            7 => {
                let groups = self.choices.setting(1, 4);
                self.builder.channel_shuffle(name, x, groups)
            }
            8 => self.builder.to_tokens(name, x),
            9 => self.builder.flatten(name, x),
            10 => {
                let shape = self.map_shape();
                self.builder.input(name, shape)
            }
            _ => {
                let shape = self.choices.pick(&[
                    Shape::tokens(5, CHANNELS),
                    Shape::tokens(SIZE, 3),
                    Shape::vector(CHANNELS - 1),
                    Shape::tokens(0, 1),
                    Shape::map(usize::MAX, 2, 2),
                ]);
                self.builder.input(name, shape)
            }
        }
    }

    fn layer_of_tokens(&mut self, name: &str, kind: usize) -> Result<Value, GraphError> {
        let x = self.tokens();
        let shape = self.shape(x);
        match kind {
            0 => {
                let height = self.choices.setting(1, SIZE);
                let width = shape.positions() / height.clamp(1, shape.positions());
                self.builder.to_map(name, x, [height, width])
            }
            1 => {
                let others = [x, self.tokens(), self.tokens()];
                let same = others
                    .into_iter()
                    .filter(|&value| self.shape(value).channels() == shape.channels());
                let same: Vec<Value> = same.collect();
                self.builder.concat_tokens(name, &same)
            }
            2 => {
                let index = self.choices.setting(0, shape.positions().min(200) - 1);
                self.builder.select_token(name, x, index)
            }
            3 => self.builder.mean_tokens(name, x),
            4 => {
                let x = self.operand_where(|shape| !matches!(shape, Shape::Map { .. }));
                let (inputs, outputs) = (self.shape(x).channels(), self.outputs());
                let (weight, bias) = (self.weight(&[outputs, inputs]), self.bias(outputs));
                self.builder.linear(name, x, weight, bias)
            }
            5 | 6 => {
                let others = [self.tokens(), self.tokens()];
                let features = |value| self.shape(value).channels();
                let keys = others
                    .into_iter()
                    .find(|&value| features(value) == shape.channels())
                    .unwrap_or(x);
                let count = self.shape(keys).positions();
                let values = others
                    .into_iter()
                    .find(|&value| self.shape(value).positions() == count);
                let usual = self.choices.pick(&[0.0, 0.3]);
                let parameters = Attention {
                    heads: self.choices.setting(1, 3),
                    scale: self.choices.flag().then(|| self.choices.number(usual)),
                    causal: kind == 6,
                };
                self.builder
                    .attention(name, [x, keys, values.unwrap_or(keys)], parameters)
            }
            7 => {
                let dims = match self.choices.below(3) {
                    0 => vec![self.choices.size(CHANNELS)],
                    1 => vec![self.choices.size(SIZE), shape.channels()],
                    _ => self.map_shape().dims(),
                };
                let weight = self.weight(&dims);
                self.builder.constant(name, weight)
            }
            8 => {
                let indices: Vec<usize> = (0..self.choices.below(2 * SIZE))
                    .map(|_| self.choices.setting(0, shape.positions().min(200) - 1))
                    .collect();
                self.builder.take_tokens(name, x, indices)
            }
            9 => {
                let windows = self.choices.setting(1, 4);
                let heads = self.choices.setting(1, 3);
                let window = shape.positions() / windows.max(1);
                // A wrong setting must not make an operand that fills the memory.
                let biases = self.choices.pick(&[1, windows.min(5)]);
                let parameters = WindowAttention {
                    heads,
                    scale: self.choices.flag().then(|| self.choices.number(0.3)),
                    windows,
                    bias: self.weight(&[biases, heads.min(4), window, window]),
                };
                self.builder.window_attention(name, [x, x, x], parameters)
            }
            _ => {
                // An epsilon that keeps the quotient of small differences from growing without bound.
                let epsilon = self.choices.number(0.1);
                let x = self.operand();
                let channels = self.shape(x).channels();
                let (weight, bias) = (self.weight(&[channels]), self.weight(&[channels]));
                self.builder.layer_norm(
                    name,
                    x,
                    LayerNorm {
                        weight,
                        bias,
                        epsilon,
                    },
                )
            }
        }
    }

    fn layer_of_elements(&mut self, name: &str, kind: usize) -> Result<Value, GraphError> {
        let x = self.operand();
        let shape = self.shape(x);
        let channels = shape.channels();
        match kind {
            0 => {
                let slope = self.choices.number(0.1);
                let activation = match self.choices.pick(&Activation::ALL) {
                    Activation::LeakyRelu(_) => Activation::LeakyRelu(slope),
                    activation => activation,
                };
                self.builder.activation(name, x, activation)
            }
            1 => {
                let ones = Weight::vector(vec![1.0; channels]);
                let norm = BatchNorm {
                    weight: self.weight(&[channels]),
                    bias: self.weight(&[channels]),
                    mean: self.weight(&[channels]),
                    variance: if self.choices.below(64) == 63 {
                        self.weight(&[channels])
                    } else {
                        ones
                    },
                    epsilon: f64::from(self.choices.number(0.5)),
                };
                self.builder.batch_norm(name, x, &norm)
            }
            2 => {
                let (adds, after) = (self.choices.flag(), self.choices.flag());
                let other = self.operand_where(|other| other == shape);
                if !adds {
                    let factors = |other: Shape| other.channels() == channels && other.positions() == 1;
                    let other = if after { self.operand_where(factors) } else { other };
                    return self.builder.mul(name, x, other);
                }
                self.builder.add(name, x, other)
            }
            3 => {
                let others: Vec<Value> = (0..self.choices.below(4))
                    .map(|_| {
                        self.operand_where(|other| {
                            std::mem::discriminant(&other) == std::mem::discriminant(&shape)
                                && other.positions() == shape.positions()
                        })
                    })
                    .collect();
                self.builder.concat(name, &others)
            }
            _ => {
                let start = self.choices.pick(&[0, 16, channels / 2, 1]);
                if self.choices.flag() {
                    return self.builder.softmax(name, x);
                }
                let count = self
                    .choices
                    .setting(1, channels.saturating_sub(start).clamp(1, 200));
                self.builder.slice_channels(name, x, start, count)
            }
        }
    }
}
