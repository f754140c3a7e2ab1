//! What a model does once it is loaded.

use super::Report;
use crate::{
    commands::plugin::picture::as_image,
    terminal::{Failure, Result, ensure},
};
use modelzoo::{
    CallError, Fields, Frames, Isolation, Items, LoadSettings, LoadedModel, Model, ModelRef, Plan,
    RuntimeError, Zoo,
    media::RgbImage,
    plugin_api::{
        Array, ErrorKind, Frame, Image, MediaType, ModelInfo, Output, PredictOptions, VideoInfo,
        label::Label, message,
    },
};
use std::collections::BTreeSet;

/// A video to try a model on has so many frames.
const FRAMES: u64 = 4;

/// Gets the model's weights, loads it in a worker and in this process, and compares what it does.
pub fn check(
    zoo: &Zoo,
    model: &ModelRef,
    name: String,
    settings: &LoadSettings,
    picture: &RgbImage,
    report: &mut Report,
) {
    let mut verdicts = Verdicts {
        model: name,
        report,
        is_sound: true,
    };
    let downloaded = zoo.plan_download(model, settings, false).and_then(Plan::execute);
    let remedy = "see `base_filename` and `manager` in manifest.json";
    let Some(downloaded) = verdicts.value("weights", downloaded, remedy) else {
        return;
    };
    if downloaded.weights.exists() {
        verdicts.good("weights", downloaded.weights.display().to_string());
    }
    let load = |isolation| load(zoo, model, settings, isolation);
    // Worker first: a model that crashes takes only its worker along, and is not tried in this process.
    let loaded = load(Isolation::Process);
    let Some(loaded) = verdicts.value("load", loaded, "see the crate's `load_model`") else {
        return;
    };
    let answers = verdicts.ask(loaded.loaded(), picture);
    drop(loaded);
    if verdicts.is_sound {
        verdicts.ask_in_process(&answers, load(Isolation::None), picture);
    }
}

/// The verdicts on one model.
struct Verdicts<'a> {
    model: String,
    report: &'a mut Report,
    /// Whether none of them is bad.
    is_sound: bool,
}

/// What a model answered first; nothing where it does not claim to be able to.
#[derive(Default)]
struct Answers {
    prediction: Option<Output>,
    embedding: Option<Array>,
}

impl Verdicts<'_> {
    /// Asks a loaded model for all that it says it can do, and again, for the same answers.
    fn ask(&mut self, model: &dyn LoadedModel, picture: &RgbImage) -> Answers {
        let api = &model.plugin().api_version;
        self.good("load", format!("in a worker; built with API {api}"));
        let info = model.info();
        self.good("describe", describe(info));
        if !predicts(info) && !info.has_embeddings {
            self.bad(
                "abilities",
                "it takes videos, and neither predicts nor embeds anything",
                "write `Model::videos` or `Model::video_embeddings`",
            );
        }
        let answers = Answers {
            prediction: self.prediction(model, picture),
            embedding: self.embedding(model, picture),
        };
        self.prompts(model, answers.embedding.as_ref());
        answers
    }

    /// The model's prediction, which has to be the same when it is asked again.
    fn prediction(&mut self, model: &dyn LoadedModel, picture: &RgbImage) -> Option<Output> {
        let info = model.info();
        if !predicts(info) {
            return None;
        }
        let first = match predict(model, picture) {
            Ok(Err(error)) if error.kind() == ErrorKind::Unsupported && info.has_embeddings => {
                self.good("predict", format!("nothing: {error}"));
                return None;
            }
            Ok(Err(error)) if info.knows(message::PREDICT_SAMPLES) => {
                let name = self.name_of("predict");
                self.report.warning(
                    name,
                    format!(
                        "not without the fields {}: {error}",
                        info.needed_fields.join(", ")
                    ),
                    "try it with `modelzoo apply` and samples that have them",
                );
                return None;
            }
            result => self.value("predict", said(result), "see the model's `predict`")?,
        };
        self.good("predict", outline(&first));
        self.compare(
            "predict again",
            &first,
            said(predict(model, picture)),
            "a model must not keep anything of one picture for the next, nor depend on chance",
        );
        if info.knows(message::PREDICT_PREPARED) {
            self.compare(
                "preprocess apart",
                &first,
                predict_prepared(model, picture),
                "`preprocess` and `predict_prepared` must together do what `predict` does",
            );
        }
        Some(first)
    }

    /// The model's embedding, which has to be the same when it is asked again.
    fn embedding(&mut self, model: &dyn LoadedModel, picture: &RgbImage) -> Option<Array> {
        if !model.info().has_embeddings {
            return None;
        }
        let first = self.value("embed", embed(model, picture), "see the model's `embed`")?;
        self.good("embed", format!("{} numbers", first.to_f64().len()));
        self.compare(
            "embed again",
            &first,
            embed(model, picture),
            "a model must not keep anything of one picture for the next, nor depend on chance",
        );
        Some(first)
    }

    /// That the model's embeddings of texts, where it has such, can be compared to those of pictures.
    fn prompts(&mut self, model: &dyn LoadedModel, of_picture: Option<&Array>) {
        let name = "embed prompts";
        if !model.info().knows(message::EMBED_PROMPTS) {
            return;
        }
        let embedding = only(model.embed_prompts(&["a photograph".to_owned()]));
        let embedding = said(embedding).and_then(numbers);
        let Some(embedding) = self.value(name, embedding, "see the model's `embed_prompts`") else {
            return;
        };
        let (length, expected) = (
            embedding.to_f64().len(),
            of_picture.map(|array| array.to_f64().len()),
        );
        match expected {
            Some(expected) if expected != length => self.bad(
                name,
                format!("{length} numbers, where a picture has {expected}"),
                "embeddings of texts and pictures must have the same length to be compared",
            ),
            _ => self.good(name, format!("{length} numbers")),
        }
    }

    /// Asks the model in this process, for the same answers.
    fn ask_in_process(&mut self, answers: &Answers, model: Result<Model>, picture: &RgbImage) {
        let remedy =
            "a model must not depend on the process that it is in, such as its environment or current folder";
        let Some(model) = self.value("load in-process", model, remedy) else {
            return;
        };
        let model = model.loaded();
        if let Some(first) = &answers.prediction {
            self.compare("predict in-process", first, said(predict(model, picture)), remedy);
        }
        if let Some(first) = &answers.embedding {
            self.compare("embed in-process", first, embed(model, picture), remedy);
        }
    }

    /// Compares an answer that was had in another way with the first one.
    fn compare<T: PartialEq>(&mut self, what: &str, first: &T, other: Result<T>, remedy: &str) {
        let Some(other) = self.value(what, other, remedy) else {
            return;
        };
        if other == *first {
            self.good(what, "the same result");
        } else {
            self.bad(
                what,
                "another result, or one with values that are no numbers",
                remedy,
            );
        }
    }

    /// The value of a result; an error is a verdict.
    fn value<T>(&mut self, what: &str, result: Result<T, impl Into<Failure>>, remedy: &str) -> Option<T> {
        let name = self.name_of(what);
        result
            .map_err(|error| {
                self.is_sound = false;
                self.report.error(name, error, remedy);
            })
            .ok()
    }

    fn bad(&mut self, what: &str, detail: impl Into<String>, remedy: &str) {
        let name = self.name_of(what);
        self.is_sound = false;
        self.report.bad(name, detail, remedy);
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
fn load(zoo: &Zoo, model: &ModelRef, settings: &LoadSettings, isolation: Isolation) -> Result<Model> {
    let settings = LoadSettings {
        isolation,
        ..settings.clone()
    };
    let model = zoo.load_with(model, &settings)?;
    if model.info().knows(message::SETUP) {
        model.loaded().setup()?;
    }
    Ok(model)
}

/// Whether there is anything to predict: every model of pictures has to, but not every one of videos.
fn predicts(info: &ModelInfo) -> bool {
    info.media_type != MediaType::Video || info.knows(message::PREDICT_VIDEO)
}

/// What the model says of itself, in a line.
fn describe(info: &ModelInfo) -> String {
    let mut facts = vec![match info.media_type {
        MediaType::Video => "takes videos".to_owned(),
        _ => "takes pictures".to_owned(),
    }];
    if !predicts(info) {
        facts.push("no predictions".to_owned());
    }
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

/// What a model answered, or its own error; the outer error is for what keeps it from answering at all.
type Answer<T> = Result<Result<T, CallError>>;

/// A prediction by the way that the model is made for.
fn predict(model: &dyn LoadedModel, picture: &RgbImage) -> Answer<Output> {
    let options = PredictOptions::default();
    if model.info().media_type == MediaType::Video {
        let (info, frames) = video(picture);
        return Ok(model.predict_video(&info, frames, &options)?);
    }
    only(model.predict(&[image(picture)?], &options))
}

fn predict_prepared(model: &dyn LoadedModel, picture: &RgbImage) -> Result<Output> {
    let prepared = said(only(model.preprocess(&[image(picture)?])))?;
    said(only(
        model.predict_prepared(&[prepared], &PredictOptions::default()),
    ))
}

/// The embedding, which has to be one of numbers.
fn embed(model: &dyn LoadedModel, picture: &RgbImage) -> Result<Array> {
    let array = if model.info().media_type == MediaType::Video {
        ensure!(
            model.info().knows(message::EMBED_VIDEO),
            "it says that it has embeddings, but has none of whole videos: `Model::video_embeddings`"
        );
        let (info, frames) = video(picture);
        Ok(model.embed_video(&info, frames)?)
    } else {
        only(model.embed(&[image(picture)?]))
    };
    numbers(said(array)?)
}

/// An embedding, if it is one.
fn numbers(embedding: Array) -> Result<Array> {
    let numbers = embedding.to_f64();
    ensure!(!numbers.is_empty(), "the embedding is empty");
    ensure!(
        numbers.iter().all(|number| number.is_finite()),
        "the embedding has infinite values, or some that are no numbers"
    );
    Ok(embedding)
}

fn image(picture: &RgbImage) -> Result<Image<'_>> {
    Ok(as_image(picture).map_err(CallError::from)?)
}

/// The result of a batch of one.
fn only<T>(items: Result<Items<T>, RuntimeError>) -> Answer<T> {
    items?
        .into_iter()
        .next()
        .ok_or_else(|| Failure::new("the model gave no result"))
}

/// What the model answered; its own error is as good as any other.
fn said<T>(answer: Answer<T>) -> Result<T> {
    Ok(answer??)
}

/// The picture as a short video that does not move.
fn video(picture: &RgbImage) -> (VideoInfo, Frames) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut info = VideoInfo::default();
    (info.width, info.height) = (width, height);
    info.frame_rate = 1.0;
    info.frame_count = Some(FRAMES);
    info.duration = Some(FRAMES as f64);
    let pixels = picture.data().to_vec();
    let frame = move |number: u64| Frame::new(number, (number - 1) as f64, width, height, pixels.clone());
    (info, Box::new((1..=FRAMES).map(frame)))
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
