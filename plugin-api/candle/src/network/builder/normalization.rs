//! Batch normalisations, and the convolutions that they follow.

use super::{Conv2d, NetworkBuilder};
use modelzoo_kernels::graph::{Activation, BatchNorm, Value};
use modelzoo_plugin_api::Result;

/// What torch adds to variances, unless told otherwise.
pub(super) const EPSILON: f64 = 1e-5;

impl NetworkBuilder<'_> {
    /// The same network with another number that is added to the variances of all batch normalisations, torch's `eps`:
    /// 1e-5 unless told otherwise, 1e-3 in networks that were trained with TensorFlow.
    pub fn with_batch_norm_epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// `torch.nn.BatchNorm2d` with the network's epsilon: parameters `weight`, `bias`, `running_mean` and `running_var`.
    /// It costs nothing after a convolution: it is folded into it.
    pub fn batch_norm(&mut self, name: &str, x: Value) -> Result<Value> {
        self.batch_norm_with_epsilon(name, x, self.epsilon)
    }

    /// As [`NetworkBuilder::batch_norm`], with another epsilon than the network's.
    pub fn batch_norm_with_epsilon(&mut self, name: &str, x: Value, epsilon: f64) -> Result<Value> {
        let channels = self.operand_channels(name, x)?;
        let part = |part| self.parameter_of(name, part, &[channels]);
        let norm = BatchNorm {
            weight: part("weight")?,
            bias: part("bias")?,
            mean: part("running_mean")?,
            variance: part("running_var")?,
            epsilon,
        };
        let name = self.full(name);
        let value = self.graph.batch_norm(&name, x, &norm)?;
        self.names.insert(value, name);
        Ok(value)
    }

    /// A convolution without a bias and its batch normalisation, by the names of both.
    pub fn conv_norm(&mut self, [conv, norm]: [&str; 2], x: Value, settings: Conv2d) -> Result<Value> {
        let x = self.conv2d(conv, x, settings.without_bias())?;
        self.batch_norm(norm, x)
    }

    /// A convolution without a bias, its batch normalisation and an activation: torchvision's `Conv2dNormActivation`, in
    /// which the first two are called `0` and `1`.
    pub fn conv_norm_activation(
        &mut self,
        names: [&str; 2],
        x: Value,
        settings: Conv2d,
        activation: Activation,
    ) -> Result<Value> {
        let x = self.conv_norm(names, x, settings)?;
        self.activation(x, activation)
    }
}
