//! The same object in one frame after the other: ByteTrack (Zhang et al., 2022, "ByteTrack: Multi-Object Tracking by
//! Associating Every Detection Box"), with the numbers of Ultralytics.
//!
//! Objects are told apart by where they are, not by what they look like or are called. Those that a model is unsure of carry
//! on a track but begin none, so an object that is half hidden keeps its number.

mod assignment;
mod motion;
mod tracker;

use modelzoo_plugin_api::label::Detection;
use std::collections::{BTreeMap, BTreeSet};
use tracker::{TrackId, Tracker};

/// The objects of one video, frame by frame.
#[derive(Debug, Default)]
pub struct Tracks {
    tracker: Tracker,
    /// The track of each object of each frame.
    frames: BTreeMap<u64, Vec<Option<TrackId>>>,
}

impl Tracks {
    /// Takes the objects of the next frame, whose size is in pixels: objects move as pixels do, whatever the shape of the
    /// frame.
    pub fn add(&mut self, frame: u64, detections: &[Detection], (width, height): (u32, u32)) {
        let [columns, rows] = [width, height].map(|length| f64::from(length.max(1)));
        let seen: Vec<_> = detections
            .iter()
            .map(|detection| {
                let [x, y, width, height] = detection.bounding_box;
                tracker::Seen {
                    bounding_box: [x * columns, y * rows, width * columns, height * rows],
                    // A model that does not say how sure it is means what it says. More than sure it cannot be.
                    confidence: detection.confidence.map_or(1.0, |sure| sure.clamp(0.0, 1.0)),
                }
            })
            .collect();
        self.frames.insert(frame, self.tracker.update(&seen));
    }

    /// The number of each object of each frame, in the order in which they were given: 1 is the one that was seen first. An
    /// object that was seen once only has none, as it may be none.
    pub fn numbers(self) -> BTreeMap<u64, Vec<Option<i64>>> {
        let is_confirmed = |id: &TrackId| self.tracker.is_confirmed(*id);
        let ids: BTreeSet<TrackId> = self.frames.values().flatten().flatten().copied().collect();
        let numbers: BTreeMap<TrackId, i64> = ids.into_iter().filter(is_confirmed).zip(1..).collect();
        let number = |id: Option<TrackId>| numbers.get(&id?).copied();
        self.frames
            .into_iter()
            .map(|(frame, ids)| (frame, ids.into_iter().map(number).collect()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
