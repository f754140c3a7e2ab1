//! One output of all that a model says of a picture's slices.

use crate::ItemError;
use modelzoo_data::{label::to_json, media::PixelBox, slicing::Slicing};
use modelzoo_plugin_api::{
    Output,
    label::{Detection, Detections, Label},
};
use std::collections::{BTreeMap, BTreeSet};

/// Which part of a picture it is; the picture as a whole is one, too.
#[derive(Clone, Copy)]
pub(super) struct SliceOf {
    /// Its pixels.
    pub(super) area: PixelBox,
    /// The picture's size.
    pub(super) picture: (u32, u32),
}

/// What the model said of the parts of one picture.
pub(super) struct SlicedAnswers {
    /// The picture's frame.
    pub(super) frame: Option<u64>,
    picture: (u32, u32),
    parts: Vec<(PixelBox, Output)>,
}

impl SlicedAnswers {
    pub(super) fn new(frame: Option<u64>, picture: (u32, u32)) -> Self {
        Self {
            frame,
            picture,
            parts: Vec::new(),
        }
    }

    /// Takes what the model said of a part.
    pub(super) fn add(&mut self, area: PixelBox, output: Output) {
        self.parts.push((area, output));
    }

    /// What it said of the whole, label by label.
    ///
    /// # Errors
    /// When something else than detections was said.
    pub(super) fn merge(self, slicing: Slicing) -> Result<Output, ItemError> {
        let mut keys = BTreeSet::new();
        let mut parts = Vec::with_capacity(self.parts.len());
        for (area, output) in self.parts {
            let found = objects(output)?;
            keys.extend(found.keys().cloned());
            parts.push((area, found));
        }
        let mut labels = BTreeMap::new();
        for key in keys {
            let of_key =
                |(area, found): &mut (PixelBox, Objects)| (*area, found.remove(&key).unwrap_or_default());
            let found = parts.iter_mut().map(of_key).collect();
            let label = Detections::new(slicing.merge(found, self.picture));
            match key {
                None => return Ok(label.into()),
                Some(key) => labels.insert(key, label.into()),
            };
        }
        Ok(match labels.is_empty() {
            true => Output::Nothing,
            false => Output::Labels(labels),
        })
    }
}

/// Objects by the keys of labels; a single label has none.
type Objects = BTreeMap<Option<String>, Vec<Detection>>;

fn objects(output: Output) -> Result<Objects, ItemError> {
    let labels: Vec<(Option<String>, Label)> = match output {
        Output::Nothing => Vec::new(),
        Output::Label(label) => vec![(None, label)],
        Output::Labels(labels) => labels
            .into_iter()
            .map(|(key, label)| (Some(key), label))
            .collect(),
        // Labels of frames.
        _ => return Err(ItemError::FramesOfPicture),
    };
    labels
        .into_iter()
        .map(|(key, label)| match label {
            Label::Detections(all) => Ok((key, all.detections)),
            Label::Detection(one) => Ok((key, vec![one])),
            other => Err(ItemError::NoObjects {
                found: to_json(&other)
                    .get("_cls")
                    .and_then(|class| class.as_str())
                    .unwrap_or("something else")
                    .to_owned(),
            }),
        })
        .collect()
}
