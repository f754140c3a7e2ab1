//! A task tried on the first samples of an input: to find out between which values the numbers in a model's networks lie,
//! and whether another way to compute it says the same.

use crate::{
    EmbedOptions, EngineError, Input, ProgressCallback, Sample, SampleError, Task,
    pipeline::{self, Plan},
};
use modelzoo_data::{
    evaluation::Agreement,
    label::Fields,
    video::{FrameRange, Rate, Sampling},
};
use modelzoo_plugin_api::MediaType;
use modelzoo_runtime::LoadedModel;
use serde::Serialize;
use std::num::{NonZeroU64, NonZeroUsize};

/// So many pictures are tried at most.
pub const REHEARSED_PICTURES: u64 = 64;

/// So many frames of a video are, and it counts as many pictures.
const FRAMES: u64 = 16;

/// From one frame to the next that is tried, where the task takes them all: about a second.
const STEP: u64 = 30;

/// The same batches whatever is asked for, so that networks see the same in the same order; of pictures so large that memory
/// bounds them, in smaller batches.
const BATCH: NonZeroUsize = NonZeroUsize::new(8).expect("eight is not zero");

/// How a model came to be computed on bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibrated {
    /// On how many pictures it was found what the bytes stand for.
    pub pictures: u64,
    /// The digest of what was found.
    pub sha256: String,
    /// How far the model says the same of these pictures as in `f32`.
    pub agreement: Agreement,
}

/// How many pictures of an input are tried: its first ones, whichever part of it a run is for. A video counts as some.
///
/// # Errors
/// When a dataset cannot be read.
pub fn rehearsed_pictures(input: &Input) -> Result<u64, EngineError> {
    Ok(first(input)?.1)
}

/// Does a task with the first samples of an input. What the model says of each comes in their order, without what the task
/// would leave out of it; `None` where a sample fails.
///
/// # Errors
/// When the model cannot do it or go on, or a dataset cannot be read.
pub fn rehearse(
    model: &dyn LoadedModel,
    task: &Task,
    input: &Input,
    progress: Option<ProgressCallback>,
) -> Result<Vec<Option<Fields>>, EngineError> {
    let task = rehearsed(task, progress);
    task.check(model.info())?;
    let mut said = Vec::new();
    pipeline::run(&Plan::new(model, &task), first(input)?.0.into_iter(), |item| {
        said.push(item.failures.is_empty().then_some(item.fields));
        Ok(())
    })?;
    Ok(said)
}

/// The samples that are tried, and as how many pictures they count.
fn first(input: &Input) -> Result<(Vec<Result<Sample, SampleError>>, u64), EngineError> {
    let mut samples = Vec::new();
    let mut pictures = 0;
    for sample in input.all_samples()? {
        pictures += match &sample {
            Ok(sample) if sample.record.media_type == MediaType::Video => FRAMES,
            _ => 1,
        };
        samples.push(sample);
        if pictures >= REHEARSED_PICTURES {
            break;
        }
    }
    Ok((samples, pictures))
}

/// The same task without what only its results are for.
fn rehearsed(task: &Task, progress: Option<ProgressCallback>) -> Task {
    let mut task = match task {
        // What is in a picture differs no more from what is in a part of it than pictures do.
        Task::EmbedPatches(options) => Task::Embed(EmbedOptions {
            run: options.run.clone(),
            ..EmbedOptions::default()
        }),
        task => task.clone(),
    };
    if let Task::Apply(options) = &mut task {
        options.confidence_threshold = None;
        options.classes = None;
        options.store_logits = false;
        options.tracking = false;
    }
    let run = task.run_options_mut();
    run.batch_size = Some(BATCH);
    run.sampling = sparse(run.sampling);
    run.shard = None;
    run.skip_failures = true;
    run.output_dir = None;
    run.rel_dir = None;
    run.progress = progress;
    task
}

/// Few frames, from the first one that is asked for.
fn sparse(sampling: Sampling) -> Sampling {
    let step = match sampling.rate {
        Rate::Every(step) => step.get(),
        _ => STEP,
    };
    let first = sampling.frames.first();
    let last = first.saturating_add(step.saturating_mul(FRAMES) - 1);
    let last = sampling.frames.last().map_or(last, |asked| asked.min(last));
    Sampling {
        frames: FrameRange::new(first, Some(last)).unwrap_or(sampling.frames),
        rate: NonZeroU64::new(step).map_or(sampling.rate, Rate::Every),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_frames_of_a_video_are_tried_within_those_asked_for() {
        let frames = |sampling: Sampling| sampling.count_of(100_000, Some(25.0)).unwrap();
        assert_eq!(frames(sparse(Sampling::default())), FRAMES);
        let asked = Sampling {
            frames: FrameRange::new(1000, Some(1050)).unwrap(),
            rate: Rate::Every(NonZeroU64::new(10).unwrap()),
        };
        let tried = sparse(asked);
        assert_eq!((tried.frames.first(), tried.frames.last()), (1000, Some(1050)));
        assert_eq!(frames(tried), 6);
        let endless = Sampling {
            frames: FrameRange::new(u64::MAX, None).unwrap(),
            rate: Rate::Every(NonZeroU64::MAX),
        };
        assert_eq!(sparse(endless).frames.last(), Some(u64::MAX));
    }

    #[test]
    fn nothing_that_the_user_leaves_out_is_left_out_of_the_comparison() {
        let mut options = crate::ApplyOptions {
            confidence_threshold: Some(0.9),
            classes: Some(vec!["cat".to_owned()]),
            ..crate::ApplyOptions::default()
        };
        options.run.batch_size = NonZeroUsize::new(3);
        options.run.output_dir = Some("masks".into());
        let Task::Apply(tried) = rehearsed(&Task::Apply(options), None) else {
            panic!("it is another task")
        };
        assert_eq!((tried.confidence_threshold, tried.classes), (None, None));
        assert_eq!((tried.run.batch_size, tried.run.output_dir), (Some(BATCH), None));
    }
}
