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
/// The processor of classifiers.
const CLASSIFIER: &str = "ClassifierOutputProcessor";
/// The processor of segmenters.
const SEGMENTER: &str = "SemanticSegmenterOutputProcessor";

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
    check_processor(&config, function)?;
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
    if is_segmenter(function) && !arguments.has("num_classes") && !super::classes::has_labels(&config) {
        // torchvision's segmenters know the classes of VOC.
        config = config.with("mask_targets_path", Value::from(super::classes::VOC_FILE));
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
fn check_processor(config: &Config, function: &str) -> Result<()> {
    let is_segmenter = is_segmenter(function);
    let (fitting, expected) = if is_segmenter {
        (SEGMENTER, "FiftyOne's SemanticSegmenterOutputProcessor")
    } else {
        (CLASSIFIER, "FiftyOne's ClassifierOutputProcessor")
    };
    let processor = config.text("output_processor_cls")?;
    if processor.is_some_and(|name| name.rsplit('.').next() != Some(fitting)) {
        return Err(config.unsupported("output_processor_cls", expected));
    }
    let arguments = config.section_or_empty("output_processor_args")?;
    if is_segmenter && arguments.flag("no_background_cls", false)? {
        return Err(arguments.unsupported("no_background_cls", "false"));
    }
    Ok(())
}

fn is_segmenter(function: &str) -> bool {
    let path = function.strip_prefix(TORCHVISION);
    path.is_some_and(|path| path.starts_with(SEGMENTATION))
}
