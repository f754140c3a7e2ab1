//! SSD on VGG16, and SSDLite on MobileNetV3: each map has a convolution of its own that judges its boxes.
//!
//! Sources: Liu et al., "SSD: Single Shot MultiBox Detector" (2016), section 2; Sandler et al., "MobileNetV2" (2018),
//! section 6.2.

use super::{Layers, Steps, arguments::Arguments};
use crate::{
    architectures::{
        Architecture, Detector, Judgement, Outputs, Selection,
        detector::{Boxes, Coding},
        torchvision::{MOST_LAYERS, classes, mobilenet_v3},
    },
    checkpoint::Checkpoint,
    processing::{Sides, Transform},
    repository::Repository,
};
use modelzoo_candle::{
    detection::BoxCoder,
    network::{NetworkBuilder, Pool, Value},
};
use modelzoo_kernels::graph::Weight;
use modelzoo_plugin_api::Result;

/// The arguments for which boxes become objects.
const SELECTION: [&str; 4] = [
    "score_thresh",
    "nms_thresh",
    "topk_candidates",
    "detections_per_img",
];

/// The block of MobileNetV3 that SSDLite sees the first convolution of: the last one with a stride.
const DIVIDED: usize = 12;

struct Ssd {
    detector: Detector,
    is_lite: bool,
    classes: usize,
    ignored: Vec<String>,
}

pub(in crate::architectures) fn ssd300(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let arguments = Arguments::read(repository, &SELECTION)?;
    let two = vec![2.0];
    let three = vec![2.0, 3.0];
    let boxes = Boxes::Ssd {
        scales: vec![0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
        aspect_ratios: vec![two.clone(), three.clone(), three.clone(), three, two.clone(), two],
        steps: Some(vec![8.0, 16.0, 32.0, 64.0, 100.0, 300.0]),
    };
    let selection = Selection {
        threshold: 0.01,
        overlap: 0.45,
        considered: 400,
        most: 200,
    };
    let statistics = [[0.48235, 0.45882, 0.40784], [1.0 / 255.0; 3]];
    open(repository, arguments, 300, boxes, selection, statistics)
}

pub(in crate::architectures) fn ssdlite320(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let arguments = Arguments::read(repository, &SELECTION)?;
    let (least, most, maps) = (0.2, 0.95, 6);
    let scale = |index: usize| least + (most - least) * index as f64 / (maps - 1) as f64;
    let boxes = Boxes::Ssd {
        scales: (0..maps).map(scale).chain([1.0]).collect(),
        aspect_ratios: vec![vec![2.0, 3.0]; maps],
        steps: None,
    };
    let selection = Selection {
        threshold: 0.001,
        overlap: 0.55,
        considered: 300,
        most: 300,
    };
    open(repository, arguments, 320, boxes, selection, [[0.5; 3]; 2])
}

fn open(
    repository: &Repository,
    arguments: Arguments,
    side: usize,
    boxes: Boxes,
    selection: Selection,
    statistics: [[f64; 3]; 2],
) -> Result<Box<dyn Architecture>> {
    let name = repository.config.text("architecture")?.unwrap_or_default();
    let sides = Sides::Exact([side; 2]);
    Ok(Box::new(Ssd {
        detector: Detector {
            transform: Transform::read(&arguments.config, sides, 1, statistics)?,
            boxes,
            coding: Coding::Changes(BoxCoder {
                weights: [10.0, 10.0, 5.0, 5.0],
            }),
            judgement: Judgement::Exclusive,
            selection: arguments.selection(SELECTION, selection)?,
        },
        is_lite: name.starts_with("ssdlite"),
        classes: classes(repository)?,
        ignored: arguments.ignored,
    }))
}

impl Architecture for Ssd {
    fn image_size(&self) -> [usize; 2] {
        self.detector.transform.usual_size()
    }

    fn depends_on_size(&self) -> bool {
        !self.is_lite
    }

    fn detector(&self) -> Option<&Detector> {
        Some(&self.detector)
    }

    fn ignored(&self) -> Option<&[String]> {
        Some(&self.ignored)
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        let (layers, maps) = if self.is_lite {
            let blocks = mobilenet_v3::LARGE;
            let layers = blocks.layers(checkpoint);
            (layers, mobile(network, layers, blocks, image)?)
        } else {
            let layers = Layers::new(checkpoint);
            (layers, vgg(network, layers, image)?)
        };
        let mut heads = [Vec::new(), Vec::new()];
        for (index, &map) in maps.iter().enumerate() {
            for (head, kind) in heads.iter_mut().zip(["classification", "regression"]) {
                let name = format!("head.{kind}_head.module_list.{index}");
                head.push(if self.is_lite {
                    let x = layers.sequence(network, &format!("{name}.0."), 0, map, Steps::ONE)?;
                    let x = network.relu6(x)?;
                    layers.convolve(network, &format!("{name}.1"), x, Steps::ONE)?
                } else {
                    layers.convolve(network, &name, map, Steps::ONE)?
                });
            }
        }
        let [logits, differences] = heads;
        super::check_boxes(network, &self.detector, self.classes, &logits, &differences)?;
        Ok(Outputs::Boxes { logits, differences })
    }
}

/// The maps of MobileNetV3, whose last block with a stride is divided between two modules, and of four blocks more.
fn mobile(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    blocks: mobilenet_v3::Blocks,
    image: Value,
) -> Result<Vec<Value>> {
    let name = |index: usize| format!("backbone.features.0.{index}");
    let mut x = mobilenet_v3::convolve(network, layers, &format!("{}.", name(0)), image, 2)?;
    for index in 0..DIVIDED {
        x = blocks
            .block(index)
            .describe(network, layers, &name(index + 1), x)?;
    }
    x = mobilenet_v3::convolve(network, layers, &format!("{}.", name(DIVIDED + 1)), x, 1)?;
    let mut maps = vec![x];
    let name = |index: usize| format!("backbone.features.1.{index}");
    let divided = blocks.block(DIVIDED);
    x = divided.through(network, layers, &format!("{}.", name(0)), x)?;
    let rest = DIVIDED + 1..blocks.count();
    for (place, index) in rest.clone().enumerate() {
        x = blocks
            .block(index)
            .describe(network, layers, &name(place + 1), x)?;
    }
    x = mobilenet_v3::convolve(network, layers, &format!("{}.", name(rest.len() + 1)), x, 1)?;
    maps.push(x);
    for extra in 0..4 {
        for (part, stride) in [1, 2, 1].into_iter().enumerate() {
            let name = format!("backbone.extra.{extra}.{part}.");
            x = layers.sequence(network, &name, 0, x, Steps::of(stride))?;
            x = network.relu6(x)?;
        }
        maps.push(x);
    }
    Ok(maps)
}

/// The maps of VGG16, whose first one is normalised at each pixel, of its last convolutions without their stride, and of
/// four pairs of convolutions more.
fn vgg(network: &mut NetworkBuilder<'_>, layers: Layers<'_>, image: Value) -> Result<Vec<Value>> {
    let mut x = image;
    let (mut before, mut poolings) = (None, 0);
    for index in (0..MOST_LAYERS).filter(|index| layers.has(&format!("backbone.features.{index}"))) {
        // Between two convolutions is an activation, or an activation and a pooling; the third pooling rounds up.
        if before.is_some_and(|before| index > before + 2) {
            poolings += 1;
            let pool = Pool {
                ceil_mode: poolings == 3,
                ..Pool::new(2, 2, 0)
            };
            x = network.max_pool2d(x, pool)?;
        }
        x = convolve(
            network,
            layers,
            &format!("backbone.features.{index}"),
            x,
            Steps::ONE,
        )?;
        before = Some(index);
    }
    let scale = layers.checkpoint.tensor("backbone.scale_weight")?;
    let mut maps = vec![normalize(network, x, scale)?];
    x = network.max_pool2d(x, Pool::new(2, 2, 0))?;
    for index in [1, 3, 5] {
        x = convolve(
            network,
            layers,
            &format!("backbone.extra.0.{index}"),
            x,
            Steps::ONE,
        )?;
    }
    x = network.max_pool2d(x, Pool::new(3, 1, 1))?;
    x = convolve(network, layers, "backbone.extra.0.7.1", x, Steps::ONE.dilation(6))?;
    x = convolve(network, layers, "backbone.extra.0.7.3", x, Steps::ONE)?;
    maps.push(x);
    let halving = Steps::of(2);
    let cutting = Steps::ONE.padding(0);
    for (index, steps) in [halving, halving, cutting, cutting].into_iter().enumerate() {
        let name = format!("backbone.extra.{}", index + 1);
        x = convolve(network, layers, &format!("{name}.0"), x, Steps::ONE)?;
        x = convolve(network, layers, &format!("{name}.2"), x, steps)?;
        maps.push(x);
    }
    Ok(maps)
}

/// The channels of each place, divided by the root of the sum of their squares, times a factor for each.
fn normalize(network: &mut NetworkBuilder<'_>, x: Value, scale: Weight) -> Result<Value> {
    let dims = network.dims(x)?;
    let tokens = network.to_tokens(x)?;
    let tokens = network.unit_length(tokens, 1)?;
    let x = network.to_map(tokens, [dims[1], dims[2]])?;
    network.affine(x, scale, Weight::vector(vec![0.0; dims[0]]))
}

/// A convolution, and `max(x, 0)`.
fn convolve(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    x: Value,
    steps: Steps,
) -> Result<Value> {
    let x = layers.convolve(network, name, x, steps)?;
    network.relu(x)
}
