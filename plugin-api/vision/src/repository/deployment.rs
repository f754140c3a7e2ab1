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
/// The processor of classifiers, which is what runs here.
const CLASSIFIER: &str = "ClassifierOutputProcessor";

pub(super) fn read(weights: &Path, config: Config) -> Result<Repository> {
    let processor = config.text("output_processor_cls")?;
    if processor.is_some_and(|name| name.rsplit('.').next() != Some(CLASSIFIER)) {
        return Err(config.unsupported("output_processor_cls", "FiftyOne's ClassifierOutputProcessor"));
    }
    for key in ["raw_inputs", "as_feature_extractor"] {
        if config.flag(key, false)? {
            return Err(config.unsupported(key, "false"));
        }
    }
    let expected = "a function of torchvision.models, or timm.create_model,";
    let function = config
        .text("entrypoint_fcn")?
        .ok_or_else(|| config.wrong("entrypoint_fcn", expected))?;
    let arguments = config.section_or_empty("entrypoint_args")?;
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
