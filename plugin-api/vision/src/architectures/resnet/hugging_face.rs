//! As transformers publishes it; names and defaults: those of its `ResNetConfig`.

use crate::{
    architectures::{Architecture, Outputs, activation::Activation, transformer},
    checkpoint::Checkpoint,
    repository::{Config, Repository},
};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Pool, Value};
use modelzoo_plugin_api::Result;

/// How many times more channels a bottleneck's result has than its middle.
const REDUCTION: usize = 4;

/// The settings of a ResNet.
pub(in crate::architectures) struct ResNet {
    variant: Variant,
    stem: usize,
    channels: Vec<usize>,
    depths: Vec<usize>,
    is_bottleneck: bool,
    activation: Activation,
    downsamples_first_stage: bool,
    downsamples_in_bottleneck: bool,
}

/// Which stem and shortcuts a ResNet has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    /// A convolution of 7 x 7, and shortcuts with strides.
    Plain,
    /// Three convolutions of 3 x 3, and shortcuts after means of 2 x 2 pixels: the "D" of "Bag of Tricks".
    Deep,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let names = crate::repository::class_names(repository)?;
    let classes = names.map_or(2, |names| names.len());
    Ok(Box::new(Classifier {
        body: ResNet::read(&repository.config)?,
        classes,
    }))
}

/// A ResNet with its classifier.
struct Classifier {
    body: ResNet,
    classes: usize,
}

impl Architecture for Classifier {
    fn image_size(&self) -> [usize; 2] {
        [224; 2]
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let root = if checkpoint.has_any("resnet.") {
            "resnet."
        } else {
            ""
        };
        let x = self.body.features(network, root, image)?;
        let x = network.adaptive_avg_pool2d(x, [1, 1])?;
        let embedding = network.flatten(x)?;
        let logits = if checkpoint.has("classifier.1.weight") {
            Some(network.linear("classifier.1", embedding, self.classes)?)
        } else {
            None
        };
        Ok(Outputs::Picture { embedding, logits })
    }
}

impl ResNet {
    /// Reads the settings.
    pub(in crate::architectures) fn read(config: &Config) -> Result<Self> {
        transformer::three_channels(config, "num_channels")?;
        let channels = config.counts("hidden_sizes", &[256, 512, 1024, 2048])?;
        let depths = config.counts("depths", &[3, 4, 6, 3])?;
        if depths.len() != channels.len() {
            return Err(config.wrong(
                "depths",
                &format!("a list of {} numbers, as `hidden_sizes` has,", channels.len()),
            ));
        }
        let is_bottleneck = match config.text("layer_type")?.unwrap_or("bottleneck") {
            "bottleneck" => true,
            "basic" => false,
            _ => return Err(config.unsupported("layer_type", "\"basic\" or \"bottleneck\"")),
        };
        let variant = match config.text("model_type")? {
            Some("rt_detr_resnet") => Variant::Deep,
            _ => Variant::Plain,
        };
        Ok(Self {
            variant,
            stem: config.count("embedding_size", 64)?,
            channels,
            depths,
            is_bottleneck,
            activation: Activation::of(config, "hidden_act", Activation::Relu)?,
            downsamples_first_stage: config.flag("downsample_in_first_stage", false)?,
            downsamples_in_bottleneck: config.flag("downsample_in_bottleneck", false)?,
        })
    }

    /// The last stage's map; `root` is before the names of all tensors.
    pub(in crate::architectures) fn features(
        &self,
        network: &mut NetworkBuilder<'_>,
        root: &str,
        image: Value,
    ) -> Result<Value> {
        let maps = self.stages(network, root, image)?;
        Ok(maps.last().copied().unwrap_or(image))
    }

    /// The map of the stem and of each stage; `root` is before the names of all tensors.
    pub(in crate::architectures) fn stages(
        &self,
        network: &mut NetworkBuilder<'_>,
        root: &str,
        image: Value,
    ) -> Result<Vec<Value>> {
        let x = self.stem(network, &format!("{root}embedder.embedder"), image)?;
        let mut x = network.max_pool2d(x, Pool::new(3, 2, 1))?;
        let mut maps = vec![x];
        for (stage, (&channels, &depth)) in self.channels.iter().zip(&self.depths).enumerate() {
            for layer in 0..depth {
                let halves = layer == 0 && (stage > 0 || self.downsamples_first_stage);
                let name = format!("{root}encoder.stages.{stage}.layers.{layer}");
                let stride = if halves { 2 } else { 1 };
                x = self.residual(network, &name, x, channels, stride, layer == 0)?;
            }
            network.alias(&format!("{root}encoder.stages.{stage}"), x)?;
            maps.push(x);
        }
        Ok(maps)
    }

    fn stem(&self, network: &mut NetworkBuilder<'_>, name: &str, image: Value) -> Result<Value> {
        if self.variant == Variant::Plain {
            let stem = Conv2d::new(self.stem, 7).stride(2).padding(3);
            let x = convolve(network, name, image, stem)?;
            return self.activation.apply(network, x);
        }
        let mut x = image;
        for (index, (channels, stride)) in [(self.stem / 2, 2), (self.stem / 2, 1), (self.stem, 1)]
            .into_iter()
            .enumerate()
        {
            let convolution = Conv2d::new(channels, 3).stride(stride).padding(1);
            x = convolve(network, &format!("{name}.{index}"), x, convolution)?;
            x = self.activation.apply(network, x)?;
        }
        Ok(x)
    }

    fn residual(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        channels: usize,
        stride: usize,
        is_first: bool,
    ) -> Result<Value> {
        let convolutions = if self.is_bottleneck {
            let middle = channels / REDUCTION;
            let strides = if self.downsamples_in_bottleneck {
                [stride, 1]
            } else {
                [1, stride]
            };
            vec![
                Conv2d::new(middle, 1).stride(strides[0]),
                Conv2d::new(middle, 3).stride(strides[1]).padding(1),
                Conv2d::new(channels, 1),
            ]
        } else {
            vec![
                Conv2d::new(channels, 3).stride(stride).padding(1),
                Conv2d::new(channels, 3).padding(1),
            ]
        };
        let last = convolutions.len() - 1;
        let mut x = input;
        for (index, convolution) in convolutions.into_iter().enumerate() {
            x = convolve(network, &format!("{name}.layer.{index}"), x, convolution)?;
            if index < last {
                x = match self.variant {
                    Variant::Plain => self.activation.apply(network, x)?,
                    // The activation of the settings is that of the stem and of sums only.
                    Variant::Deep => network.relu(x)?,
                };
            }
        }
        let shortcut = self.shortcut(
            network,
            &format!("{name}.shortcut"),
            input,
            channels,
            stride,
            is_first,
        )?;
        let x = network.add(x, shortcut)?;
        let x = self.activation.apply(network, x)?;
        network.alias(name, x)?;
        Ok(x)
    }

    /// What a block's result is added to: its input, or a convolution of that.
    fn shortcut(
        &self,
        network: &mut NetworkBuilder<'_>,
        name: &str,
        input: Value,
        channels: usize,
        stride: usize,
        is_first: bool,
    ) -> Result<Value> {
        let widens = network.channels(input)? != channels;
        let convolution = Conv2d::new(channels, 1);
        if self.variant == Variant::Plain {
            return if stride != 1 || widens {
                convolve(network, name, input, convolution.stride(stride))
            } else {
                Ok(input)
            };
        }
        // Basic blocks take means wherever channels change, bottlenecks wherever the size does.
        let averages = if self.is_bottleneck { stride != 1 } else { widens };
        if averages {
            let halves = Pool {
                ceil_mode: true,
                ..Pool::new(2, 2, 0)
            };
            let x = network.avg_pool2d(input, halves, true)?;
            return convolve(network, &format!("{name}.1"), x, convolution);
        }
        let convolves = if self.is_bottleneck { widens } else { is_first };
        if convolves {
            convolve(network, name, input, convolution.stride(stride))
        } else {
            Ok(input)
        }
    }
}

fn convolve(network: &mut NetworkBuilder<'_>, name: &str, x: Value, convolution: Conv2d) -> Result<Value> {
    let x = network.conv2d(&format!("{name}.convolution"), x, convolution.without_bias())?;
    network.batch_norm(&format!("{name}.normalization"), x)
}
