//! What users may set with `--set`.

use modelzoo_plugin_api::{Error, Result};

/// The options of this source.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whom it looks for.
    pub people: People,
    /// At most this many people, the surest ones.
    pub most_people: usize,
    /// A person is looked for where some keypoint has this score.
    pub root_threshold: f32,
    /// People whose mean score over all keypoints is lower are left out.
    pub person_threshold: f32,
    /// Keypoints of one kind that are closer than this, in pixels of the network's input, belong to one person.
    pub nms_radius: f32,
}

/// Whom the model looks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum People {
    /// Any number of people.
    #[default]
    Several,
    /// One person: each keypoint is where its score is highest.
    One,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            people: People::default(),
            most_people: 20,
            root_threshold: 0.5,
            person_threshold: 0.15,
            nms_radius: 20.0,
        }
    }
}

impl Settings {
    /// The same settings, if they make sense.
    ///
    /// # Errors
    /// When a threshold is outside of 0..=1 or the radius is negative.
    pub fn checked(self) -> Result<Self> {
        let fail = |name: &str, value: f32, range: &str| {
            let message = format!("the option {name} is {value}, but must be {range}");
            Err(Error::invalid_option(message))
        };
        let thresholds = [
            ("root_threshold", self.root_threshold),
            ("person_threshold", self.person_threshold),
        ];
        for (name, value) in thresholds {
            if !(0.0..=1.0).contains(&value) {
                return fail(name, value, "from 0 to 1");
            }
        }
        if self.nms_radius.is_nan() || self.nms_radius < 0.0 {
            return fail("nms_radius", self.nms_radius, "0 or more");
        }
        Ok(self)
    }
}
