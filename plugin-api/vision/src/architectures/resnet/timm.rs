//! As timm and torchvision publish it. Blocks, depths, widths, groups and stems are read off the tensors; strides are
//! the same for all of the family.

use crate::{
    architectures::{Architecture, Outputs},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Pool, Value};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// Parts of the names of relatives that compute something else with no or other tensors: blurred or averaged strides,
/// other normalisations, other stems.
const OTHERS: [&str; 5] = ["blur", "netaa", "nextaa", "_gn", "netrs"];

/// More layers than any stage has.
const MOST_LAYERS: usize = 1000;

/// A network that its tensors describe.
struct ResNet {
    classes: usize,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let config = &repository.config;
    let name = config.text("architecture")?.unwrap_or_default();
    if OTHERS.iter().any(|other| name.contains(other)) {
        return Err(config.unsupported(
            "architecture",
            "a ResNet without antialiasing, group normalisation or RS stem",
        ));
    }
    let names = crate::repository::class_names(repository)?;
    Ok(Box::new(ResNet {
        classes: names.map_or(0, |names| names.len()),
    }))
}

impl Architecture for ResNet {
    fn image_size(&self) -> [usize; 2] {
        [224; 2]
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let x = Described::new(checkpoint).features(network, "", image)?;
        let x = network.adaptive_avg_pool2d(x, [1, 1])?;
        let embedding = network.flatten(x)?;
        let logits = if checkpoint.has("fc.weight") {
            Some(network.linear("fc", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

/// The tensors of a network, by which it is described.
pub(in crate::architectures) struct Described<'a> {
    pub(in crate::architectures) checkpoint: &'a Checkpoint,
    /// Added to the variances of batch normalisations.
    epsilon: f64,
}

impl<'a> Described<'a> {
    /// Layers with torch's default epsilon.
    pub(in crate::architectures) const fn new(checkpoint: &'a Checkpoint) -> Self {
        Self {
            checkpoint,
            epsilon: 1e-5,
        }
    }

    /// With another epsilon.
    pub(in crate::architectures) const fn with_epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// The last stage's map; `root` is before the names of all tensors.
    pub(in crate::architectures) fn features(
        &self,
        network: &mut NetworkBuilder<'_>,
        root: &str,
        image: Value,
    ) -> Result<Value> {
        let stages = self.stages(network, root, image, [1; 4])?;
        Ok(stages[stages.len() - 1])
    }

    /// As [`Described::features`], with dilations instead of strides in the last two stages, as segmenters have it.
    pub(in crate::architectures) fn dense_features(
        &self,
        network: &mut NetworkBuilder<'_>,
        root: &str,
        image: Value,
    ) -> Result<Value> {
        let stages = self.stages(network, root, image, [1, 1, 2, 4])?;
        Ok(stages[stages.len() - 1])
    }

    /// The maps of all stages, as detectors have it.
    pub(in crate::architectures) fn all_features(
        &self,
        network: &mut NetworkBuilder<'_>,
        root: &str,
        image: Value,
    ) -> Result<[Value; 4]> {
        self.stages(network, root, image, [1; 4])
    }

    /// A stage with a dilation has no stride, and its first layer the dilation of the stage before it.
    fn stages(
        &self,
        network: &mut NetworkBuilder<'_>,
        root: &str,
        image: Value,
        dilations: [usize; 4],
    ) -> Result<[Value; 4]> {
        let x = self.stem(network, root, image)?;
        let mut x = network.max_pool2d(x, Pool::new(3, 2, 1))?;
        let mut stages = [x; 4];
        for stage in 1..=dilations.len() {
            for layer in 0..MOST_LAYERS {
                let name = format!("{root}layer{stage}.{layer}");
                if !self.checkpoint.has(&format!("{name}.conv1.weight")) {
                    break;
                }
                let has_stride = layer == 0 && stage > 1 && dilations[stage - 1] == 1;
                let before = if layer == 0 { stage.max(2) - 2 } else { stage - 1 };
                let stride = if has_stride { 2 } else { 1 };
                x = self.residual(network, &name, x, stride, dilations[before])?;
            }
            network.alias(&format!("{root}layer{stage}"), x)?;
            stages[stage - 1] = x;
        }
        Ok(stages)
    }

    /// One convolution of 7 x 7, or three of 3 x 3 with their normalisations between them.
    fn stem(&self, network: &mut NetworkBuilder<'_>, root: &str, image: Value) -> Result<Value> {
        let x = if self.checkpoint.has(&format!("{root}conv1.0.weight")) {
            let mut x = image;
            for (conv, norm, stride) in [(0, Some(1), 2), (3, Some(4), 1), (6, None, 1)] {
                x = self.convolve(network, &format!("{root}conv1.{conv}"), x, stride)?;
                if let Some(norm) = norm {
                    x = self.normalize(network, &format!("{root}conv1.{norm}"), x)?;
                    x = network.relu(x)?;
                }
            }
            x
        } else {
            self.convolve(network, &format!("{root}conv1"), image, 2)?
        };
        let x = self.normalize(network, &format!("{root}bn1"), x)?;
        network.relu(x)
    }

    fn residual(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        stride: usize,
        dilation: usize,
    ) -> Result<Value> {
        let last = if self.checkpoint.has(&format!("{name}.conv3.weight")) {
            3
        } else {
            2
        };
        // A bottleneck has its stride and dilation in the middle, a basic block in its first convolution.
        let strided = last - 1;
        let mut x = input;
        for number in 1..=last {
            let (stride, dilation) = if number == strided {
                (stride, dilation)
            } else {
                (1, 1)
            };
            x = self.convolve_dilated(network, &format!("{name}.conv{number}"), x, stride, dilation)?;
            x = self.normalize(network, &format!("{name}.bn{number}"), x)?;
            if number < last {
                x = network.relu(x)?;
            }
        }
        let x = self.excite(network, &format!("{name}.se"), x)?;
        let shortcut = self.shortcut(network, &format!("{name}.downsample"), input, stride)?;
        let x = network.add(x, shortcut)?;
        let x = network.relu(x)?;
        network.alias(name, x)?;
        Ok(x)
    }

    /// Squeeze and excitation, where a block has it.
    fn excite(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        if !self.checkpoint.has_any(&format!("{name}.")) {
            return Ok(x);
        }
        let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
        let squeezed = Conv2d::new(self.outputs(&format!("{name}.fc1"))?, 1);
        let factors = network.conv2d(&format!("{name}.fc1"), mean, squeezed)?;
        let factors = network.relu(factors)?;
        let channels = network.channels(x)?;
        let factors = network.conv2d(&format!("{name}.fc2"), factors, Conv2d::new(channels, 1))?;
        let factors = network.sigmoid(factors)?;
        network.mul(x, factors)
    }

    /// The operand itself, a convolution with a stride, or the mean of 2 x 2 pixels before a convolution.
    fn shortcut(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        stride: usize,
    ) -> Result<Value> {
        if self.checkpoint.has(&format!("{name}.0.weight")) {
            let x = self.convolve(network, &format!("{name}.0"), input, stride)?;
            return self.normalize(network, &format!("{name}.1"), x);
        }
        if !self.checkpoint.has(&format!("{name}.1.weight")) {
            return Ok(input);
        }
        let pool = Pool {
            ceil_mode: true,
            ..Pool::new(2, stride, 0)
        };
        let x = if stride > 1 {
            network.avg_pool2d(input, pool, false)?
        } else {
            input
        };
        let x = self.convolve(network, &format!("{name}.1"), x, 1)?;
        self.normalize(network, &format!("{name}.2"), x)
    }

    fn normalize(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value) -> Result<Value> {
        network.batch_norm_with_epsilon(name, x, self.epsilon)
    }

    /// A convolution without a bias whose kernel, channels and groups are those of its weight; it is padded so that a
    /// stride of 1 keeps the size.
    pub(in crate::architectures) fn convolve(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        stride: usize,
    ) -> Result<Value> {
        self.convolve_dilated(network, name, x, stride, 1)
    }

    fn convolve_dilated(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        x: Value,
        stride: usize,
        dilation: usize,
    ) -> Result<Value> {
        let dims = self.weight(name)?;
        let channels = network.channels(x)?;
        let settings = match dims {
            [outputs, inputs, height, width]
                if height == width && inputs > 0 && channels.is_multiple_of(inputs) =>
            {
                Conv2d::new(outputs, height)
                    .stride(stride)
                    .dilation(dilation)
                    .padding(height / 2 * dilation)
                    .groups(channels / inputs)
                    .without_bias()
            }
            _ => return Err(unfit(name, dims)),
        };
        network.conv2d(name, x, settings)
    }

    fn outputs(&self, name: &str) -> Result<usize> {
        Ok(self.weight(name)?[0])
    }

    fn weight(&self, name: &str) -> Result<[usize; 4]> {
        let found = self.checkpoint.dims(&format!("{name}.weight"));
        let Some(dims) = found else {
            // Says that it is missing.
            return self.checkpoint.tensor(&format!("{name}.weight")).map(|_| [0; 4]);
        };
        dims.try_into().map_err(|dims: Vec<usize>| unfit(name, dims))
    }
}

fn unfit(name: &str, dims: impl std::fmt::Debug) -> Error {
    Error::new(format!(
        "tensor `{name}.weight` has dimensions {dims:?}, which are no ResNet's"
    ))
    .with_kind(ErrorKind::Weights)
}
