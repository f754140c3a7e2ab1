//! Models that a manifest describes in the words of FiftyOne's `TorchImageModelConfig`: a function of torchvision or timm
//! that would make the network, and what is done before and behind it. The functions are names here, and never run.

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

/// What kind of network a function makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Classifier,
    Segmenter,
    Detector,
    InstanceSegmenter,
    KeypointDetector,
}

impl Kind {
    fn of(function: &str) -> Self {
        match function.strip_prefix(TORCHVISION) {
            Some(path) if path.starts_with(SEGMENTATION) => Self::Segmenter,
            Some(path) if path.starts_with(DETECTION) => {
                let name = path.rsplit('.').next().unwrap_or_default();
                match name.split('_').next() {
                    Some("maskrcnn") => Self::InstanceSegmenter,
                    Some("keypointrcnn") => Self::KeypointDetector,
                    _ => Self::Detector,
                }
            }
            _ => Self::Classifier,
        }
    }

    /// The processor of FiftyOne that fits.
    fn processor(self) -> &'static str {
        match self {
            Self::Classifier => "ClassifierOutputProcessor",
            Self::Segmenter => "SemanticSegmenterOutputProcessor",
            Self::Detector => "DetectorOutputProcessor",
            Self::InstanceSegmenter => "InstanceSegmenterOutputProcessor",
            Self::KeypointDetector => "KeypointDetectorOutputProcessor",
        }
    }

    /// The classes that torchvision's own weights know, as a manifest would name them.
    fn labels(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Classifier => None,
            Self::Segmenter => Some(("mask_targets_path", super::classes::VOC_FILE)),
            Self::Detector | Self::InstanceSegmenter => Some(("labels_path", super::classes::COCO_FILE)),
            Self::KeypointDetector => Some(("labels_string", "no person,person")),
        }
    }
}

pub(super) fn read(weights: &Path, config: Config) -> Result<Repository> {
    for key in ["raw_inputs", "as_feature_extractor"] {
        if config.flag(key, false)? {
            return Err(config.unsupported(key, "false"));
        }
    }
    let expected = "a function of torchvision.models, or timm.create_model,";
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
        let name = function
            .strip_prefix(TORCHVISION)
            .and_then(|path| path.rsplit('.').next());
        let name = name.ok_or_else(|| config.unsupported("entrypoint_fcn", expected))?;
        (Form::Torchvision, name)
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

/// Each kind of network has one processor of FiftyOne that fits it.
fn check_processor(config: &Config, kind: Kind) -> Result<()> {
    let processor = config.text("output_processor_cls")?;
    let fitting = kind.processor();
    if processor.is_some_and(|name| name.rsplit('.').next() != Some(fitting)) {
        return Err(config.unsupported("output_processor_cls", &format!("FiftyOne's {fitting}")));
    }
    let arguments = config.section_or_empty("output_processor_args")?;
    if kind == Kind::Segmenter && arguments.flag("no_background_cls", false)? {
        return Err(arguments.unsupported("no_background_cls", "false"));
    }
    Ok(())
}
