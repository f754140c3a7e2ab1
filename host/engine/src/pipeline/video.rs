//! Videos: frames for models of pictures, decoded ahead within a bound, and readers for models of videos.

use super::{
    open::{Picture, needed_fields},
    plan::{Plan, Question},
    pool::{Lease, Pool},
    sizes::{bytes_for_frame, bytes_of},
    step::{Answer, Step, Unit, vector},
};
use crate::{EngineError, ItemError, Place, sample::Sample};
use crossbeam_channel::{Receiver, bounded};
use modelzoo_data::{
    record::SampleRecord,
    video::{Frame, Sampling, Video, VideoError},
};
use modelzoo_plugin_api::{Result as PluginResult, VideoInfo};
use modelzoo_runtime::RuntimeError;
use std::{collections::BTreeMap, sync::Arc, thread::Scope};

/// The steps of a video's frames, or why no sample can be done any more.
pub(super) struct FrameSteps {
    steps: Receiver<Result<Vec<Step<Unit>>, RuntimeError>>,
    room: Arc<Pool>,
}

impl Iterator for FrameSteps {
    type Item = Result<Vec<Step<Unit>>, RuntimeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.steps.recv().ok()
    }
}

impl Drop for FrameSteps {
    fn drop(&mut self) {
        self.room.close();
    }
}

/// Decodes the frames of a video on a thread of `scope`, no further ahead than the model takes at once and there is `room` for.
/// Dropping what is returned ends it.
pub(super) fn frames<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    plan: &'scope Plan<'env>,
    sample: &Sample,
    video: Video,
    room: Lease,
) -> FrameSteps {
    let (sender, receiver) = bounded(plan.window());
    // The frames' own labels are wanted only where the model or patches need them.
    let record = if plan.patches.is_some() || !plan.needed_fields.is_empty() {
        sample.record.clone()
    } else {
        SampleRecord::default()
    };
    let bytes = bytes_for_frame(plan, &sample.record, &video);
    let room = Pool::within(room);
    let steps = FrameSteps {
        steps: receiver,
        room: Arc::clone(&room),
    };
    scope.spawn(move || {
        let mut frames = match video.frames(plan.sampling()) {
            Ok(frames) => frames,
            Err(error) => {
                // A failed send, here and below, means that nobody waits any more.
                let _ = sender.send(Ok(vec![Step::failure(error)]));
                return;
            }
        };
        loop {
            let lease = room.ticket().take(bytes);
            let Some(frame) = frames.next() else { break };
            if sender.send(steps_of_frame(plan, &record, frame, lease)).is_err() {
                return;
            }
        }
        let _ = sender.send(Ok(Step::of_ending(&frames.ending())));
    });
    steps
}

fn steps_of_frame(
    plan: &Plan<'_>,
    record: &SampleRecord,
    frame: Result<Frame, VideoError>,
    mut lease: Lease,
) -> Result<Vec<Step<Unit>>, RuntimeError> {
    let Frame { number, image, .. } = match frame {
        Ok(frame) => frame,
        Err(error) => return Ok(vec![Step::failure(error)]),
    };
    let nothing = BTreeMap::new();
    let picture = Picture {
        frame: Some(number),
        labels: record.labels.frames.get(&number).unwrap_or(&nothing),
        fields: needed_fields(plan, record, Some(number)),
    };
    let mut steps = picture.steps(plan, image)?;
    lease.resize(bytes_of(&steps));
    steps.push(Step::Release(lease));
    Ok(steps)
}

/// Asks a model that takes videos as they are about one.
pub(super) fn ask(plan: &Plan<'_>, video: &Video) -> Result<Vec<Step<Answer>>, EngineError> {
    let frames = match video.frames(plan.sampling()) {
        Ok(frames) => frames,
        Err(error) => return Ok(vec![Step::failure(error)]),
    };
    let ending = frames.ending();
    let info = info(video, plan.sampling());
    let frame_rate = info.frame_rate;
    let frames = frames.map(move |frame| plugin_frame(frame?, frame_rate));
    let frames = Box::new(frames);
    let result = match &plan.question {
        Question::Predict(options) => plan.model.predict_video(&info, frames, options)?,
        Question::Embed => plan.model.embed_video(&info, frames)?.map(vector),
    };
    let mut steps = vec![Step::Part(Answer {
        place: Place::default(),
        slice: None,
        image: None,
        result: result.map_err(ItemError::Model),
    })];
    steps.extend(Step::of_ending(&ending));
    Ok(steps)
}

/// What is known of a video before its frames. How many there will be is told only where all are taken.
fn info(video: &Video, sampling: &Sampling) -> VideoInfo {
    let metadata = video.metadata();
    let mut info = VideoInfo::default();
    info.width = metadata.frame_width as usize;
    info.height = metadata.frame_height as usize;
    info.frame_rate = metadata.frame_rate.unwrap_or_default();
    info.duration = metadata.duration;
    if *sampling == Sampling::default() {
        info.frame_count = metadata.total_frame_count;
    }
    info
}

/// A frame as plugins see it. Where the file does not say when it is shown, that follows from the frame rate.
fn plugin_frame(frame: Frame, frame_rate: f64) -> PluginResult<modelzoo_plugin_api::Frame> {
    let Frame {
        number,
        seconds,
        image,
    } = frame;
    let time = seconds.unwrap_or_else(|| (number - 1) as f64 / frame_rate.max(f64::MIN_POSITIVE));
    modelzoo_plugin_api::Frame::new(
        number,
        time,
        image.width() as usize,
        image.height() as usize,
        image.into_data(),
    )
}
