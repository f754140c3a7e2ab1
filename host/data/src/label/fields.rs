//! Which field of a sample each label of a model's output belongs to.

use modelzoo_plugin_api::{Output, label::Label};
use std::collections::BTreeMap;

/// The labels of one sample by field name, and those of its frames by frame number, counted from 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// The sample's own labels.
    pub sample: BTreeMap<String, Label>,
    /// The labels of its frames.
    pub frames: BTreeMap<u64, BTreeMap<String, Label>>,
}

/// A model gave frame numbers below 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model labels frame 0; frames are counted from 1")]
pub struct FrameNumberError;

/// Where a model's labels go: FiftyOne's `label_field`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelField {
    name: String,
    keys: Option<BTreeMap<String, String>>,
}

/// The prefix by which a field name may say that it is one of frames.
const FRAMES_PREFIX: &str = "frames.";

impl LabelField {
    /// One label goes to the field `name`; of several, each goes to `name`, `_` and its key. The name may begin with
    /// `frames.`, which says nothing new: labels of frames go to frames in any case.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.strip_prefix(FRAMES_PREFIX).unwrap_or(name).to_owned(),
            keys: None,
        }
    }

    /// Of several labels, each goes to the field that `keys` has for its key, or else to one named as the key.
    pub fn with_keys(mut self, keys: BTreeMap<String, String>) -> Self {
        self.keys = Some(keys);
        self
    }

    fn of_key(&self, key: String) -> String {
        match &self.keys {
            Some(keys) => keys.get(&key).cloned().unwrap_or(key),
            None => format!("{}_{key}", self.name),
        }
    }
}

impl From<&str> for LabelField {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<&Self> for LabelField {
    fn from(field: &Self) -> Self {
        field.clone()
    }
}

impl Fields {
    /// Distributes a model's output, in any of its forms, to fields. No output, and labels of types that this version
    /// does not know, make no field.
    ///
    /// # Errors
    /// When a frame's number is 0.
    pub fn from_output(output: Output, label_field: impl Into<LabelField>) -> Result<Self, FrameNumberError> {
        let label_field = label_field.into();
        let one = |label: Label| {
            is_known(&label)
                .then(|| (label_field.name.clone(), label))
                .into_iter()
                .collect()
        };
        let several = |labels: BTreeMap<String, Label>| -> BTreeMap<String, Label> {
            let known = labels.into_iter().filter(|(_, label)| is_known(label));
            known
                .map(|(key, label)| (label_field.of_key(key), label))
                .collect()
        };
        let mut fields = Self::default();
        match output {
            Output::Label(label) => fields.sample = one(label),
            Output::Labels(labels) => fields.sample = several(labels),
            Output::Frames(frames) => {
                fields.frames = frames.into_iter().map(|(n, label)| (n, one(label))).collect()
            }
            Output::FrameLabels(frames) => {
                fields.frames = frames
                    .into_iter()
                    .map(|(number, labels)| (number, several(labels)))
                    .collect();
            }
            _ => {}
        }
        fields.frames.retain(|_, labels| !labels.is_empty());
        if fields.frames.contains_key(&0) {
            Err(FrameNumberError)
        } else {
            Ok(fields)
        }
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.sample.is_empty() && self.frames.is_empty()
    }

    /// Every label, those of the frames included.
    pub fn labels_mut(&mut self) -> impl Iterator<Item = &mut Label> {
        let frames = self.frames.values_mut().flat_map(BTreeMap::values_mut);
        self.sample.values_mut().chain(frames)
    }
}

/// Whether a label says anything that this version understands.
fn is_known(label: &Label) -> bool {
    match label {
        Label::Unknown => false,
        Label::Value(plain) => !plain.value.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_plugin_api::label::{Classification, PlainValue};
    use serde_json::Value;

    fn label(name: &str) -> Label {
        Classification::new(name).into()
    }

    fn labels(names: [&str; 2]) -> BTreeMap<String, Label> {
        names
            .into_iter()
            .map(|name| (name.to_owned(), label(name)))
            .collect()
    }

    fn names(labels: &BTreeMap<String, Label>) -> Vec<&str> {
        labels.keys().map(String::as_str).collect()
    }

    #[test]
    fn the_four_forms_go_to_their_fields() {
        let fields = |output| Fields::from_output(output, "found").expect("valid");
        assert_eq!(names(&fields(Output::Label(label("a"))).sample), ["found"]);
        assert_eq!(
            names(&fields(Output::Labels(labels(["a", "b"]))).sample),
            ["found_a", "found_b"]
        );

        let frames = fields(Output::Frames([(1, label("a")), (7, label("b"))].into()));
        assert!(frames.sample.is_empty());
        assert_eq!(frames.frames.keys().copied().collect::<Vec<_>>(), [1, 7]);
        assert_eq!(names(&frames.frames[&7]), ["found"]);

        let frames = fields(Output::FrameLabels([(3, labels(["a", "b"]))].into()));
        assert_eq!(names(&frames.frames[&3]), ["found_a", "found_b"]);
    }

    #[test]
    fn keys_may_have_fields_of_their_own() {
        let field = LabelField::new("found").with_keys([("a".to_owned(), "cats".to_owned())].into());
        let keyed = Fields::from_output(Output::Labels(labels(["a", "b"])), &field).expect("valid");
        assert_eq!(names(&keyed.sample), ["b", "cats"]);
        let single = Fields::from_output(Output::Label(label("a")), &field).expect("valid");
        assert_eq!(names(&single.sample), ["found"]);
    }

    #[test]
    fn no_output_makes_no_field() {
        let nothing: Label = PlainValue::new(Value::Null).into();
        for output in [
            Output::Nothing,
            Output::Labels(BTreeMap::new()),
            Output::FrameLabels([(1, BTreeMap::new())].into()),
            Output::Label(Label::Unknown),
            Output::Label(nothing),
        ] {
            assert!(
                Fields::from_output(output.clone(), "found")
                    .expect("valid")
                    .is_empty(),
                "{output:?}"
            );
        }
    }

    #[test]
    fn a_field_of_frames_may_say_so() {
        let frames = Output::Frames([(1, label("a"))].into());
        let fields = Fields::from_output(frames, "frames.found").expect("valid");
        assert_eq!(names(&fields.frames[&1]), ["found"]);
    }

    #[test]
    fn frames_are_counted_from_one() {
        assert_eq!(
            Fields::from_output(Output::Frames([(0, label("a"))].into()), "found"),
            Err(FrameNumberError)
        );
    }
}
