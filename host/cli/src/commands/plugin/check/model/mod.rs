//! What a model does once it is loaded.

mod answers;
mod compare;
mod expected;
mod habits;
mod labels;
mod outline;

use super::{Report, rules};
use crate::{
    commands::abilities::{describe, predicts},
    terminal::Result,
};
use answers::{embed, numbers, only, predict, predict_prepared, said};
use indicatif::HumanBytes;
use modelzoo::{
    Isolation, LoadSettings, LoadedModel, Model, ModelRef, Plan, RuntimeError, Zoo, ZooError,
    manifest::ModelEntry,
    media::RgbImage,
    plugin_api::{Array, ErrorKind, Output, message},
};
use outline::outline;
use std::path::Path;

/// An option that no model has.
const UNKNOWN_OPTION: &str = "no_such_option";

/// Gets the model's weights, loads it in a worker and in this process, and compares what it does: with itself, on a picture,
/// and with what a file says that is expected, where there is one.
pub fn check(
    zoo: &Zoo,
    model: &ModelRef,
    entry: &ModelEntry,
    settings: &LoadSettings,
    (picture, expected): (&RgbImage, Option<&Path>),
    report: &mut Report,
) {
    let broken_before = report.broken();
    let downloaded = zoo.plan_download(model, settings, false).and_then(Plan::execute);
    let Some(downloaded) = report.value(&rules::WEIGHTS, downloaded) else {
        return;
    };
    if downloaded.weights.exists() {
        report.good(&rules::WEIGHTS, downloaded.weights.display().to_string());
        check_size(&downloaded.weights, entry, report);
    }
    // Worker first: a model that crashes takes only its worker along, and is not tried in this process.
    let loaded = load(zoo, model, settings, Isolation::Process);
    let Some(loaded) = report.value(&rules::LOAD, loaded) else {
        return;
    };
    let answers = ask(loaded.loaded(), picture, report);
    if let Some(expected) = expected {
        expected::check(&loaded, expected, report);
    }
    drop(loaded);
    refuse_unknown_options(zoo, model, settings, report);
    if report.broken() == broken_before {
        let load = || load(zoo, model, settings, Isolation::None);
        ask_in_process(&answers, load, picture, report);
    }
}

/// What a model answered first; nothing where it does not claim to be able to.
#[derive(Default)]
struct Answers {
    prediction: Option<Output>,
    embedding: Option<Array>,
}

fn check_size(weights: &Path, entry: &ModelEntry, report: &mut Report) {
    let file = fs_err::metadata(weights)
        .ok()
        .filter(|metadata| metadata.is_file());
    let (Some(declared), Some(file)) = (entry.size_bytes, file) else {
        return;
    };
    if file.len() == declared {
        report.good(&rules::WEIGHTS_SIZE, HumanBytes(declared).to_string());
    } else {
        let detail = format!(
            "`size_bytes` is {declared}, and the file has {} bytes",
            file.len()
        );
        report.warning(&rules::WEIGHTS_SIZE, detail);
    }
}

/// Asks a loaded model for all that it says it can do, and again, for the same answers.
fn ask(model: &dyn LoadedModel, picture: &RgbImage, report: &mut Report) -> Answers {
    let api = &model.plugin().api_version;
    report.good(&rules::LOAD, format!("in a worker; built with API {api}"));
    let info = model.info();
    report.good(&rules::DESCRIBE, describe(info));
    if !predicts(info) && !info.has_embeddings {
        report.bad(
            &rules::ABILITIES,
            "it takes videos, and neither predicts nor embeds anything",
        );
    }
    let answers = Answers {
        prediction: first_prediction(model, picture, report),
        embedding: first_embedding(model, picture, report),
    };
    ask_prompts(model, answers.embedding.as_ref(), report);
    if answers.prediction.is_some() {
        habits::of_predictions(model, picture, report);
    }
    if let Some(embedding) = &answers.embedding {
        habits::of_embeddings(model, picture, embedding, report);
    }
    answers
}

/// The model's prediction, which has to be the same when it is asked again.
fn first_prediction(model: &dyn LoadedModel, picture: &RgbImage, report: &mut Report) -> Option<Output> {
    let info = model.info();
    if !predicts(info) {
        return None;
    }
    let first = match predict(model, picture) {
        Ok(Err(error)) if error.kind() == ErrorKind::Unsupported && info.has_embeddings => {
            report.good(&rules::PREDICT, format!("nothing: {error}"));
            return None;
        }
        Ok(Err(error)) if info.knows(message::PREDICT_SAMPLES) => {
            let fields = info.needed_fields.join(", ");
            report.warning(
                &rules::PREDICT,
                format!("not without the fields {fields}: {error}"),
            );
            return None;
        }
        result => report.value(&rules::PREDICT, said(result))?,
    };
    report.good(&rules::PREDICT, outline(&first));
    labels::check(&first, info, report);
    let again = said(predict(model, picture));
    compare::same(&rules::PREDICT_AGAIN, &first, again, report);
    if info.knows(message::PREDICT_PREPARED) {
        compare::same(
            &rules::PREPROCESS,
            &first,
            predict_prepared(model, picture),
            report,
        );
    }
    Some(first)
}

/// The model's embedding, which has to be the same when it is asked again.
fn first_embedding(model: &dyn LoadedModel, picture: &RgbImage, report: &mut Report) -> Option<Array> {
    if !model.info().has_embeddings {
        return None;
    }
    let first = report.value(&rules::EMBED, embed(model, picture))?;
    report.good(&rules::EMBED, format!("{} numbers", first.to_f64().len()));
    compare::same(&rules::EMBED_AGAIN, &first, embed(model, picture), report);
    Some(first)
}

/// That the model's embeddings of texts, where it has such, can be compared to those of pictures.
fn ask_prompts(model: &dyn LoadedModel, of_picture: Option<&Array>, report: &mut Report) {
    let rule = &rules::EMBED_PROMPTS;
    if !model.info().knows(message::EMBED_PROMPTS) {
        return;
    }
    let embedding = only(model.embed_prompts(&["a photograph".to_owned()]));
    let Some(embedding) = report.value(rule, said(embedding).and_then(numbers)) else {
        return;
    };
    let length = embedding.to_f64().len();
    let expected = of_picture.map(|array| array.to_f64().len());
    match expected {
        Some(expected) if expected != length => {
            report.bad(rule, format!("{length} numbers, where a picture has {expected}"));
        }
        _ => report.good(rule, format!("{length} numbers")),
    }
}

/// An option that no model has must be refused, as one that is misspelt has to be.
fn refuse_unknown_options(zoo: &Zoo, model: &ModelRef, settings: &LoadSettings, report: &mut Report) {
    let mut settings = settings.clone();
    settings.options.insert(UNKNOWN_OPTION.to_owned(), true.into());
    match zoo.load_with(model, &settings) {
        Ok(_) => report.warning(
            &rules::OPTIONS,
            format!("`{UNKNOWN_OPTION}=true` is taken without a word"),
        ),
        Err(ZooError::Runtime(RuntimeError::Plugin { error, .. }))
            if error.kind() == ErrorKind::InvalidOption =>
        {
            report.good(&rules::OPTIONS, "are refused");
        }
        Err(error) => report.error(&rules::OPTIONS, error),
    }
}

/// Asks the model in this process, for the same answers; by several threads at once; and once more after it was dropped.
fn ask_in_process(
    answers: &Answers,
    load: impl Fn() -> Result<Model>,
    picture: &RgbImage,
    report: &mut Report,
) {
    let broken_before = report.broken();
    for rule in [&rules::IN_PROCESS, &rules::RELOAD] {
        let Some(loaded) = report.value(rule, load()) else {
            return;
        };
        let model = loaded.loaded();
        if let Some(first) = &answers.prediction {
            compare::same(rule, first, said(predict(model, picture)), report);
        }
        if let Some(first) = &answers.embedding {
            compare::same(rule, first, embed(model, picture), report);
        }
        if report.broken() > broken_before {
            return;
        }
        if let (&rules::IN_PROCESS, Some(first)) = (rule, &answers.prediction) {
            habits::of_threads(model, picture, first, report);
        }
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
