//! What a model does once it is loaded.

use super::Report;
use crate::commands::plugin::picture::as_image;
use anyhow::{Context as _, anyhow, ensure};
use modelzoo_data::{label::Fields, media::RgbImage};
use modelzoo_engine::zoo::{FoundModel, LoadSettings, PreparedModel, Zoo};
use modelzoo_plugin_api::{
    Array, Frame, MediaType, ModelInfo, Output, PredictOptions, VideoInfo, label::Label, message,
};
use modelzoo_runtime::{Frames, Isolation, Items, LoadedModel, RuntimeError};
use std::collections::BTreeSet;

/// A video to try a model on has so many frames.
const FRAMES: u64 = 4;

/// Gets the model's weights, loads it in a worker and in this process, and compares what it does.
pub fn check(
    zoo: &Zoo,
    found: &FoundModel,
    settings: &LoadSettings,
    picture: &RgbImage,
    report: &mut Report,
) {
    let mut verdicts = Verdicts {
        model: found.entry.name(),
        report,
    };
    let prepared = zoo.prepare_model(found, settings);
    let remedy = "see `base_filename` and `manager` in manifest.json";
    let Some(prepared) = verdicts.value("weights", prepared, remedy) else {
        return;
    };
    if prepared.weights.exists() {
        verdicts.good("weights", prepared.weights.display().to_string());
    }
    let load = |isolation| load(zoo, &prepared, settings, isolation);
    // Worker first: a model that crashes takes only its worker along, and is not tried in this process.
    let model = load(Isolation::Process);
    let Some(model) = verdicts.value("load", model, "see the crate's `load_model`") else {
        return;
    };
    let steady = verdicts.ask(model.as_ref(), picture);
    drop(model);
    if let Some(first) = steady {
        verdicts.compare(
            "predict in-process",
            &first,
            load(Isolation::None).and_then(|model| predict(model.as_ref(), picture)),
            "a model must not depend on the process that it is in, such as its environment or current folder",
        );
    }
}

/// The verdicts on one model.
struct Verdicts<'a> {
    model: String,
    report: &'a mut Report,
}

impl Verdicts<'_> {
    /// Asks a loaded model for all that it can do. Gives its prediction, if that is the same when it is asked again.
    fn ask(&mut self, model: &dyn LoadedModel, picture: &RgbImage) -> Option<Output> {
        let api = &model.plugin().api_version;
        self.good("load", format!("in a worker; built with API {api}"));
        self.good("describe", describe(model.info()));
        let first = self.value("predict", predict(model, picture), "see the model's `predict`")?;
        self.good("predict", outline(&first));
        let is_steady = self.compare(
            "predict again",
            &first,
            predict(model, picture),
            "a model must not keep anything of one picture for the next, nor depend on chance",
        );
        if model.info().knows(message::PREDICT_PREPARED) {
            self.compare(
                "preprocess apart",
                &first,
                predict_prepared(model, picture),
                "`preprocess` and `predict_prepared` must together do what `predict` does",
            );
        }
        if model.info().has_embeddings {
            let embedding = embedding(model, picture);
            if let Some(length) = self.value("embed", embedding, "see the model's `embed`") {
                self.good("embed", format!("{length} numbers"));
            }
        }
        is_steady.then_some(first)
    }

    /// Whether a prediction, made in another way, is the same as the first.
    fn compare(&mut self, what: &str, first: &Output, other: anyhow::Result<Output>, remedy: &str) -> bool {
        let Some(other) = self.value(what, other, remedy) else {
            return false;
        };
        let (name, is_same) = (self.name_of(what), other == *first);
        if is_same {
            self.report.good(name, "the same result");
        } else {
            let detail = "another result, or one with values that are no numbers";
            self.report.bad(name, detail, remedy);
        }
        is_same
    }

    /// The value of a result; an error is a verdict.
    fn value<T>(
        &mut self,
        what: &str,
        result: Result<T, impl Into<anyhow::Error>>,
        remedy: &str,
    ) -> Option<T> {
        let name = self.name_of(what);
        result
            .map_err(|error| self.report.error(name, error, remedy))
            .ok()
    }

    fn good(&mut self, what: &str, detail: impl Into<String>) {
        let name = self.name_of(what);
        self.report.good(name, detail);
    }

    fn name_of(&self, what: &str) -> String {
        format!("{}: {what}", self.model)
    }
}

/// Loads the model, and makes it ready if it has to be.
fn load(
    zoo: &Zoo,
    prepared: &PreparedModel,
    settings: &LoadSettings,
    isolation: Isolation,
) -> anyhow::Result<Box<dyn LoadedModel>> {
    let settings = LoadSettings {
        isolation,
        ..settings.clone()
    };
    let model = zoo.load_model(prepared, &settings)?;
    if model.info().knows(message::SETUP) {
        model.setup()?;
    }
    Ok(model)
}

/// What the model says of itself, in a line.
fn describe(info: &ModelInfo) -> String {
    let mut facts = vec![match info.media_type {
        MediaType::Video => "takes videos".to_owned(),
        _ => "takes pictures".to_owned(),
    }];
    let mut count = |number: usize, what: &str| {
        if number > 0 {
            facts.push(format!("{number} {what}"));
        }
    };
    count(info.classes.len(), "classes");
    count(info.keypoints.len(), "keypoints");
    for (is_so, what) in [(info.has_embeddings, "embeddings"), (info.has_logits, "logits")] {
        if is_so {
            facts.push(what.to_owned());
        }
    }
    if !info.needed_fields.is_empty() {
        facts.push(format!("can use the fields {}", info.needed_fields.join(", ")));
    }
    facts.join(", ")
}

/// A prediction by the way that the model is made for.
fn predict(model: &dyn LoadedModel, picture: &RgbImage) -> anyhow::Result<Output> {
    let options = PredictOptions::default();
    if model.info().media_type == MediaType::Video {
        let (info, frames) = video(picture);
        let result = model.predict_video(&info, frames, &options)?;
        return result.map_err(|error| anyhow!("{error}"));
    }
    only(model.predict(
        &[as_image(picture).map_err(|error| anyhow!("{error}"))?],
        &options,
    ))
}

fn predict_prepared(model: &dyn LoadedModel, picture: &RgbImage) -> anyhow::Result<Output> {
    let image = as_image(picture).map_err(|error| anyhow!("{error}"))?;
    let prepared = only(model.preprocess(&[image]))?;
    only(model.predict_prepared(&[prepared], &PredictOptions::default()))
}

/// The picture as a short video that does not move.
fn video(picture: &RgbImage) -> (VideoInfo, Frames) {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let mut info = VideoInfo::default();
    (info.width, info.height) = (width, height);
    info.frame_rate = 1.0;
    info.frame_count = Some(FRAMES);
    info.duration = Some(FRAMES as f64);
    let pixels = picture.data.clone();
    let frame = move |number: u64| Frame::new(number, (number - 1) as f64, width, height, pixels.clone());
    (info, Box::new((1..=FRAMES).map(frame)))
}

/// How long the embedding is, if it is one of numbers.
fn embedding(model: &dyn LoadedModel, picture: &RgbImage) -> anyhow::Result<usize> {
    let array: Array = if model.info().media_type == MediaType::Video {
        let (info, frames) = video(picture);
        let result = model.embed_video(&info, frames)?;
        result.map_err(|error| anyhow!("{error}"))?
    } else {
        let image = as_image(picture).map_err(|error| anyhow!("{error}"))?;
        only(model.embed(&[image]))?
    };
    let numbers = array.to_f64();
    ensure!(!numbers.is_empty(), "the embedding is empty");
    ensure!(
        numbers.iter().all(|number| number.is_finite()),
        "the embedding has infinite values, or some that are no numbers"
    );
    Ok(numbers.len())
}

/// The result of a batch of one.
fn only<T>(items: Result<Items<T>, RuntimeError>) -> anyhow::Result<T> {
    let item = items?.into_iter().next().context("the model gave no result")?;
    item.map_err(|error| anyhow!("{error}"))
}

/// The kinds of labels in an output, by the field's name.
fn outline(output: &Output) -> String {
    let Ok(fields) = Fields::from_output(output.clone(), "label") else {
        return "frames that are not counted from 1".to_owned();
    };
    let describe = |(name, label): (&String, &Label)| format!("{name}: {}", kind(label));
    let mut parts: Vec<String> = fields.sample.iter().map(describe).collect();
    if !fields.frames.is_empty() {
        let kinds: BTreeSet<String> = fields.frames.values().flatten().map(describe).collect();
        let kinds: Vec<String> = kinds.into_iter().collect();
        parts.push(format!(
            "{} frames with {}",
            fields.frames.len(),
            kinds.join(", ")
        ));
    }
    if parts.is_empty() {
        return "nothing".to_owned();
    }
    parts.join(", ")
}

/// A label's type as FiftyOne calls it, with how much there is of it.
fn kind(label: &Label) -> String {
    match label {
        Label::Regression(_) => "Regression".to_owned(),
        Label::Classification(label) => {
            format!("Classification {:?}", label.label.as_deref().unwrap_or_default())
        }
        Label::Classifications(labels) => format!("Classifications ({})", labels.classifications.len()),
        Label::Detection(_) => "Detection".to_owned(),
        Label::Detections(labels) => format!("Detections ({})", labels.detections.len()),
        Label::Polyline(_) => "Polyline".to_owned(),
        Label::Polylines(labels) => format!("Polylines ({})", labels.polylines.len()),
        Label::Keypoint(_) => "Keypoint".to_owned(),
        Label::Keypoints(labels) => format!("Keypoints ({})", labels.keypoints.len()),
        Label::Segmentation(_) => "Segmentation".to_owned(),
        Label::Heatmap(_) => "Heatmap".to_owned(),
        Label::TemporalDetection(_) => "TemporalDetection".to_owned(),
        Label::TemporalDetections(labels) => format!("TemporalDetections ({})", labels.detections.len()),
        Label::GeoLocation(_) => "GeoLocation".to_owned(),
        Label::Vector(_) => "Vector".to_owned(),
        Label::Value(_) => "a value".to_owned(),
        _ => "a label of a newer version".to_owned(),
    }
}
