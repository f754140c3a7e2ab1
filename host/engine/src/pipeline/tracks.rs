//! The objects of a video, numbered through its frames.

use modelzoo_data::{label::Fields, tracking::Tracks};
use modelzoo_plugin_api::label::Label;
use std::collections::BTreeMap;

/// The tracks of each field of a video.
#[derive(Default)]
pub(super) struct FieldTracks(BTreeMap<String, Tracks>);

impl FieldTracks {
    /// Takes the labels of the next frame, whose size is in pixels.
    pub(super) fn add(&mut self, frame: u64, labels: &BTreeMap<String, Label>, size: (u32, u32)) {
        for (field, label) in labels {
            if let Label::Detections(all) = label {
                let tracks = self.0.entry(field.clone()).or_default();
                tracks.add(frame, &all.detections, size);
            }
        }
    }

    /// Numbers the objects that it was given.
    pub(super) fn number(self, fields: &mut Fields) {
        for (field, tracks) in self.0 {
            for (frame, numbers) in tracks.numbers() {
                let label = fields
                    .frames
                    .get_mut(&frame)
                    .and_then(|labels| labels.get_mut(&field));
                if let Some(Label::Detections(all)) = label {
                    for (detection, number) in all.detections.iter_mut().zip(numbers) {
                        detection.index = number;
                    }
                }
            }
        }
    }
}
