//! Describing a network in torch's vocabulary.

mod convolution;
mod elementwise;
mod normalization;
mod pooling;
mod scope;
#[cfg(test)]
mod tests;
mod tokens;

pub use convolution::{Conv2d, ConvTranspose2d};
pub use scope::Scope;

use super::{Network, Parameters, run::kernels_are_on};
use crate::device::Placement;
use modelzoo_kernels::graph::{GraphBuilder, GraphError, Op, Problem, Shape, Value, Weight};
use modelzoo_plugin_api::{Context, Error, Result};
use std::collections::{BTreeMap, HashMap};

/// Describes a network layer by layer, in torch's vocabulary and with torch's parameter names.
///
/// Layers with parameters take the name of the torch module, under which their parameters are found: `"layer1.0.conv1"`
/// has `"layer1.0.conv1.weight"`. Those without are numbered as torch.fx numbers them: `"relu"`, `"relu_1"`, ...;
/// [`NetworkBuilder::alias`] gives them a name of their own. By its name a layer's result, or with `<` before it its
/// input, can be taken as an output of the [`Network`].
///
/// ```
/// use modelzoo_candle::network::{Conv2d, NetworkBuilder, RandomParameters};
/// use modelzoo_candle::device::Placement;
///
/// let parameters = RandomParameters::new(0);
/// let mut network = NetworkBuilder::new(&parameters);
/// let image = network.input("image", [3, 32, 32])?;
/// let x = network.conv2d("conv1", image, Conv2d::new(16, 3).stride(2).padding(1).without_bias())?;
/// let x = network.batch_norm("bn1", x)?;
/// let x = network.relu(x)?;
/// let x = network.adaptive_avg_pool2d(x, [1, 1])?;
/// let x = network.flatten(x)?;
/// let logits = network.linear("fc", x, 10)?;
/// let network = network.build(&[logits], &Placement::cpu())?;
/// let features = network.with_outputs(&["<fc"])?;
/// assert_eq!(features.output_dims(), [vec![16]]);
/// # Ok::<(), modelzoo_plugin_api::Error>(())
/// ```
///
/// # Errors
/// Every method that adds a layer fails with the layer's name where its operands, its settings or its parameters do
/// not fit.
pub struct NetworkBuilder<'p> {
    parameters: &'p dyn Parameters,
    graph: GraphBuilder,
    /// The layer's name of each value.
    names: HashMap<Value, String>,
    /// How many layers of each kind have been numbered.
    counts: HashMap<&'static str, usize>,
    aliases: BTreeMap<String, String>,
    /// What is put before every name, with the dot behind it.
    scope: String,
    /// Added to the variances of batch normalisations.
    epsilon: f64,
}

impl<'p> NetworkBuilder<'p> {
    /// An empty network that finds its parameters in `parameters`.
    pub fn new(parameters: &'p dyn Parameters) -> Self {
        Self {
            parameters,
            graph: GraphBuilder::new(),
            names: HashMap::new(),
            counts: HashMap::new(),
            aliases: BTreeMap::new(),
            scope: String::new(),
            epsilon: normalization::EPSILON,
        }
    }

    /// The network's input: a picture of `[channels, height, width]`. Its name is the same in every scope.
    pub fn input(&mut self, name: &str, [channels, height, width]: [usize; 3]) -> Result<Value> {
        let value = self.graph.input(name, Shape::map(channels, height, width))?;
        self.names.insert(value, name.to_owned());
        Ok(value)
    }

    /// A trained value that is the same for every picture: one dimension is a vector, two are tokens, three a map.
    pub fn parameter(&mut self, name: &str, dims: &[usize]) -> Result<Value> {
        self.parameter_view(name, dims, dims)
    }

    /// A trained value that is stored with the dimensions `stored` and used with the dimensions `dims`, as
    /// `parameter.view(dims)`: torch's `[1, tokens, features]` as `[tokens, features]`.
    pub fn parameter_view(&mut self, name: &str, stored: &[usize], dims: &[usize]) -> Result<Value> {
        let weight = self.stored(name, stored)?;
        self.layer(name, Op::Constant(Weight::new(dims, weight.data())), &[])
    }

    /// A value that is the same for every picture and was computed, not trained: one dimension is a vector, two are
    /// tokens, three a map.
    pub fn constant(&mut self, dims: &[usize], values: Vec<f32>) -> Result<Value> {
        self.numbered("constant", Op::Constant(Weight::new(dims, values)), &[])
    }

    /// Gives the layer that made `value` a further name.
    ///
    /// # Errors
    /// When another layer has that name already.
    pub fn alias(&mut self, name: &str, value: Value) -> Result<()> {
        let layer = self.name(value)?.to_owned();
        let name = self.full(name);
        let is_taken = self.names.values().any(|taken| *taken == name) || self.aliases.contains_key(&name);
        if is_taken {
            return Err(Error::new(format!(
                "two layers of the network are called `{name}`"
            )));
        }
        self.aliases.insert(name, layer);
        Ok(())
    }

    /// The dimensions of a value, without the batch: `[channels, height, width]`, `[tokens, features]` or
    /// `[features]`.
    pub fn dims(&self, value: Value) -> Result<Vec<usize>> {
        Ok(self.shape(value)?.dims())
    }

    /// Channels of a map, features of tokens or of a vector.
    pub fn channels(&self, value: Value) -> Result<usize> {
        Ok(self.shape(value)?.channels())
    }

    /// The finished network, made ready for `placement`.
    ///
    /// # Errors
    /// When there are no outputs, or the device has no room for the parameters.
    pub fn build(mut self, outputs: &[Value], placement: &Placement) -> Result<Network> {
        for &output in outputs {
            self.graph.output(output)?;
        }
        Network::new(self.graph.build()?, self.aliases, placement, kernels_are_on())
    }

    fn shape(&self, value: Value) -> Result<Shape> {
        self.graph.shape(value).ok_or_else(foreign_value)
    }

    /// Channels or features of a layer's operand.
    fn operand_channels(&self, layer: &str, value: Value) -> Result<usize> {
        let shape = self.graph.shape(value).ok_or_else(|| GraphError {
            layer: self.full(layer),
            problem: Problem::UnknownValue,
        })?;
        Ok(shape.channels())
    }

    fn name(&self, value: Value) -> Result<&str> {
        self.names
            .get(&value)
            .map(String::as_str)
            .ok_or_else(foreign_value)
    }

    /// Adds a layer that has a name.
    fn layer(&mut self, name: &str, op: Op, operands: &[Value]) -> Result<Value> {
        let name = self.full(name);
        let value = self.graph.layer(&name, op, operands)?;
        self.names.insert(value, name);
        Ok(value)
    }

    /// Adds a layer that is numbered.
    fn numbered(&mut self, kind: &'static str, op: Op, operands: &[Value]) -> Result<Value> {
        let count = self.counts.entry(kind).or_default();
        let name = match *count {
            0 => kind.to_owned(),
            number => format!("{kind}_{number}"),
        };
        *count += 1;
        let value = self
            .graph
            .layer(&name, op, operands)
            .with_context(|| self.place(operands))?;
        self.names.insert(value, name);
        Ok(value)
    }

    /// Where a layer is whose name does not say it.
    fn place(&self, operands: &[Value]) -> String {
        let names = operands.iter().filter_map(|operand| self.names.get(operand));
        let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        let behind = format!("behind {}", names.join(" and "));
        match self.scope.strip_suffix('.') {
            _ if names.is_empty() => "in the network".to_owned(),
            Some(scope) => format!("in `{scope}`, {behind}"),
            None => behind,
        }
    }

    /// A name with those of the scopes before it.
    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.scope)
    }

    /// The parameter of this name in the scope.
    fn stored(&self, name: &str, dims: &[usize]) -> Result<Weight> {
        self.parameters.parameter(&self.full(name), dims)
    }

    /// The parameter `name` of layer `layer`.
    fn parameter_of(&self, layer: &str, name: &str, dims: &[usize]) -> Result<Weight> {
        self.stored(&format!("{layer}.{name}"), dims)
    }
}

impl std::fmt::Debug for NetworkBuilder<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("NetworkBuilder")
            .field("graph", &self.graph)
            .finish_non_exhaustive()
    }
}

fn foreign_value() -> Error {
    Error::new("a value of another network was used")
}
