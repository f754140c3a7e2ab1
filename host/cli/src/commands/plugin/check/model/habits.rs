//! What a model does with what users will bring: many pictures at once, pictures of every size, thousands of them, and
//! several threads.

use super::{
    super::{Report, rules},
    answers::{embed, image, predict, said},
    compare::are_near,
};
use crate::terminal::Result;
use indicatif::HumanBytes;
use modelzoo::{
    CallError, LoadedModel,
    media::RgbImage,
    plugin_api::{Array, ErrorKind, Image, MediaType, Output, PredictOptions},
};
use std::{
    num::NonZeroU32,
    thread,
    time::{Duration, Instant},
};

/// Sizes that people have and models are seldom tried with.
const SIZES: [(u32, u32); 4] = [(1, 1), (1, 400), (400, 1), (1600, 1200)];

/// So often a model predicts while its memory is watched, unless it takes too long.
const PREDICTIONS: u32 = 1000;
const LONGEST: Duration = Duration::from_secs(20);

/// The first predictions allocate what the later ones use again.
const FIRST_PREDICTIONS: u32 = 50;

/// A model whose memory grows by less is not told from one that allocates now and then.
const GROWTH: u64 = 8 << 20;

const THREADS: usize = 4;

/// Habits that show in predictions of pictures.
pub(super) fn of_predictions(model: &dyn LoadedModel, picture: &RgbImage, report: &mut Report) {
    if model.info().media_type == MediaType::Video {
        return;
    }
    in_batches(model, picture, report);
    of_every_size(model, picture, report);
    for_long(model, picture, report);
}

/// Whether three pictures at once are predicted as each of them alone, in their order.
fn in_batches(model: &dyn LoadedModel, picture: &RgbImage, report: &mut Report) {
    let (width, height) = picture.size();
    let quarter = (width.div_ceil(2), height.div_ceil(2));
    let pictures = [
        sampled(picture, picture.size(), |x, y| (width - 1 - x, y)),
        sampled(picture, quarter, |x, y| (x, y)),
        sampled(picture, quarter, |x, y| (width - 1 - x, height - 1 - y)),
    ];
    let rule = &rules::BATCHES;
    let alone: Result<Vec<Output>> = pictures
        .iter()
        .map(|picture| said(predict(model, picture)))
        .collect();
    let (Some(alone), Some(together)) = (
        report.value(rule, alone),
        report.value(rule, together(model, &pictures)),
    ) else {
        return;
    };
    match alone
        .iter()
        .zip(&together)
        .position(|(one, other)| !are_near(one, other))
    {
        None => report.good(rule, format!("{} at once as each alone", pictures.len())),
        Some(place) => report.bad(
            rule,
            format!(
                "picture {} of {} gets another result than alone",
                place + 1,
                pictures.len()
            ),
        ),
    }
}

fn together(model: &dyn LoadedModel, pictures: &[RgbImage]) -> Result<Vec<Output>> {
    let images: Vec<Image<'_>> = pictures.iter().map(image).collect::<Result<_>>()?;
    let answers = model.predict(&images, &PredictOptions::default())?;
    answers.into_iter().map(|answer| said(Ok(answer))).collect()
}

/// Whether the model survives pictures of every size. It may refuse them.
fn of_every_size(model: &dyn LoadedModel, picture: &RgbImage, report: &mut Report) {
    let (width, height) = picture.size();
    let mut refused = Vec::new();
    for size in SIZES {
        let other = sampled(picture, size, |x, y| (x % width, y % height));
        let name = format!("{} x {}", size.0, size.1);
        match predict(model, &other) {
            Ok(Ok(_)) => {}
            Ok(Err(CallError::Plugin(error))) if error.kind() != ErrorKind::Panic => {
                refused.push(format!("{name}: {error}"));
            }
            Ok(Err(error)) => return report.bad(&rules::SIZES, format!("{name}: {error}")),
            Err(failure) => return report.error(&rules::SIZES, failure),
        }
    }
    if refused.is_empty() {
        let names = SIZES.map(|(width, height)| format!("{width} x {height}"));
        report.good(&rules::SIZES, names.join(", "));
    } else {
        report.warning(&rules::SIZES, refused.join("; "));
    }
}

/// Whether the memory stays what it is while the model predicts on and on, and how long each prediction takes.
fn for_long(model: &dyn LoadedModel, picture: &RgbImage, report: &mut Report) {
    let start = Instant::now();
    let mut early = None;
    let mut done = 0;
    while done < PREDICTIONS && start.elapsed() < LONGEST {
        if let Err(failure) = said(predict(model, picture)) {
            return report.error(&rules::GROWTH, failure);
        }
        done += 1;
        if done == FIRST_PREDICTIONS {
            early = model.peak_memory();
        }
    }
    let each = start.elapsed().as_secs_f64() * 1e3 / f64::from(done);
    let (Some(early), Some(late)) = (early, model.peak_memory()) else {
        return report.good(
            &rules::GROWTH,
            format!("{each:.2} ms a prediction; too few to tell"),
        );
    };
    let growth = late.saturating_sub(early);
    if growth > GROWTH {
        report.bad(
            &rules::GROWTH,
            format!("{} more after {done} predictions", HumanBytes(growth)),
        );
    } else {
        report.good(
            &rules::GROWTH,
            format!(
                "none; {each:.2} ms a prediction, {} at the most",
                HumanBytes(late)
            ),
        );
    }
}

/// Whether pictures of other sizes get embeddings of the same length.
pub(super) fn of_embeddings(model: &dyn LoadedModel, picture: &RgbImage, first: &Array, report: &mut Report) {
    if model.info().media_type == MediaType::Video {
        return;
    }
    let (width, height) = picture.size();
    let size = (width.div_ceil(3), height.div_ceil(2));
    let smaller = sampled(picture, size, |x, y| (x, y));
    let rule = &rules::EMBED_LENGTH;
    let Some(other) = report.value(rule, embed(model, &smaller)) else {
        return;
    };
    let (length, expected) = (other.to_f64().len(), first.to_f64().len());
    if length == expected {
        report.good(rule, format!("always {length}"));
    } else {
        report.bad(
            rule,
            format!("{expected} numbers for one picture and {length} for another"),
        );
    }
}

/// Whether the model gives several threads at once what it gives one.
pub(super) fn of_threads(model: &dyn LoadedModel, picture: &RgbImage, first: &Output, report: &mut Report) {
    if model.info().media_type == MediaType::Video {
        return;
    }
    let answers: Vec<Result<Output>> = thread::scope(|scope| {
        let ask = || scope.spawn(|| said(predict(model, picture)));
        let threads: Vec<_> = (0..THREADS).map(|_| ask()).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a call does not panic"))
            .collect()
    });
    let Some(answers) = report.value(&rules::THREADS, answers.into_iter().collect::<Result<Vec<_>>>()) else {
        return;
    };
    if answers.iter().all(|answer| answer == first) {
        report.good(&rules::THREADS, format!("{THREADS} at once get the same result"));
    } else {
        report.bad(&rules::THREADS, "another result than one thread alone gets");
    }
}

/// A picture of this size with pixels of another one.
fn sampled(picture: &RgbImage, size: (u32, u32), place: impl Fn(u32, u32) -> (u32, u32)) -> RgbImage {
    let [width, height] = [size.0, size.1].map(|edge| NonZeroU32::new(edge).expect("no size here is zero"));
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = place(x, y);
        picture.pixel(x, y)
    })
}
