//! The labels of one picture, as formats of objects tell them one by one.

use crate::label::Fields;
use modelzoo_plugin_api::label::{
    Classification, Classifications, Detection, Detections, Keypoint, Keypoints, Label, Polyline, Polylines,
};

/// Objects in one picture, by the fields that they go to.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub detections: Vec<Detection>,
    pub polylines: Vec<Polyline>,
    pub keypoints: Vec<Keypoint>,
    pub classes: Vec<Classification>,
}

impl Objects {
    /// Boxes in the field `name`, which is always there: a picture without objects is known to have none. Outlines, keypoints
    /// and classes of the whole picture in fields of this name with `_polylines`, `_keypoints` or `_classes` behind it.
    pub fn into_fields(self, name: &str) -> Fields {
        let mut fields = Fields::default();
        let mut put = |name: String, label: Label| fields.sample.insert(name, label);
        if !self.polylines.is_empty() {
            put(format!("{name}_polylines"), Polylines::new(self.polylines).into());
        }
        if !self.keypoints.is_empty() {
            put(format!("{name}_keypoints"), Keypoints::new(self.keypoints).into());
        }
        if !self.classes.is_empty() {
            put(
                format!("{name}_classes"),
                Classifications::new(self.classes).into(),
            );
        }
        put(name.to_owned(), Detections::new(self.detections).into());
        fields
    }
}
