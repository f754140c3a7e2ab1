//! Faster R-CNN, Mask R-CNN and Keypoint R-CNN, on ResNet-50 and MobileNetV3 with pyramids of maps.
//!
//! Sources: Ren et al., "Faster R-CNN" (2015); He et al., "Mask R-CNN" (2017), sections 3 and 5.

use super::{
    Layers, Steps,
    arguments::Arguments,
    check_boxes,
    pyramid::{add_halved, grouped, pyramid},
};
use crate::{
    architectures::{
        Architecture, Detector, Judgement, Outputs, Selection,
        detector::{Boxes, Coding},
        regions::{Details, Look, Regions},
        resnet::Described,
        torchvision::{MOST_LAYERS, classes, mobilenet_v3},
    },
    checkpoint::Checkpoint,
    processing::{Sides, Transform},
    repository::{Config, Repository},
};
use modelzoo_candle::{
    detection::BoxCoder,
    network::{ConvTranspose2d, Interpolation, NetworkBuilder, Value},
};
use modelzoo_plugin_api::Result;

/// The arguments for which regions are proposed.
const PROPOSALS: [&str; 4] = [
    "rpn_score_thresh",
    "rpn_nms_thresh",
    "rpn_pre_nms_top_n_test",
    "rpn_post_nms_top_n_test",
];

/// The arguments for which of their boxes become objects; all are considered.
const OBJECTS: [&str; 3] = ["box_score_thresh", "box_nms_thresh", "box_detections_per_img"];

/// Two further arguments.
const BOX_WEIGHTS: &str = "bbox_reg_weights";
const KEYPOINTS: &str = "num_keypoints";

/// The sides of the boxes around the places of maps.
const SIZES: [f32; 5] = [32.0, 64.0, 128.0, 256.0, 512.0];

/// The blocks of MobileNetV3 whose results are the maps: before its last stride's end, and after the last convolution.
const MOBILE_MAPS: [usize; 2] = [13, 16];

struct Rcnn {
    detector: Detector,
    look: Look,
    is_mobile: bool,
    keypoints: usize,
    epsilon: f64,
    ignored: Vec<String>,
}

pub(in crate::architectures) fn open(repository: &Repository) -> Result<Box<dyn Architecture>> {
    let known = [PROPOSALS.as_slice(), &OBJECTS, &[BOX_WEIGHTS, KEYPOINTS]].concat();
    let arguments = Arguments::read(repository, &known)?;
    let name = repository.config.text("architecture")?.unwrap_or_default();
    let is_mobile = name.contains("mobilenet");
    let is_small = name.contains("_320_");
    let (shorter, longer) = if is_small { (320, 640) } else { (800, 1333) };
    let proposed = if is_small { 150 } else { 1000 };
    let sizes = if is_mobile {
        vec![SIZES.to_vec(); MOBILE_MAPS.len() + 1]
    } else {
        SIZES.map(|size| vec![size]).to_vec()
    };
    let detector = Detector {
        transform: Transform::read(
            &arguments.config,
            Sides::Within { shorter, longer },
            32,
            [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]],
        )?,
        boxes: Boxes::Pyramid {
            sizes,
            aspect_ratios: vec![0.5, 1.0, 2.0],
        },
        coding: Coding::Changes(BoxCoder { weights: [1.0; 4] }),
        judgement: Judgement::Each,
        selection: arguments.selection(
            PROPOSALS,
            Selection {
                threshold: if is_mobile { 0.05 } else { 0.0 },
                overlap: 0.7,
                considered: proposed,
                most: proposed,
            },
        )?,
    };
    let [threshold, overlap, most] = OBJECTS;
    let look = Look {
        classes: classes(repository)?,
        coder: BoxCoder {
            weights: box_weights(&arguments.config)?,
        },
        selection: Selection {
            threshold: arguments.share(threshold, 0.05)?,
            overlap: arguments.share(overlap, 0.5)?,
            considered: usize::MAX,
            most: arguments.config.count(most, 100)?,
        },
        details: match name.split('_').next() {
            Some("maskrcnn") => Details::Masks,
            Some("keypointrcnn") => Details::Keypoints,
            _ => Details::Nothing,
        },
    };
    Ok(Box::new(Rcnn {
        detector,
        look,
        is_mobile,
        keypoints: arguments.config.count(KEYPOINTS, 17)?,
        epsilon: arguments.epsilon(name)?,
        ignored: arguments.ignored,
    }))
}

/// What the numbers that change boxes are multiples of.
fn box_weights(arguments: &Config) -> Result<[f32; 4]> {
    let Some(weights) = arguments.numbers(BOX_WEIGHTS)? else {
        return Ok([10.0, 10.0, 5.0, 5.0]);
    };
    match weights.as_slice() {
        &[x, y, width, height] if weights.iter().all(|&weight| weight > 0.0) => {
            Ok([x, y, width, height].map(|weight| weight as f32))
        }
        _ => Err(arguments.wrong(BOX_WEIGHTS, "a list of four numbers above 0")),
    }
}

impl Architecture for Rcnn {
    fn image_size(&self) -> [usize; 2] {
        self.detector.transform.usual_size()
    }

    fn detector(&self) -> Option<&Detector> {
        Some(&self.detector)
    }

    fn regions(&self) -> Option<&dyn Regions> {
        Some(self)
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
        let root = "backbone.body.";
        let maps = if self.is_mobile {
            let blocks = mobilenet_v3::LARGE.with_epsilon(self.epsilon);
            let all = blocks.describe(network, checkpoint, root, image)?;
            MOBILE_MAPS.map(|index| all[index]).to_vec()
        } else {
            let resnet = Described::new(checkpoint).with_epsilon(self.epsilon);
            resnet.all_features(network, root, image)?.to_vec()
        };
        let mut maps = pyramid(network, layers, &maps)?;
        let features = maps
            .iter()
            .map(|&map| network.to_tokens(map))
            .collect::<Result<_>>()?;
        add_halved(network, &mut maps)?;
        for index in 0..MOST_LAYERS {
            let name = grouped(layers, &format!("rpn.head.conv.{index}"), "rpn.head.conv");
            if index > 0 && !name.ends_with(".0") {
                break;
            }
            let convolved = layers.convolve_each(network, &name, &maps, Steps::ONE)?;
            maps = convolved
                .into_iter()
                .map(|map| network.relu(map))
                .collect::<Result<_>>()?;
        }
        let logits = layers.convolve_each(network, "rpn.head.cls_logits", &maps, Steps::ONE)?;
        let differences = layers.convolve_each(network, "rpn.head.bbox_pred", &maps, Steps::ONE)?;
        check_boxes(network, &self.detector, 1, &logits, &differences)?;
        Ok(Outputs::Regions {
            features,
            logits,
            differences,
        })
    }
}

impl Regions for Rcnn {
    fn look(&self) -> &Look {
        &self.look
    }

    fn convolutions(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        features: Value,
    ) -> Result<Option<Value>> {
        let layers = Layers::new(checkpoint);
        let count = convolutions(layers);
        if count == 0 {
            return Ok(None);
        }
        let mut x = features;
        for index in 0..count {
            x = layers.sequence(network, &format!("roi_heads.box_head.{index}."), 0, x, Steps::ONE)?;
            x = network.relu(x)?;
        }
        Ok(Some(x))
    }

    fn boxes(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        regions: Value,
    ) -> Result<[Value; 2]> {
        let layers = Layers::new(checkpoint);
        // Between the convolutions and the layer is one that flattens.
        let linear = match convolutions(layers) {
            0 => vec!["fc6".to_owned(), "fc7".to_owned()],
            count => vec![(count + 1).to_string()],
        };
        let mut x = regions;
        for name in linear {
            x = layers.linear(network, &format!("roi_heads.box_head.{name}"), x)?;
            x = network.relu(x)?;
        }
        let classes = self.look.classes;
        let [found, _] = layers.dims("roi_heads.box_predictor.cls_score")?;
        if found != classes {
            return Err(super::unfit_classes(found, classes));
        }
        Ok([
            network.linear("roi_heads.box_predictor.cls_score", x, classes)?,
            network.linear("roi_heads.box_predictor.bbox_pred", x, 4 * classes)?,
        ])
    }

    fn details(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        features: Value,
    ) -> Result<Option<Value>> {
        let layers = Layers::new(checkpoint);
        match self.look.details {
            Details::Nothing => Ok(None),
            Details::Masks => masks(network, layers, self.look.classes, features).map(Some),
            Details::Keypoints => keypoints(network, layers, self.keypoints, features).map(Some),
        }
    }
}

/// How many convolutions there are before a region's class is found.
fn convolutions(layers: Layers<'_>) -> usize {
    (0..MOST_LAYERS)
        .take_while(|index| layers.has(&format!("roi_heads.box_head.{index}.0")))
        .count()
}

/// Logits of the pixels of each class, twice as many along each side as there are features.
fn masks(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    classes: usize,
    features: Value,
) -> Result<Value> {
    let mut x = features;
    for index in 0..MOST_LAYERS {
        let group = format!("roi_heads.mask_head.{index}");
        let name = grouped(
            layers,
            &group,
            &format!("roi_heads.mask_head.mask_fcn{}", index + 1),
        );
        if index > 0 && !layers.has(&name) {
            break;
        }
        x = layers.convolve(network, &name, x, Steps::ONE)?;
        let norm = format!("{group}.1");
        if layers.has(&norm) {
            x = network.batch_norm(&norm, x)?;
        }
        x = network.relu(x)?;
    }
    let name = "roi_heads.mask_predictor.conv5_mask";
    let [_, channels, ..] = layers.dims::<4>(name)?;
    x = network.conv_transpose2d(name, x, ConvTranspose2d::new(channels, 2, 2))?;
    x = network.relu(x)?;
    let [found, ..] = layers.dims::<4>("roi_heads.mask_predictor.mask_fcn_logits")?;
    let x = layers.convolve(network, "roi_heads.mask_predictor.mask_fcn_logits", x, Steps::ONE)?;
    if found == classes {
        Ok(x)
    } else {
        Err(super::unfit_classes(found, classes))
    }
}

/// Logits of the places of each point, four times as many along each side as there are features.
fn keypoints(
    network: &mut NetworkBuilder<'_>,
    layers: Layers<'_>,
    count: usize,
    features: Value,
) -> Result<Value> {
    let mut x = features;
    // An activation is between two convolutions.
    for index in (0..MOST_LAYERS).step_by(2) {
        let name = format!("roi_heads.keypoint_head.{index}");
        if index > 0 && !layers.has(&name) {
            break;
        }
        x = layers.convolve(network, &name, x, Steps::ONE)?;
        x = network.relu(x)?;
    }
    let name = "roi_heads.keypoint_predictor.kps_score_lowres";
    x = network.conv_transpose2d(name, x, ConvTranspose2d::new(count, 4, 2).padding(1))?;
    network.upsample(x, 2, Interpolation::Bilinear { align_corners: false })
}
