//! What a model gives back for one image or video.

use crate::{Array, label::Label};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The output of a model for one image or video: FiftyOne's four forms, and none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Output {
    /// Nothing: no field is written.
    #[default]
    Nothing,
    /// One label, for the label field.
    Label(Label),
    /// Several labels, each for a field of its own: the label field's name, `_`, and the key.
    Labels(BTreeMap<String, Label>),
    /// A label for each frame of a video, by frame number, counted from 1.
    Frames(BTreeMap<u64, Label>),
    /// Several labels for each frame of a video, by frame number, counted from 1.
    FrameLabels(BTreeMap<u64, BTreeMap<String, Label>>),
}

impl<L: Into<Label>> From<L> for Output {
    fn from(label: L) -> Self {
        Self::Label(label.into())
    }
}

impl Output {
    /// Shows every label.
    pub fn for_each_label(&mut self, visit: &mut dyn FnMut(&mut Label)) {
        match self {
            Self::Nothing => {}
            Self::Label(label) => visit(label),
            Self::Labels(labels) => labels.values_mut().for_each(visit),
            Self::Frames(frames) => frames.values_mut().for_each(visit),
            Self::FrameLabels(frames) => {
                frames.values_mut().flat_map(BTreeMap::values_mut).for_each(visit);
            }
        }
    }

    /// Shows every array of every label, in a fixed order.
    pub fn for_each_array(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        self.for_each_label(&mut |label| label.for_each_array(visit));
    }
}
