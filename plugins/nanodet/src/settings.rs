//! What users may set with `--set`.

use modelzoo_plugin_api::{Error, Result};

/// The options of this source.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Objects with a lower score are left out, unless a prediction asks for another threshold.
    pub score_threshold: f32,
    /// Of two objects of one class that overlap by more than this (intersection over union), the surer one stays.
    pub nms_iou: f32,
    /// At most this many objects a picture, the surest ones.
    pub max_detections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            score_threshold: 0.35,
            nms_iou: 0.6,
            max_detections: 100,
        }
    }
}

impl Settings {
    /// The same settings, if they make sense.
    ///
    /// # Errors
    /// When a number is outside of 0..=1.
    pub fn checked(self) -> Result<Self> {
        for (name, value) in [
            ("score_threshold", self.score_threshold),
            ("nms_iou", self.nms_iou),
        ] {
            if !(0.0..=1.0).contains(&value) {
                let message = format!("the option {name} is {value}, but must be from 0 to 1");
                return Err(Error::invalid_option(message));
            }
        }
        Ok(self)
    }
}
