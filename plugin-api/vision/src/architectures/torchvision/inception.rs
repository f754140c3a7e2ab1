//! GoogLeNet and Inception v3: branches with kernels of several sizes side by side.
//!
//! Sources: Szegedy et al., "Going Deeper with Convolutions" (2014), table 1, and "Rethinking the Inception Architecture
//! for Computer Vision" (2015), table 1.

use super::{Layers, Steps, classes, classify};
use crate::{
    architectures::{Architecture, Outputs},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{NetworkBuilder, Pool, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

const EPSILON: f64 = 1e-3;

/// The statistics with which torchvision normalises, and those with which these two were trained: 0.5 for both.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// What both have in common.
struct Inception {
    kind: Kind,
    /// Whether pictures are normalised anew, as torchvision does where it loads the published weights.
    transforms_input: bool,
    classes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    First,
    Third,
}

pub(in crate::architectures) fn googlenet(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, Kind::First)
}

pub(in crate::architectures) fn inception_v3(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, Kind::Third)
}

fn open(repository: &Repository, kind: Kind) -> Result<Box<dyn Architecture>> {
    let arguments = repository.config.section_or_empty("entrypoint_args")?;
    let is_published = arguments.has("weights") || arguments.flag("pretrained", false)?;
    Ok(Box::new(Inception {
        kind,
        transforms_input: arguments.flag("transform_input", is_published)?,
        classes: classes(repository)?,
    }))
}

impl Architecture for Inception {
    fn image_size(&self) -> [usize; 2] {
        match self.kind {
            Kind::First => [224; 2],
            Kind::Third => [299; 2],
        }
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let image = if self.transforms_input {
            let shift = [0, 1, 2].map(|channel| (MEAN[channel] - 0.5) / 0.5);
            let scale = DEVIATION.map(|deviation| deviation / 0.5);
            network.affine(image, Weight::vector(&scale[..]), Weight::vector(&shift[..]))?
        } else {
            image
        };
        // Further classifiers, which only training has a use for.
        for name in ["aux1.", "aux2.", "AuxLogits."] {
            checkpoint.leave_out(name);
        }
        let branches = Branches(Layers {
            checkpoint,
            epsilon: EPSILON,
        });
        let x = match self.kind {
            Kind::First => branches.first(network, image)?,
            Kind::Third => branches.third(network, image)?,
        };
        classify(network, "fc", x, self.classes)
    }
}

/// A window that halves a map, the last row or column by itself where there is an odd number.
const fn halving(window: usize) -> Pool {
    Pool {
        ceil_mode: true,
        ..Pool::new(window, 2, 0)
    }
}

/// A convolution that halves a map, without zeros around it.
const HALVING: Steps = Steps::of(2).padding(0);

struct Branches<'a>(Layers<'a>);

impl Branches<'_> {
    /// GoogLeNet to its last map.
    fn first(&self, network: &mut NetworkBuilder<'_>, image: Value) -> Result<Value> {
        let x = self.active(network, "conv1", image, Steps::of(2))?;
        let x = network.max_pool2d(x, halving(3))?;
        let x = self.chain(network, "", &["conv2", "conv3"], x)?;
        let mut x = network.max_pool2d(x, halving(3))?;
        for (stage, blocks, window) in [(3, "ab", Some(3)), (4, "abcde", Some(2)), (5, "ab", None)] {
            for block in blocks.chars() {
                x = self.block(network, &format!("inception{stage}{block}"), x)?;
            }
            if let Some(window) = window {
                x = network.max_pool2d(x, halving(window))?;
            }
        }
        Ok(x)
    }

    fn block(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let root = format!("{name}.");
        let pooled = network.max_pool2d(input, Pool::new(3, 1, 1))?;
        let parts = [
            self.chain(network, &root, &["branch1"], input)?,
            self.chain(network, &root, &["branch2.0", "branch2.1"], input)?,
            self.chain(network, &root, &["branch3.0", "branch3.1"], input)?,
            self.chain(network, &root, &["branch4.1"], pooled)?,
        ];
        self.joined(network, name, &parts)
    }

    /// Inception v3 to its last map.
    fn third(&self, network: &mut NetworkBuilder<'_>, image: Value) -> Result<Value> {
        let x = self.active(network, "Conv2d_1a_3x3", image, HALVING)?;
        let x = self.active(network, "Conv2d_2a_3x3", x, Steps::ONE.padding(0))?;
        let x = self.active(network, "Conv2d_2b_3x3", x, Steps::ONE)?;
        let x = network.max_pool2d(x, Pool::new(3, 2, 0))?;
        let x = self.active(network, "Conv2d_3b_1x1", x, Steps::ONE)?;
        let x = self.active(network, "Conv2d_4a_3x3", x, Steps::ONE.padding(0))?;
        let mut x = network.max_pool2d(x, Pool::new(3, 2, 0))?;
        for name in ["Mixed_5b", "Mixed_5c", "Mixed_5d"] {
            x = self.small_kernels(network, name, x)?;
        }
        x = self.first_halving(network, "Mixed_6a", x)?;
        for name in ["Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"] {
            x = self.long_kernels(network, name, x)?;
        }
        x = self.second_halving(network, "Mixed_7a", x)?;
        for name in ["Mixed_7b", "Mixed_7c"] {
            x = self.split_kernels(network, name, x)?;
        }
        Ok(x)
    }

    fn small_kernels(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let root = format!("{name}.");
        let deep = ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"];
        let parts = [
            self.chain(network, &root, &["branch1x1"], input)?,
            self.chain(network, &root, &["branch5x5_1", "branch5x5_2"], input)?,
            self.chain(network, &root, &deep, input)?,
            self.pooled(network, &root, input)?,
        ];
        self.joined(network, name, &parts)
    }

    fn first_halving(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let root = format!("{name}.");
        let deep = self.chain(network, &root, &["branch3x3dbl_1", "branch3x3dbl_2"], input)?;
        let parts = [
            self.active(network, &format!("{root}branch3x3"), input, HALVING)?,
            self.active(network, &format!("{root}branch3x3dbl_3"), deep, HALVING)?,
            network.max_pool2d(input, Pool::new(3, 2, 0))?,
        ];
        self.joined(network, name, &parts)
    }

    fn long_kernels(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let root = format!("{name}.");
        let deep = [
            "branch7x7dbl_1",
            "branch7x7dbl_2",
            "branch7x7dbl_3",
            "branch7x7dbl_4",
            "branch7x7dbl_5",
        ];
        let parts = [
            self.chain(network, &root, &["branch1x1"], input)?,
            self.chain(
                network,
                &root,
                &["branch7x7_1", "branch7x7_2", "branch7x7_3"],
                input,
            )?,
            self.chain(network, &root, &deep, input)?,
            self.pooled(network, &root, input)?,
        ];
        self.joined(network, name, &parts)
    }

    fn second_halving(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let root = format!("{name}.");
        let short = self.chain(network, &root, &["branch3x3_1"], input)?;
        let long = ["branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3"];
        let long = self.chain(network, &root, &long, input)?;
        let parts = [
            self.active(network, &format!("{root}branch3x3_2"), short, HALVING)?,
            self.active(network, &format!("{root}branch7x7x3_4"), long, HALVING)?,
            network.max_pool2d(input, Pool::new(3, 2, 0))?,
        ];
        self.joined(network, name, &parts)
    }

    fn split_kernels(&self, network: &mut NetworkBuilder<'_>, name: &str, input: Value) -> Result<Value> {
        let root = format!("{name}.");
        let short = self.chain(network, &root, &["branch3x3_1"], input)?;
        let deep = self.chain(network, &root, &["branch3x3dbl_1", "branch3x3dbl_2"], input)?;
        let parts = [
            self.chain(network, &root, &["branch1x1"], input)?,
            self.chain(network, &root, &["branch3x3_2a"], short)?,
            self.chain(network, &root, &["branch3x3_2b"], short)?,
            self.chain(network, &root, &["branch3x3dbl_3a"], deep)?,
            self.chain(network, &root, &["branch3x3dbl_3b"], deep)?,
            self.pooled(network, &root, input)?,
        ];
        self.joined(network, name, &parts)
    }

    /// The branch whose convolution sees means of 3 x 3 pixels.
    fn pooled(&self, network: &mut NetworkBuilder<'_>, root: &str, input: Value) -> Result<Value> {
        let mean = network.avg_pool2d(input, Pool::new(3, 1, 1), true)?;
        self.chain(network, root, &["branch_pool"], mean)
    }

    /// Convolutions that keep the size, one after the other.
    fn chain(
        &self,
        network: &mut NetworkBuilder<'_>,
        root: &str,
        names: &[&str],
        input: Value,
    ) -> Result<Value> {
        names.iter().try_fold(input, |x, name| {
            self.active(network, &format!("{root}{name}"), x, Steps::ONE)
        })
    }

    /// A convolution, its normalisation and an activation.
    fn active(&self, network: &mut NetworkBuilder<'_>, name: &str, x: Value, steps: Steps) -> Result<Value> {
        let names = ["conv", "bn"].map(|part| format!("{name}.{part}"));
        let x = self.0.normed(network, [&names[0], &names[1]], x, steps)?;
        network.relu(x)
    }

    fn joined(&self, network: &mut NetworkBuilder<'_>, name: &str, parts: &[Value]) -> Result<Value> {
        let x = network.cat(parts)?;
        network.alias(name, x)?;
        Ok(x)
    }
}
