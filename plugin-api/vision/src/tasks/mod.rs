//! What models do with the outputs of their networks, once for all architectures.

mod depth;
mod detection;
mod pictures;
mod segmentation;
mod zero_shot;

use crate::{
    architectures::Task,
    processing::Processing,
    repository::{Repository, class_names},
    runner::Runner,
    settings::Settings,
};
use depth::Depth;
use detection::{Detector, Judgement};
use modelzoo_plugin_api::{Model, Result};
use pictures::Pictures;
use segmentation::Segmenter;
use zero_shot::ZeroShot;

/// The `problem_type` of pictures that may have several classes.
const MULTI_LABEL: &str = "multi_label_classification";

/// The model that a network makes with its preprocessing and the names of its classes.
///
/// # Errors
/// When the settings do not fit the task.
pub(crate) fn model(
    repository: &Repository,
    settings: &Settings,
    processing: Processing,
    runner: Runner,
) -> Result<Box<dyn Model>> {
    let classes = || -> Result<Vec<String>> { Ok(class_names(repository)?.unwrap_or_default()) };
    Ok(match runner.task() {
        Task::Embedding if runner.text().is_some() => {
            Box::new(ZeroShot::new(&repository.folder, processing, runner, settings)?)
        }
        Task::Embedding => Box::new(Pictures::new(processing, runner, None, false, settings)?),
        Task::Classification => {
            let is_each_judged = repository.config.text("problem_type")? == Some(MULTI_LABEL);
            let classes = Some(classes()?);
            Box::new(Pictures::new(
                processing,
                runner,
                classes,
                is_each_judged,
                settings,
            )?)
        }
        Task::Detection { are_exclusive } => {
            let judgement = if are_exclusive {
                Judgement::Exclusive
            } else {
                Judgement::Each
            };
            Box::new(Detector::new(processing, runner, classes()?, judgement, settings))
        }
        Task::Segmentation => Box::new(Segmenter::new(processing, runner, classes()?)?),
        Task::Depth => Box::new(Depth::new(processing, runner)),
    })
}
