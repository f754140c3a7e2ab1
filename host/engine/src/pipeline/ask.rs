//! Asking the model, in batches.

use super::{
    open::borrow,
    plan::{Plan, Question},
    pool::Lease,
    step::{Answer, Step, Unit, vector},
    video,
};
use crate::{EngineError, ItemError, Place, sample::Sample};
use modelzoo_data::video::Video;
use modelzoo_plugin_api::{Error as PluginError, Image, Output, PredictOptions, PreparedImage, SampleFields};
use modelzoo_runtime::{CallError, Items, RuntimeError};

/// What the model is asked about together.
pub(super) enum Batch {
    /// Parts of samples.
    Parts {
        /// Everything that happens to the samples; the parts stand in `units`.
        steps: Vec<Step<()>>,
        /// As many as there are parts among the steps.
        units: Vec<Unit>,
    },
    /// A video that the model takes as it is, and the memory for its frames.
    Video(Box<Sample>, Video, Lease),
}

impl Batch {
    /// Asks the model; gives the steps with its answers.
    pub(super) fn answer(self, plan: &Plan<'_>) -> Result<Vec<Step<Answer>>, EngineError> {
        match self {
            Self::Parts { steps, units } => Ok(with_answers(steps, ask(plan, units)?)),
            Self::Video(sample, video, room) => {
                let mut steps = vec![Step::Begin(sample)];
                steps.extend(video::ask(plan, &video)?);
                steps.extend([Step::End, Step::Release(room)]);
                Ok(steps)
            }
        }
    }
}

/// Puts the answers where the parts were.
fn with_answers(steps: Vec<Step<()>>, answers: Vec<Answer>) -> Vec<Step<Answer>> {
    let mut answers = answers.into_iter();
    // There are as many answers as parts, so no step is lost.
    steps
        .into_iter()
        .filter_map(|step| step.map_part(|()| answers.next()))
        .collect()
}

/// How a part reaches the model. Parts are put into one batch when they go the same way.
#[derive(PartialEq)]
enum Way {
    /// As pixels; pictures may differ in size.
    Pixels,
    /// As pixels, beside fields of the sample.
    Fields,
    /// As the model's own input, of this shape: only equal shapes make one tensor.
    Prepared(Vec<usize>),
}

impl Way {
    fn of(unit: &Unit) -> Self {
        match &unit.prepared {
            Some(prepared) => Self::Prepared(prepared.input.shape().to_vec()),
            None if !unit.fields.is_empty() => Self::Fields,
            None => Self::Pixels,
        }
    }
}

/// Asks the model about each unit; the answers are in the units' order.
fn ask(plan: &Plan<'_>, mut units: Vec<Unit>) -> Result<Vec<Answer>, RuntimeError> {
    let mut ways: Vec<(Way, Vec<usize>)> = Vec::new();
    for (index, unit) in units.iter().enumerate() {
        let way = Way::of(unit);
        match ways.iter_mut().find(|(other, _)| *other == way) {
            Some((_, indices)) => indices.push(index),
            None => ways.push((way, vec![index])),
        }
    }
    let mut results: Vec<Option<Result<Output, CallError>>> = units.iter().map(|_| None).collect();
    for (way, indices) in ways {
        for indices in indices.chunks(plan.batch_size) {
            // The model's own inputs are as large as the pictures: they are moved, not copied.
            let prepared = indices
                .iter()
                .filter_map(|&index| units[index].prepared.take())
                .collect();
            let batch: Vec<&Unit> = indices.iter().map(|&index| &units[index]).collect();
            let answers = ask_batch(plan, &way, &batch, prepared)?;
            for (&index, answer) in indices.iter().zip(answers) {
                results[index] = Some(answer);
            }
        }
    }
    let answer = |(unit, result): (Unit, Option<Result<Output, CallError>>)| Answer {
        place: unit.place,
        slice: unit.slice,
        image: (unit.place == Place::default()).then_some(unit.image),
        result: result.unwrap_or_else(no_result).map_err(ItemError::Model),
    };
    Ok(units.into_iter().zip(results).map(answer).collect())
}

fn ask_batch(
    plan: &Plan<'_>,
    way: &Way,
    batch: &[&Unit],
    prepared: Vec<PreparedImage>,
) -> Result<Items<Output>, RuntimeError> {
    match (&plan.question, way) {
        (Question::Embed, _) => {
            let embeddings = plan.model.embed(&images(batch))?;
            Ok(embeddings.into_iter().map(|result| result.map(vector)).collect())
        }
        (Question::Predict(options), Way::Pixels) => plan.model.predict(&images(batch), options),
        (Question::Predict(options), Way::Fields) => predict_samples(plan, batch, options),
        (Question::Predict(options), Way::Prepared(_)) => plan.model.predict_prepared(&prepared, options),
    }
}

fn predict_samples(
    plan: &Plan<'_>,
    batch: &[&Unit],
    options: &PredictOptions,
) -> Result<Items<Output>, RuntimeError> {
    let fields = batch.iter().map(|unit| unit.fields.clone());
    let samples: Vec<(Image<'_>, SampleFields)> = images(batch).into_iter().zip(fields).collect();
    plan.model.predict_samples(&samples, options)
}

/// The pictures as plugins see them. A picture always has as many bytes as its size says, so none is left out.
fn images<'a>(batch: &[&'a Unit]) -> Vec<Image<'a>> {
    batch.iter().filter_map(|unit| borrow(&unit.image)).collect()
}

/// The runtime checks that there are as many results as pictures, so this only keeps a mistake there from a panic
/// here.
fn no_result() -> Result<Output, CallError> {
    Err(PluginError::new("the model gave no result for this picture").into())
}
