//! RetinaNet: convolutions that are the same for all maps of a pyramid judge each box by itself.
//!
//! Source: Lin et al., "Focal Loss for Dense Object Detection" (2017), section 4.

use super::{
    Layers, Steps,
    arguments::Arguments,
    pyramid::{add_convolved, grouped, pyramid},
};
use crate::{
    architectures::{
        Architecture, Detector, Judgement, Outputs, Selection,
        detector::{Boxes, Coding},
        resnet::Described,
        torchvision::classes,
    },
    checkpoint::Checkpoint,
    processing::{Sides, Transform},
    repository::Repository,
};
use modelzoo_candle::{
    detection::BoxCoder,
    network::{NetworkBuilder, Value},
};
use modelzoo_plugin_api::Result;

/// The arguments for which boxes become objects.
const SELECTION: [&str; 4] = [
    "score_thresh",
    "nms_thresh",
    "topk_candidates",
    "detections_per_img",
];

/// Groups of channels, and what is added to variances, in the second version.
const GROUPS: usize = 32;
const EPSILON: f32 = 1e-5;

/// The convolutions before the last one.
const CONVOLUTIONS: usize = 4;

/// The smallest boxes of each map.
const SIZES: [f32; 5] = [32.0, 64.0, 128.0, 256.0, 512.0];

struct RetinaNet {
    detector: Detector,
    classes: usize,
    epsilon: f64,
    ignored: Vec<String>,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let arguments = Arguments::read(repository, &SELECTION)?;
    let name = repository.config.text("architecture")?.unwrap_or_default();
    let detector = Detector {
        transform: Transform::read(
            &arguments.config,
            Sides::Within {
                shorter: 800,
                longer: 1333,
            },
            32,
            [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]],
        )?,
        boxes: Boxes::Pyramid {
            sizes: SIZES.map(thirds).to_vec(),
            aspect_ratios: vec![0.5, 1.0, 2.0],
        },
        coding: Coding::Changes(BoxCoder { weights: [1.0; 4] }),
        judgement: Judgement::Each,
        selection: arguments.selection(
            SELECTION,
            Selection {
                threshold: 0.05,
                overlap: 0.5,
                considered: 1000,
                most: 300,
            },
        )?,
    };
    Ok(Box::new(RetinaNet {
        detector,
        classes: classes(repository)?,
        epsilon: arguments.epsilon(name)?,
        ignored: arguments.ignored,
    }))
}

/// A size, and two thirds of the way to its double in whole pixels.
fn thirds(size: f32) -> Vec<f32> {
    let larger = |third: i32| (f64::from(size) * 2f64.powf(f64::from(third) / 3.0)).floor() as f32;
    (0..3).map(larger).collect()
}

impl Architecture for RetinaNet {
    fn image_size(&self) -> [usize; 2] {
        self.detector.transform.usual_size()
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
        let layers = Layers::new(checkpoint);
        let resnet = Described::new(checkpoint).with_epsilon(self.epsilon);
        let stages = resnet.all_features(network, "backbone.body.", image)?;
        let mut maps = pyramid(network, layers, &stages[1..])?;
        add_convolved(network, layers, &mut maps, stages[3])?;
        let (logits, differences) = ("classification_head.cls_logits", "regression_head.bbox_reg");
        let logits = head(network, layers, logits, &maps)?;
        let differences = head(network, layers, differences, &maps)?;
        super::check_boxes(network, &self.detector, self.classes, &logits, &differences)?;
        Ok(Outputs::Boxes { logits, differences })
    }
}

/// The convolutions of a head, of which the last one is `HEAD.NAME`, of each map.
fn head(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    name: &str,
    maps: &[Value],
) -> Result<Vec<Value>> {
    let (head, last) = name.split_once('.').unwrap_or((name, ""));
    let mut maps = maps.to_vec();
    for index in 0..CONVOLUTIONS {
        let conv = |index: usize| format!("head.{head}.conv.{index}");
        let name = grouped(layers, &conv(index), &conv(2 * index));
        let mut convolved = layers.convolve_each(network, &name, &maps, Steps::ONE)?;
        let norm = format!("{}.1", conv(index));
        if layers.has(&norm) {
            convolved = network.group_norm_of_each(&norm, &convolved, GROUPS, EPSILON)?;
        }
        maps = convolved
            .into_iter()
            .map(|map| network.relu(map))
            .collect::<Result<_>>()?;
    }
    layers.convolve_each(network, &format!("head.{head}.{last}"), &maps, Steps::ONE)
}
