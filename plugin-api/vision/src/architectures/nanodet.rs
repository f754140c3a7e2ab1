//! NanoDet-g: a detector without anchors, which says of each place of three maps which classes are there, and how far the edges
//! of the object are, each as a distribution.
//!
//! Sources: Li et al., "Generalized Focal Loss" (2020), section 3.2; the NanoDet project's `nanodet_g` (backbone `CustomCspNet`,
//! neck `PAN`, head `NanoDetHead`). Its weights are those of its exported files, whose convolutions are numbered; widths are read
//! off them.

use super::{
    Architecture, Detector, Judgement, Outputs, Selection,
    detector::{Boxes, Coding},
    layers::{Layers, Steps},
};
use crate::{
    checkpoint::Checkpoint,
    processing::{Sides, Transform},
    repository::{self, Config, Repository},
};
use modelzoo_candle::network::{Interpolation, NetworkBuilder, Pool, Value};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// So many pixels are the places of each map apart.
const STRIDES: [usize; 3] = [8, 16, 32];
/// Rows and columns of pictures.
const SIDE: usize = 416;
/// Bins of the distribution of each distance, which are so many places apart.
const BINS: usize = 11;
/// The pairs of convolutions in each stage, and its stride.
const STAGES: [(usize, usize); 4] = [(1, 1), (2, 2), (2, 2), (3, 2)];
/// The slope of activations below 0.
const SLOPE: f32 = 0.1;
/// What blue, green and red are less, and divided by.
const MEAN: [f32; 3] = [103.53, 116.28, 123.675];
const DEVIATION: [f32; 3] = [57.375, 57.12, 58.395];
/// The names of a manifest's arguments.
const SIZE: &str = "input_size";
const THRESHOLD: &str = "score_thr";
const OVERLAP: &str = "iou_threshold";
const MOST: &str = "max_num";

const BILINEAR: Interpolation = Interpolation::Bilinear { align_corners: false };

struct NanoDet {
    detector: Detector,
    size: [usize; 2],
    classes: usize,
}

pub(super) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let arguments = repository.config.section_or_empty("entrypoint_args")?;
    let size = arguments.size(SIZE, [SIDE; 2])?;
    if size.iter().any(|side| !side.is_multiple_of(STRIDES[2])) {
        return Err(arguments.unsupported(SIZE, "multiples of 32"));
    }
    Ok(Box::new(NanoDet {
        detector: Detector {
            transform: Transform::of_bytes(Sides::Exact(size), 0.0),
            boxes: Boxes::Pyramid {
                sizes: STRIDES.map(|stride| vec![stride as f32]).to_vec(),
                aspect_ratios: vec![1.0],
            },
            coding: Coding::Distances,
            judgement: Judgement::Each,
            selection: Selection {
                threshold: share(&arguments, THRESHOLD, 0.35)?,
                overlap: share(&arguments, OVERLAP, 0.6)?,
                considered: 1000,
                most: arguments.count(MOST, 100)?,
            },
        },
        size,
        classes: repository::class_names(repository)?.map_or(0, |names| names.len()),
    }))
}

fn share(arguments: &Config, key: &str, default: f32) -> Result<f32> {
    let share = arguments.number(key)?.map_or(default, |share| share as f32);
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err(arguments.wrong(key, "a number from 0 to 1"))
    }
}

impl Architecture for NanoDet {
    fn image_size(&self) -> [usize; 2] {
        self.size
    }

    fn depends_on_size(&self) -> bool {
        // Tokens are made maps of sizes that the description names.
        true
    }

    fn detector(&self) -> Option<&Detector> {
        Some(&self.detector)
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let mut numbered = Numbered {
            layers: Layers::new(checkpoint),
            count: 0,
        };
        let scale = DEVIATION.map(|deviation| 1.0 / deviation);
        let shift = [0, 1, 2].map(|channel| -MEAN[channel] / DEVIATION[channel]);
        let x = network.affine(image, Weight::vector(scale), Weight::vector(shift))?;
        let x = numbered.active(network, x, 2)?;
        let mut x = network.max_pool2d(x, Pool::new(3, 2, 1))?;
        let mut maps = Vec::new();
        for (pairs, stride) in STAGES {
            x = numbered.stage(network, x, pairs, stride)?;
            maps.push(x);
        }
        let heads = numbered.pyramid(network, [maps[1], maps[2], maps[3]])?;
        let (mut logits, mut differences) = (Vec::new(), Vec::new());
        for head in heads {
            self.check_classes(network, head)?;
            logits.push(network.narrow(head, 0, self.classes)?);
            differences.push(self.distances(network, head)?);
        }
        Ok(Outputs::Boxes { logits, differences })
    }
}

impl NanoDet {
    /// That there is a name for each class.
    fn check_classes(&self, network: &NetworkBuilder<'_>, head: Value) -> Result<()> {
        let found = network.channels(head)?.saturating_sub(4 * BINS);
        if found == self.classes && found > 0 {
            return Ok(());
        }
        Err(Error::new(format!(
            "the weights tell {found} classes apart, but there are names for {}",
            self.classes
        ))
        .with_kind(ErrorKind::Weights)
        .with_hint("`num_classes` or `labels_string` of the manifest says how many there are"))
    }

    /// The means of the distributions: how many places the left, the upper, the right and the lower edge are away.
    fn distances(&self, network: &mut NetworkBuilder<'_>, head: Value) -> Result<Value> {
        let dims = network.dims(head)?;
        let bins: Vec<f32> = (0..BINS).map(|bin| bin as f32).collect();
        let bins = Weight::new([1, BINS], bins);
        let mut distances = Vec::new();
        for edge in 0..4 {
            let logits = network.narrow(head, self.classes + edge * BINS, BINS)?;
            let logits = network.to_tokens(logits)?;
            let shares = network.softmax(logits)?;
            let mean = network.project(shares, bins.clone())?;
            distances.push(network.to_map(mean, [dims[1], dims[2]])?);
        }
        network.cat(&distances)
    }
}

/// A network whose convolutions are numbered.
struct Numbered<'a> {
    layers: Layers<'a>,
    count: usize,
}

impl Numbered<'_> {
    /// Each of the `pairs` of convolutions of a stage halves the channels and puts both results side by side.
    fn stage(
        &mut self,
        network: &mut NetworkBuilder<'_>,
        x: Value,
        pairs: usize,
        stride: usize,
    ) -> Result<Value> {
        let entry = self.active(network, x, stride)?;
        let mut x = entry;
        for _ in 0..pairs {
            let first = self.active(network, x, 1)?;
            let second = self.active(network, first, 1)?;
            x = network.cat(&[second, first])?;
        }
        let x = self.active(network, x, 1)?;
        network.cat(&[x, entry])
    }

    /// The heads of maps, from the finest to the coarsest, each of which knows of the others.
    fn pyramid(&mut self, network: &mut NetworkBuilder<'_>, maps: [Value; 3]) -> Result<[Value; 3]> {
        let [fine, middle, coarse] = maps;
        // The convolutions are numbered from the coarsest map.
        let coarse = self.convolve(network, coarse, 1)?;
        let middle = self.convolve(network, middle, 1)?;
        let fine = self.convolve(network, fine, 1)?;
        let down = add_resized(network, middle, coarse)?;
        let fine = add_resized(network, fine, down)?;
        let middle = add_resized(network, down, fine)?;
        let coarse = add_resized(network, coarse, middle)?;
        let coarse = self.head(network, coarse)?;
        let middle = self.head(network, middle)?;
        Ok([self.head(network, fine)?, middle, coarse])
    }

    fn head(&mut self, network: &mut NetworkBuilder<'_>, x: Value) -> Result<Value> {
        let x = self.active(network, x, 1)?;
        self.convolve(network, x, 1)
    }

    fn active(&mut self, network: &mut NetworkBuilder<'_>, x: Value, stride: usize) -> Result<Value> {
        let x = self.convolve(network, x, stride)?;
        network.leaky_relu(x, SLOPE)
    }

    fn convolve(&mut self, network: &mut NetworkBuilder<'_>, x: Value, stride: usize) -> Result<Value> {
        let name = format!("conv{}", self.count);
        self.count += 1;
        self.layers.convolve(network, &name, x, Steps::of(stride))
    }
}

/// `x` plus `other`, resized to the same height and width.
fn add_resized(network: &mut NetworkBuilder<'_>, x: Value, other: Value) -> Result<Value> {
    let resized = network.interpolate_like(other, x, BILINEAR)?;
    network.add(x, resized)
}
