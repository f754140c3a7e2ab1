//! Models that a manifest describes in the words of FiftyOne's `TorchImageModelConfig`: a function of torchvision or timm,
//! or a class of the authors' own code, that would make the network, and what is done before and behind it. These are names
//! here, and never run.

use super::{Config, Form, Repository};
use modelzoo_plugin_api::Result;
use serde_json::Value;
use std::path::Path;

/// The function that makes a network of timm.
const TIMM: &str = "timm.create_model";
/// Before the functions of torchvision.
const TORCHVISION: &str = "torchvision.models.";
/// Between them and the names of segmenters.
const SEGMENTATION: &str = "segmentation.";
/// Between them and the names of detectors.
const DETECTION: &str = "detection.";

/// The classes of networks that find what stands out: those of U2-Net's and of IS-Net's authors, in whichever module.
const SALIENCY: [&str; 4] = ["U2NET", "U2NETP", "ISNetDIS", "BriaRMBG"];

/// The names of the functions of detectors that count objects only begin so: those of YOLOX's and of NanoDet's authors.
const COUNTING: [&str; 2] = ["yolox_", "nanodet_"];

/// What kind of network a function makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Classifier,
    Segmenter,
    Detector,
    InstanceSegmenter,
    KeypointDetector,
    SaliencyFinder,
    CountingDetector,
}

impl Kind {
    fn of(function: &str) -> Self {
        match function.strip_prefix(TORCHVISION) {
            Some(path) if path.starts_with(SEGMENTATION) => Self::Segmenter,
            Some(path) if path.starts_with(DETECTION) => match last_part(path).split('_').next() {
                Some("maskrcnn") => Self::InstanceSegmenter,
                Some("keypointrcnn") => Self::KeypointDetector,
                _ => Self::Detector,
            },
            None if SALIENCY.contains(&last_part(function)) => Self::SaliencyFinder,
            None if COUNTING.iter().any(|name| last_part(function).starts_with(name)) => {
                Self::CountingDetector
            }
            _ => Self::Classifier,
        }
    }

    /// The processor of FiftyOne that fits.
    fn processor(self) -> &'static str {
        match self {
            Self::Classifier => "ClassifierOutputProcessor",
            Self::Segmenter | Self::SaliencyFinder => "SemanticSegmenterOutputProcessor",
            Self::Detector | Self::CountingDetector => "DetectorOutputProcessor",
            Self::InstanceSegmenter => "InstanceSegmenterOutputProcessor",
            Self::KeypointDetector => "KeypointDetectorOutputProcessor",
        }
    }

    /// The classes that published weights know, as a manifest would name them.
    fn labels(self) -> Option<(&'static str, String)> {
        let named = |key, labels: &str| Some((key, labels.to_owned()));
        match self {
            Self::Classifier | Self::SaliencyFinder => None,
            Self::Segmenter => named("mask_targets_path", super::classes::VOC_FILE),
            Self::Detector | Self::InstanceSegmenter => named("labels_path", super::classes::COCO_FILE),
            Self::KeypointDetector => named("labels_string", "no person,person"),
            Self::CountingDetector => Some(("labels_string", super::classes::coco_80())),
        }
    }
}

pub(super) fn read(weights: &Path, config: Config) -> Result<Repository> {
    for key in ["raw_inputs", "as_feature_extractor"] {
        if config.flag(key, false)? {
            return Err(config.unsupported(key, "false"));
        }
    }
    let expected = "a function of torchvision.models, timm.create_model, or the name of another author's class that is known here,";
    let function = config
        .text("entrypoint_fcn")?
        .ok_or_else(|| config.wrong("entrypoint_fcn", expected))?
        .to_owned();
    let function = function.as_str();
    let arguments = config.section_or_empty("entrypoint_args")?;
    let kind = Kind::of(function);
    check_processor(&config, kind)?;
    let (form, name) = if function == TIMM {
        let name = arguments.text("model_name")?;
        (
            Form::Timm,
            name.ok_or_else(|| arguments.wrong("model_name", "a name of timm"))?,
        )
    } else {
        let form = if matches!(kind, Kind::SaliencyFinder | Kind::CountingDetector) {
            Form::Class
        } else if function.starts_with(TORCHVISION) {
            Form::Torchvision
        } else {
            return Err(config.unsupported("entrypoint_fcn", expected));
        };
        (form, last_part(function))
    };
    let mut config = config;
    let is_unnamed = !arguments.has("num_classes") && !super::classes::has_labels(&config);
    if let Some((key, labels)) = kind.labels().filter(|_| is_unnamed) {
        config = config.with(key, Value::from(labels));
    }
    let classes = arguments.count("num_classes", 1000)?;
    let described = config
        .clone()
        .with("architecture", Value::from(name))
        .with("num_classes", Value::from(classes));
    Ok(Repository {
        folder: weights.to_owned(),
        form,
        config: described.clone(),
        processor: described,
    })
}

/// What a path with dots leads to.
fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

/// Each kind of network has one processor of FiftyOne that fits it.
fn check_processor(config: &Config, kind: Kind) -> Result<()> {
    let processor = config.text("output_processor_cls")?;
    let fitting = kind.processor();
    if processor.is_some_and(|name| name.rsplit('.').next() != Some(fitting)) {
        return Err(config.unsupported("output_processor_cls", &format!("FiftyOne's {fitting}")));
    }
    let arguments = config.section_or_empty("output_processor_args")?;
    if matches!(kind, Kind::Segmenter | Kind::SaliencyFinder) && arguments.flag("no_background_cls", false)? {
        return Err(arguments.unsupported("no_background_cls", "false"));
    }
    Ok(())
}
