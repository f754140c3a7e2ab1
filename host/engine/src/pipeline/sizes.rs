//! How many bytes samples take.

use super::{
    plan::Plan,
    step::{Step, Unit},
};
use crate::{sample::Sample, task::without_frames};
use modelzoo_data::{label::patch_boxes, media::PixelBox, record::SampleRecord, video::Video};
use modelzoo_plugin_api::{Array, ElementType, label::Label};
use std::{collections::BTreeMap, fs, path::Path};

/// So many windows of frames are there at most: one waits to be gathered, one is, two are with the model and one is handed on.
const WINDOWS: usize = 5;

/// So many frames of a video that the model takes as it is are there at most, each with a copy: one is decoded, and one is on its
/// way.
const STREAMED: usize = 2;

/// The bytes of a file on this machine. What is behind a URL is not known before it is here.
pub(super) fn bytes_of_file(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| match metadata.is_file() {
        true => metadata.len(),
        false => 0,
    })
}

/// The bytes of so many pixels.
pub(super) fn bytes_of_pixels(width: u32, height: u32) -> u64 {
    (u64::from(width) * u64::from(height)).saturating_mul(3)
}

/// The bytes of what is cut out of a picture of this size: its slices, or patches around what its labels say.
pub(super) fn bytes_of_parts(
    plan: &Plan<'_>,
    labels: &BTreeMap<String, Label>,
    (width, height): (u32, u32),
) -> u64 {
    let bytes = |part: PixelBox| bytes_of_pixels(part.width, part.height);
    if let Some(slicing) = plan.slicing {
        // The first one is the picture.
        return slicing.parts(width, height).into_iter().skip(1).map(bytes).sum();
    }
    let Some(patches) = plan.patches else { return 0 };
    let boxes = labels
        .get(without_frames(&patches.patches_field))
        .and_then(patch_boxes)
        .unwrap_or_default();
    let parts = boxes
        .into_iter()
        .filter_map(|bounding_box| patches.geometry.patch(bounding_box, width, height));
    parts.map(bytes).sum()
}

/// How many bytes a video takes for its frames.
pub(super) fn bytes_of_video(plan: &Plan<'_>, sample: &Sample, video: &Video) -> u64 {
    let most = match plan.takes_videos() {
        true => STREAMED,
        false => WINDOWS * plan.window(),
    };
    let frame = bytes_for_frame(plan, &sample.record, video);
    plan.budget.for_frames(frame, most)
}

/// How many bytes a frame takes while its parts are made: it is copied to where the model reads it.
pub(super) fn bytes_for_frame(plan: &Plan<'_>, record: &SampleRecord, video: &Video) -> u64 {
    let size = (video.metadata().frame_width, video.metadata().frame_height);
    let of_labels = |labels: &BTreeMap<String, Label>| bytes_of_parts(plan, labels, size);
    let parts = match plan.patches {
        // Slices are the same in each frame.
        None => of_labels(&BTreeMap::new()),
        Some(_) => record.labels.frames.values().map(of_labels).max().unwrap_or(0),
    };
    bytes_of_pixels(size.0, size.1)
        .saturating_mul(2)
        .saturating_add(parts)
}

/// The bytes of all pictures in some steps, and of what was made of them for the model.
pub(super) fn bytes_of(steps: &[Step<Unit>]) -> u64 {
    let bytes = |step: &Step<Unit>| match step {
        Step::Image(image) => image.data().len() as u64,
        Step::Part(unit) => {
            let prepared = unit.prepared.as_ref();
            unit.image.data().len() as u64 + prepared.map_or(0, |prepared| bytes_of_array(&prepared.input))
        }
        _ => 0,
    };
    steps.iter().map(bytes).sum()
}

fn bytes_of_array(array: &Array) -> u64 {
    let each = match array.element_type() {
        ElementType::Bool | ElementType::U8 => 1,
        ElementType::U16 => 2,
        ElementType::I32 | ElementType::F32 => 4,
        _ => 8,
    };
    array.elements().len().unwrap_or(0) as u64 * each
}
