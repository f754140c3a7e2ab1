//! What a user may change with `--set`.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The options of published models.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The layer whose result is the embedding, by its name in the published files; with `<` before it, the layer's
    /// input. Unless set, what the architecture's authors publish as the picture's embedding.
    pub embeddings_layer: Option<String>,
    /// Give this many classes, the likeliest first, instead of one.
    pub top_k: Option<usize>,
    /// Take the model's pictures this large instead of as published: height and width, or one number for both.
    pub image_size: Option<ImageSize>,
    /// The classes that a model for any classes tells apart: names with commas between them, or a list of names.
    pub classes: Option<Names>,
    /// The sentence that a class's name is put into, in the place of `{}`; "a photo of a {}" unless set.
    pub prompt: Option<String>,
    /// Detections below this score are left out, and classes that are judged each by itself, where no confidence threshold
    /// is asked for; 0.5 unless set.
    pub score_threshold: Option<f32>,
    /// Of a model that makes masks of prompts: whether it takes the best of several masks of each, or the one for prompts that
    /// leave no doubt. Unless set, several for points and one for boxes.
    pub multimask_output: Option<bool>,
    /// Of the same: so many points along each side of a picture are asked about, and everything that they are at gets a mask,
    /// instead of what fields point at.
    pub points_per_side: Option<usize>,
    /// Of the same: a pixel belongs to the object where its logit is above this; 0 unless set. A model of what stands out
    /// gives a mask of the pixels above this, 0 to 1, instead of a map.
    pub mask_threshold: Option<f32>,
    /// What a manifest says of the model, where its weights are a file without settings beside them: the `config` of a
    /// `default_deployment_config_dict`, with the keys of FiftyOne's `TorchImageModelConfig`.
    pub deployment: Option<Map<String, Value>>,
}

impl Settings {
    /// The names of [`Settings::classes`], where they are set.
    pub fn class_names(&self) -> Option<Vec<String>> {
        let names: Vec<&str> = match self.classes.as_ref()? {
            Names::Text(text) => text.split(',').collect(),
            Names::List(names) => names.iter().map(String::as_str).collect(),
        };
        let names = names.into_iter().map(str::trim).filter(|name| !name.is_empty());
        Some(names.map(str::to_owned).collect())
    }
}

/// Names that a user gives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// With commas between them.
    Text(String),
    /// One by one.
    List(Vec<String>),
}

/// A size that a user gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ImageSize {
    /// As high as wide.
    Square(usize),
    /// `[height, width]`
    Sides([usize; 2]),
}

impl ImageSize {
    /// `[height, width]`
    pub fn sides(self) -> [usize; 2] {
        match self {
            Self::Square(side) => [side; 2],
            Self::Sides(sides) => sides,
        }
    }
}
