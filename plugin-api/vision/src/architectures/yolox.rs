//! YOLOX: a detector without anchors, which says of each place of three maps whether there is an object, of which class, and
//! where its edges are.
//!
//! Source: Ge et al., "YOLOX: Exceeding YOLO Series in 2021" (2021), section 2; names: those of its authors' files of tensors,
//! off which depths and widths are read.

use super::{
    Architecture, Detector, Judgement, Outputs, Selection,
    detector::{Boxes, Coding},
    layers::{Layers, Steps, unfit},
};
use crate::{
    checkpoint::Checkpoint,
    processing::{Sides, Transform},
    repository::{self, Config, Repository},
};
use modelzoo_candle::{
    detection::BoxCoder,
    network::{Conv2d, Interpolation, NetworkBuilder, Pool, Value},
};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// So many pixels are the places of each map apart.
const STRIDES: [f32; 3] = [8.0, 16.0, 32.0];
/// Added to variances.
const EPSILON: f64 = 1e-3;
/// Rows and columns of pictures: of the small networks, and of the others.
const SMALL: usize = 416;
const LARGE: usize = 640;
/// What is beside pictures that are no squares.
const GREY: f32 = 114.0;
/// How much the maps are pooled in the middle of the network.
const POOLED: [usize; 3] = [5, 9, 13];
/// More layers in a sequence than any network has.
const MOST_LAYERS: usize = 1000;
/// The names of a manifest's arguments.
const SIZE: &str = "test_size";
const THRESHOLD: &str = "test_conf";
const OVERLAP: &str = "nmsthre";

struct Yolox {
    detector: Detector,
    side: usize,
    classes: usize,
}

pub(super) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let name = repository.config.text("architecture")?.unwrap_or_default();
    let is_small = name.ends_with("nano") || name.ends_with("tiny");
    let arguments = repository.config.section_or_empty("entrypoint_args")?;
    let default = if is_small { SMALL } else { LARGE };
    let side = match arguments.size(SIZE, [default; 2])? {
        [height, width] if height == width && height.is_multiple_of(32) => height,
        _ => return Err(arguments.unsupported(SIZE, "as many rows as columns, a multiple of 32,")),
    };
    let classes = repository::class_names(repository)?.map_or(0, |names| names.len());
    Ok(Box::new(Yolox {
        detector: Detector {
            transform: Transform::of_bytes(Sides::Square(side), GREY),
            boxes: Boxes::Pyramid {
                sizes: STRIDES.map(|stride| vec![stride]).to_vec(),
                aspect_ratios: vec![1.0],
            },
            coding: Coding::Changes(BoxCoder { weights: [1.0; 4] }),
            judgement: Judgement::Likeliest,
            selection: Selection {
                threshold: share(&arguments, THRESHOLD, 0.01)?,
                overlap: share(&arguments, OVERLAP, 0.65)?,
                considered: usize::MAX,
                most: usize::MAX,
            },
        },
        side,
        classes,
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

impl Architecture for Yolox {
    fn image_size(&self) -> [usize; 2] {
        [self.side; 2]
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
        let layers = Layers {
            checkpoint,
            epsilon: EPSILON,
        };
        let [fine, middle, coarse] = darknet(network, layers, image)?;
        let maps = pyramid(network, layers, [fine, middle, coarse])?;
        let (mut logits, mut differences) = (Vec::new(), Vec::new());
        for (level, map) in maps.into_iter().enumerate() {
            let x = unit(network, layers, &format!("head.stems.{level}"), map, 1)?;
            let classified = twice(network, layers, &format!("head.cls_convs.{level}"), x)?;
            let located = twice(network, layers, &format!("head.reg_convs.{level}"), x)?;
            let last = |network: &mut NetworkBuilder<'_>, kind: &str, x: Value, channels: usize| {
                let name = format!("head.{kind}_preds.{level}");
                network.conv2d(&name, x, Conv2d::new(channels, 1))
            };
            self.check_classes(layers, &format!("head.cls_preds.{level}"))?;
            let classes = last(network, "cls", classified, self.classes)?;
            let is_object = last(network, "obj", located, 1)?;
            logits.push(network.cat(&[classes, is_object])?);
            differences.push(last(network, "reg", located, 4)?);
        }
        Ok(Outputs::Boxes { logits, differences })
    }
}

impl Yolox {
    /// That there is a name for each class.
    fn check_classes(&self, layers: Layers<'_>, name: &str) -> Result<()> {
        let [found, ..] = layers.dims::<4>(name)?;
        if found == self.classes {
            return Ok(());
        }
        Err(Error::new(format!(
            "the weights tell {found} classes apart, but there are names for {}",
            self.classes
        ))
        .with_kind(ErrorKind::Weights)
        .with_hint("`num_classes` or `labels_string` of the manifest says how many there are"))
    }
}

/// The features of a picture: maps of an eighth, a sixteenth and a thirty-second of its rows and columns.
fn darknet(network: &mut NetworkBuilder<'_>, layers: Layers<'_>, image: Value) -> Result<[Value; 3]> {
    let name = |layer: &str| format!("backbone.backbone.{layer}");
    let stem = stem(layers, &name("stem.conv"))?;
    let x = network.conv2d(&stem.name, image, stem.settings)?;
    let x = network.batch_norm_with_epsilon(&name("stem.conv.bn"), x, EPSILON)?;
    let mut x = network.silu(x)?;
    let mut maps = Vec::new();
    for stage in 2..=5 {
        let name = name(&format!("dark{stage}"));
        x = unit(network, layers, &format!("{name}.0"), x, 2)?;
        let is_last = stage == 5;
        if is_last {
            x = pooled(network, layers, &format!("{name}.1"), x)?;
        }
        let index = if is_last { 2 } else { 1 };
        x = partial(network, layers, &format!("{name}.{index}"), x, !is_last)?;
        maps.push(x);
    }
    Ok([maps[1], maps[2], maps[3]])
}

/// What the authors write as a convolution of every second pixel of every second row, of which there are four kinds, is one of twice
/// the kernel and stride.
struct Stem {
    name: String,
    settings: Conv2d,
}

fn stem(layers: Layers<'_>, name: &str) -> Result<Stem> {
    /// Of each kind of pixels its row and column.
    const KINDS: [[usize; 2]; 4] = [[0, 0], [1, 0], [0, 1], [1, 1]];
    const CHANNELS: usize = 3;
    const KERNEL: usize = 3;
    const WIDE: usize = 2 * KERNEL;
    let stored_name = format!("{name}.conv");
    let dims = layers.dims::<4>(&stored_name)?;
    let [outputs, ..] = dims;
    if dims[1..] != [KINDS.len() * CHANNELS, KERNEL, KERNEL] {
        return Err(unfit(&stored_name, &dims));
    }
    let stem = Stem {
        name: format!("{name}.wide"),
        settings: Conv2d::new(outputs, WIDE).stride(2).padding(2).without_bias(),
    };
    let stored = layers.checkpoint.tensor(&format!("{stored_name}.weight"))?;
    let mut wide = vec![0.0; outputs * CHANNELS * WIDE * WIDE];
    for (index, &value) in stored.data().iter().enumerate() {
        let (column, row) = (index % KERNEL, index / KERNEL % KERNEL);
        let plane = index / (KERNEL * KERNEL);
        let (input, output) = (plane % (KINDS.len() * CHANNELS), plane / (KINDS.len() * CHANNELS));
        let [down, right] = KINDS[input / CHANNELS];
        let (row, column) = (2 * row + down, 2 * column + right);
        wide[((output * CHANNELS + input % CHANNELS) * WIDE + row) * WIDE + column] = value;
    }
    let weight = Weight::new([outputs, CHANNELS, WIDE, WIDE], wide);
    layers.checkpoint.make(format!("{}.weight", stem.name), weight);
    Ok(stem)
}

/// The maps, each of which knows of the others.
fn pyramid(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    [fine, middle, coarse]: [Value; 3],
) -> Result<[Value; 3]> {
    let name = |layer: &str| format!("backbone.{layer}");
    let from_coarse = unit(network, layers, &name("lateral_conv0"), coarse, 1)?;
    let x = network.upsample(from_coarse, 2, Interpolation::Nearest)?;
    let x = network.cat(&[x, middle])?;
    let x = partial(network, layers, &name("C3_p4"), x, false)?;
    let from_middle = unit(network, layers, &name("reduce_conv1"), x, 1)?;
    let x = network.upsample(from_middle, 2, Interpolation::Nearest)?;
    let x = network.cat(&[x, fine])?;
    let fine = partial(network, layers, &name("C3_p3"), x, false)?;
    let x = unit(network, layers, &name("bu_conv2"), fine, 2)?;
    let x = network.cat(&[x, from_middle])?;
    let middle = partial(network, layers, &name("C3_n3"), x, false)?;
    let x = unit(network, layers, &name("bu_conv1"), middle, 2)?;
    let x = network.cat(&[x, from_coarse])?;
    let coarse = partial(network, layers, &name("C3_n4"), x, false)?;
    Ok([fine, middle, coarse])
}

/// Two layers one after the other, and the map as it was beside them; each of the blocks in between may be added to its
/// operand.
fn partial(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    x: Value,
    adds: bool,
) -> Result<Value> {
    let beside = unit(network, layers, &format!("{name}.conv2"), x, 1)?;
    let mut x = unit(network, layers, &format!("{name}.conv1"), x, 1)?;
    for index in 0..MOST_LAYERS {
        let block = format!("{name}.m.{index}");
        if !layers.has(&format!("{block}.conv1.conv")) {
            break;
        }
        let inner = unit(network, layers, &format!("{block}.conv1"), x, 1)?;
        let inner = unit(network, layers, &format!("{block}.conv2"), inner, 1)?;
        x = if adds { network.add(inner, x)? } else { inner };
    }
    let both = network.cat(&[x, beside])?;
    unit(network, layers, &format!("{name}.conv3"), both, 1)
}

/// A map beside the largest values around each of its places.
fn pooled(network: &mut NetworkBuilder<'_>, layers: Layers<'_>, name: &str, x: Value) -> Result<Value> {
    let x = unit(network, layers, &format!("{name}.conv1"), x, 1)?;
    let mut all = vec![x];
    for side in POOLED {
        all.push(network.max_pool2d(x, Pool::new(side, 1, side / 2))?);
    }
    let all = network.cat(&all)?;
    unit(network, layers, &format!("{name}.conv2"), all, 1)
}

/// The layers 0 and 1 of a sequence.
fn twice(network: &mut NetworkBuilder<'_>, layers: Layers<'_>, name: &str, x: Value) -> Result<Value> {
    let x = unit(network, layers, &format!("{name}.0"), x, 1)?;
    unit(network, layers, &format!("{name}.1"), x, 1)
}

/// A convolution, its normalisation and an activation; in the smallest network, a convolution of each channel by itself and one of
/// single pixels.
fn unit(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    x: Value,
    stride: usize,
) -> Result<Value> {
    if layers.has(&format!("{name}.dconv.conv")) {
        let x = unit(network, layers, &format!("{name}.dconv"), x, stride)?;
        return unit(network, layers, &format!("{name}.pconv"), x, 1);
    }
    let names = ["conv", "bn"].map(|layer| format!("{name}.{layer}"));
    let x = layers.normed(network, [&names[0], &names[1]], x, Steps::of(stride))?;
    network.silu(x)
}
