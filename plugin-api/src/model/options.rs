//! What the user asks of a call.

use serde::{Deserialize, Serialize};

/// What the user asked of a prediction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PredictOptions {
    /// Leave out what the model is less sure of. `None` leaves it to the model. The host applies it to every output
    /// as well, so a model need not; one that can save work by it should.
    pub confidence_threshold: Option<f64>,
    /// Keep only these classes. The host applies it as well.
    pub classes: Option<Vec<String>>,
    /// Put the raw scores of all classes into classifications.
    pub store_logits: bool,
    /// Options of this model for this call: a map, as in [`LoadOptions::settings`](crate::LoadOptions::settings).
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub settings: serde_json::Map<String, serde_json::Value>,
}
