//! What models do with the outputs of their networks, once for all architectures.

mod boxes;
mod defaults;
mod depth;
mod detection;
mod enlarged;
mod everything;
mod given;
mod given_points;
mod heatmaps;
mod lines;
mod maps;
mod mask_maker;
mod masked_detection;
mod masks;
mod named_detection;
mod names;
mod outlines;
mod pictures;
mod poses;
mod prompted;
mod queries;
mod regions;
mod saliency;
mod segmentation;
mod text_detection;
mod text_recognition;
mod zero_shot;

use crate::{
    architectures::{Detector, Task},
    processing::Processing,
    repository::{Repository, class_names},
    runner::Runner,
    settings::Settings,
};
use boxes::BoxDetector;
use defaults::Defaults;
use depth::Depth;
use detection::{Judgement, ObjectDetector};
use masked_detection::MaskedDetector;
use modelzoo_plugin_api::{Error, Model, Result};
use named_detection::NamedDetector;
use pictures::Pictures;
use poses::PoseFinder;
use prompted::PromptedSegmenter;
use queries::QuerySegmenter;
use regions::RegionDetector;
use saliency::SaliencyFinder;
use segmentation::Segmenter;
use text_detection::TextDetector;
use text_recognition::TextReader;
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
            Box::new(ObjectDetector::new(
                processing,
                runner,
                classes()?,
                judgement,
                settings,
            ))
        }
        Task::NamedDetection => Box::new(NamedDetector::new(
            &repository.folder,
            processing,
            runner,
            settings,
        )?),
        Task::BoxDetection { maps } => {
            let detector = detector(&runner, settings)?;
            let defaults = Defaults::read(repository, settings)?;
            Box::new(BoxDetector::new(
                processing,
                runner,
                classes()?,
                (detector, maps),
                defaults,
            ))
        }
        Task::RegionDetection { maps, features } => {
            let detector = detector(&runner, settings)?;
            let defaults = Defaults::read(repository, settings)?;
            Box::new(RegionDetector::new(
                processing,
                runner,
                classes()?,
                (detector, [features, maps]),
                defaults,
                mask_threshold(repository)?,
            ))
        }
        Task::Segmentation => Box::new(Segmenter::new(processing, runner, classes()?)?),
        Task::Saliency => Box::new(SaliencyFinder::new(repository, processing, runner, settings)?),
        Task::Depth => Box::new(Depth::new(processing, runner)),
        Task::TextDetection => Box::new(TextDetector::new(processing, runner, classes()?, settings)),
        Task::MaskedDetection => Box::new(MaskedDetector::new(processing, runner, classes()?, settings)),
        Task::PromptedMasks { .. } => Box::new(PromptedSegmenter::new(processing, runner, settings)?),
        Task::QueryMasks => Box::new(QuerySegmenter::new(processing, runner, classes()?, settings)?),
        Task::Pose => Box::new(PoseFinder::new(repository, processing, runner, classes()?)?),
        Task::TextRecognition => Box::new(TextReader::new(repository, processing, runner)?),
    })
}

/// How a network finds objects by boxes around places, with pictures of another size where the user wants it.
fn detector(runner: &Runner, settings: &Settings) -> Result<Detector> {
    let detector = runner
        .detector()
        .ok_or_else(|| Error::new("the network says nothing of its boxes"))?;
    let mut detector = detector.clone();
    if let Some(size) = settings.image_size {
        detector.transform = detector.transform.with_size(size.sides())?;
    }
    Ok(detector)
}

/// A pixel belongs to an object where its mask is above this: an argument of FiftyOne's processor.
fn mask_threshold(repository: &Repository) -> Result<f32> {
    const DEFAULT: f64 = 0.5;
    let arguments = repository.config.section_or_empty("output_processor_args")?;
    Ok(arguments.number("mask_thresh")?.unwrap_or(DEFAULT) as f32)
}
