//! What users may set with `--set`.

use modelzoo_plugin_api::{Error, Result};

/// The options of this source.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What the model gives.
    pub output: OutputKind,
    /// A pixel stands out from this saliency on: for masks and objects.
    pub threshold: f32,
    /// Objects that cover a smaller share of the picture are left out.
    pub smallest_area: f32,
}

/// What the model gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// A `Heatmap` of the saliency, 0 to 1.
    #[default]
    Heatmap,
    /// A `Segmentation`: 1 where a pixel stands out, 0 elsewhere.
    Segmentation,
    /// `Detections`: each connected region that stands out, with its mask.
    Detections,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            output: OutputKind::default(),
            threshold: 0.5,
            smallest_area: 0.001,
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
            ("threshold", self.threshold),
            ("smallest_area", self.smallest_area),
        ] {
            if !(0.0..=1.0).contains(&value) {
                let message = format!("the option {name} is {value}, but must be from 0 to 1");
                return Err(Error::invalid_option(message));
            }
        }
        Ok(self)
    }
}
