//! The families of networks: a file for each, and a line for each in the registry.
//!
//! A file reads what the published configuration says, describes the network with the names of the published tensors,
//! and says what its outputs are. What is done with these is the business of [`crate::tasks`].

mod activation;
mod arguments;
mod beit;
mod bit;
mod branches;
mod clip;
mod convnext;
mod d_fine;
mod dense_prediction;
mod depth_anything;
mod detector;
mod detr;
mod dinov2;
mod dinov3;
mod dpt;
mod efficientnet;
mod eomt;
mod excitation;
mod hgnet_v2;
mod layers;
mod lcnet;
mod lcnet_v4;
mod mobilenet_v2;
mod nanodet;
mod positions;
mod pp_ocr;
mod regions;
mod registry;
mod regnet;
mod resnet;
mod rf_detr;
mod rt_detr;
mod sam;
mod segformer;
mod sizes;
mod swin;
mod torchvision;
mod transformer;
mod u2net;
mod vit;
mod vitpose;
mod windows;
mod yolos;
mod yolox;

pub(crate) use detector::{Coding, Detector, Judgement, Selection};
pub(crate) use regions::{Details, Look, Regions};
pub(crate) use registry::find;
pub(crate) use sam::{Choice, MaskDecoder, Prompt, PromptEncoder};
pub(crate) use sizes::check as check_size;

use crate::checkpoint::Checkpoint;
use modelzoo_candle::network::{NetworkBuilder, Value};
use modelzoo_plugin_api::{Error, Result};

/// A network as a published configuration describes it.
pub(crate) trait Architecture: Send + Sync {
    /// The `[height, width]` of the pictures that it was trained on.
    fn image_size(&self) -> [usize; 2];

    /// Whether its description depends on the size of its pictures, as that of a network with positional embeddings.
    fn depends_on_size(&self) -> bool {
        false
    }

    /// The tower for texts, where it has one.
    fn text(&self) -> Option<&dyn TextTower> {
        None
    }

    /// How pictures and the boxes around the places of maps are dealt with, where it finds objects by such boxes.
    fn detector(&self) -> Option<&Detector> {
        None
    }

    /// Its second look at parts of the picture, where it has one.
    fn regions(&self) -> Option<&dyn Regions> {
        None
    }

    /// What makes masks of prompts, where it does.
    fn prompts(&self) -> Option<&MaskDecoder> {
        None
    }

    /// The arguments of the function that would make the network which mean nothing here; `None` where the others are not
    /// known.
    fn ignored(&self) -> Option<&[String]> {
        None
    }

    /// Describes the network for pictures of the size of `image`.
    ///
    /// # Errors
    /// When the checkpoint has not what is needed, or the size does not fit.
    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs>;

    /// Describes the network for pictures that fill so many rows and columns of `image`, from the top left corner on, and are
    /// all that it is to see.
    ///
    /// # Errors
    /// As for [`Architecture::describe`], and when the network cannot tell a picture from what is beside it.
    fn describe_within(
        &self,
        _network: &mut NetworkBuilder<'_>,
        _checkpoint: &Checkpoint,
        _image: Value,
        _filled: [usize; 2],
    ) -> Result<Outputs> {
        Err(Error::unsupported(
            "this network sees all that it gets, also what is beside a picture",
        ))
    }
}

/// The part of an architecture that makes embeddings of texts.
pub(crate) trait TextTower: Send + Sync {
    /// Tokens of a text; shorter ones are filled up, longer ones cut.
    fn length(&self) -> usize;

    /// The token that fills up.
    fn padding(&self) -> usize;

    /// The name of the tokens' embeddings, and how many there are of how many features.
    fn vocabulary(&self) -> (String, [usize; 2]);

    /// Describes the network for tokens `[length, features]`: an embedding for each of them.
    ///
    /// # Errors
    /// When the weights are not those of the tower.
    fn describe(&self, network: &mut NetworkBuilder<'_>, tokens: Value) -> Result<Value>;

    /// The token whose embedding stands for the text.
    fn pooled(&self, tokens: &[u32]) -> usize;

    /// How a text's embedding and a picture's become a logit.
    ///
    /// # Errors
    /// When the checkpoint does not say it.
    fn similarity(&self, checkpoint: &Checkpoint) -> Result<Similarity>;
}

/// `scale * cosine + bias` is the logit of a text for a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Similarity {
    pub(crate) scale: f32,
    pub(crate) bias: f32,
    /// Whether one text excludes the others (a softmax over all), or each is judged by itself (a sigmoid).
    pub(crate) is_exclusive: bool,
}

/// What a network gives.
#[derive(Clone, Debug)]
pub(crate) enum Outputs {
    /// Of a whole picture.
    Picture {
        /// What its authors publish as the picture's embedding, a vector.
        embedding: Value,
        /// A logit for each class, a vector; a backbone has none.
        logits: Option<Value>,
    },
    /// Objects, as DETR finds them.
    Objects {
        /// Logits of the classes: tokens `[objects, classes]`. Where classes are exclusive, that of no object is behind
        /// them.
        logits: Value,
        /// Centre, width and height in parts of the picture: tokens `[objects, 4]`.
        boxes: Value,
        /// Whether an object has one class or is none (a softmax over all), or each class is judged by itself (a
        /// sigmoid).
        are_exclusive: bool,
    },
    /// Objects whose classes are what the user names.
    NamedObjects {
        /// Comparable to the embeddings of names: tokens `[objects, numbers]`.
        embeddings: Value,
        /// What is added to the cosine of an object and a name, tokens `[objects, 1]`.
        shifts: Value,
        /// What the sum is multiplied by, where 1 is added to ELU of it: tokens `[objects, 1]`.
        scales: Value,
        /// Centre, width and height in parts of the picture: tokens `[objects, 4]`.
        boxes: Value,
    },
    /// What maps of several sizes say of the boxes around their places, one after the other: see [`Detector`].
    Boxes {
        /// Logits of the classes, maps `[boxes * classes, height, width]`.
        logits: Vec<Value>,
        /// How the boxes differ from those of the detector, maps `[boxes * 4, height, width]`.
        differences: Vec<Value>,
    },
    /// What maps of several sizes say of the boxes around their places: whether there is an object, which a second look
    /// at the features finds out more about. See [`Regions`].
    Regions {
        /// Of the maps that are looked at again, tokens `[height * width, features]`.
        features: Vec<Value>,
        /// Logits of any object, maps `[boxes, height, width]`; of a further, smaller map as well.
        logits: Vec<Value>,
        /// How the boxes differ from those of the detector, maps `[boxes * 4, height, width]`.
        differences: Vec<Value>,
    },
    /// Classes of pixels.
    Segmentation {
        /// Logits of the classes, a map `[classes, height, width]`, as a rule smaller than the picture.
        logits: Value,
    },
    /// Depths of pixels.
    Depth {
        /// A map `[1, height, width]`.
        depth: Value,
    },
    /// What stands out.
    Saliency {
        /// How much each pixel does, 0 to 1: a map `[1, height, width]`.
        saliency: Value,
    },
    /// Lines of text.
    TextRegions {
        /// How likely each pixel is within one, a map `[1, height, width]`.
        probabilities: Value,
    },
    /// Objects with boxes and masks, each class of which is judged by itself.
    ObjectMasks {
        /// Logits of the classes: tokens `[objects, classes]`.
        logits: Value,
        /// Centre, width and height in parts of the picture: tokens `[objects, 4]`.
        boxes: Value,
        /// Tokens `[objects, features]`.
        queries: Value,
        /// A map `[features, height, width]`: a pixel is an object's where their product is above 0.
        features: Value,
    },
    /// What each query found, as a mask: pixels whose features have a product with the query that is above 0.
    Masks {
        /// Logits of the classes of each query, that of nothing behind them: tokens `[queries, classes + 1]`.
        logits: Value,
        /// Tokens `[queries, features]`.
        queries: Value,
        /// A map `[features, height, width]`.
        features: Value,
    },
    /// What is seen in a picture before anybody points at something: see [`MaskDecoder`].
    Prompted {
        /// Maps `[features, height, width]`, as [`MaskDecoder::maps`] has them.
        features: Vec<Value>,
    },
    /// A person's points.
    Points {
        /// How likely each point is at each place: maps `[points, height, width]`.
        maps: Value,
    },
    /// What a line of text says.
    Text {
        /// How likely each character is at each place of the line: tokens `[places, characters]`, of which the first
        /// character stands for none.
        probabilities: Value,
    },
}

/// What [`Outputs`] are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Embeddings only.
    Embedding,
    /// Classes, and embeddings.
    Classification,
    /// Boxes; `are_exclusive` is that of [`Outputs::Objects`].
    Detection { are_exclusive: bool },
    /// Boxes of what the user names.
    NamedDetection,
    /// Boxes, among those around the places of so many maps.
    BoxDetection { maps: usize },
    /// The same, with a second look at the features of the first of these maps.
    RegionDetection { maps: usize, features: usize },
    /// A class for each pixel.
    Segmentation,
    /// A depth for each pixel.
    Depth,
    /// How much each pixel stands out.
    Saliency,
    /// Outlines of lines of text.
    TextDetection,
    /// What lines of text say.
    TextRecognition,
    /// Points of persons.
    Pose,
    /// Masks of objects, or a class for each pixel, by queries.
    QueryMasks,
    /// Boxes with masks.
    MaskedDetection,
    /// Masks of what prompts point at, of so many maps.
    PromptedMasks { maps: usize },
}

impl Outputs {
    /// The name of a picture's embedding among a network's layers.
    pub(crate) const EMBEDDING: &str = "embedding";
    /// The name of a classifier's logits among a network's layers.
    pub(crate) const LOGITS: &str = "logits";
    /// The name of a detector's boxes among a network's layers.
    pub(crate) const BOXES: &str = "boxes";
    /// Before the number of a map in the name of how its boxes differ.
    pub(crate) const DIFFERENCES: &str = "differences";
    /// The name of the only map of features among a network's layers; before the number of a map where there are several.
    pub(crate) const FEATURES: &str = "features";
    /// The name of objects' embeddings among a network's layers.
    pub(crate) const OBJECT_EMBEDDINGS: &str = "object_embeddings";
    /// The name of what is added to an object's cosines among a network's layers.
    pub(crate) const SHIFTS: &str = "shifts";
    /// The name of what an object's cosines are multiplied by among a network's layers.
    pub(crate) const SCALES: &str = "scales";
    /// The name of a depth map among a network's layers.
    pub(crate) const DEPTH: &str = "depth";
    /// The name of a map of what stands out among a network's layers.
    pub(crate) const SALIENCY: &str = "saliency";
    /// The name of the probabilities of pixels or of characters among a network's layers.
    pub(crate) const PROBABILITIES: &str = "probabilities";
    /// The name of queries among a network's layers.
    pub(crate) const QUERIES: &str = "queries";
    /// The name of the maps of points among a network's layers.
    pub(crate) const MAPS: &str = "maps";

    /// What the outputs are for, and each with its name.
    pub(crate) fn named(self) -> (Task, Vec<(String, Value)>) {
        let one = |name: &str, value| (name.to_owned(), value);
        let each = |name: &str, values: Vec<Value>| -> Vec<(String, Value)> {
            let numbered = values.into_iter().enumerate();
            numbered
                .map(|(index, value)| (format!("{name}.{index}"), value))
                .collect()
        };
        match self {
            Self::Picture {
                embedding,
                logits: None,
            } => (Task::Embedding, vec![one(Self::EMBEDDING, embedding)]),
            Self::Picture {
                embedding,
                logits: Some(logits),
            } => (
                Task::Classification,
                vec![one(Self::EMBEDDING, embedding), one(Self::LOGITS, logits)],
            ),
            Self::Objects {
                logits,
                boxes,
                are_exclusive,
            } => (
                Task::Detection { are_exclusive },
                vec![one(Self::LOGITS, logits), one(Self::BOXES, boxes)],
            ),
            Self::NamedObjects {
                embeddings,
                shifts,
                scales,
                boxes,
            } => (
                Task::NamedDetection,
                vec![
                    one(Self::OBJECT_EMBEDDINGS, embeddings),
                    one(Self::SHIFTS, shifts),
                    one(Self::SCALES, scales),
                    one(Self::BOXES, boxes),
                ],
            ),
            Self::Boxes { logits, differences } => (
                Task::BoxDetection { maps: logits.len() },
                [each(Self::LOGITS, logits), each(Self::DIFFERENCES, differences)].concat(),
            ),
            Self::Regions {
                features,
                logits,
                differences,
            } => (
                Task::RegionDetection {
                    maps: logits.len(),
                    features: features.len(),
                },
                [
                    each(Self::FEATURES, features),
                    each(Self::LOGITS, logits),
                    each(Self::DIFFERENCES, differences),
                ]
                .concat(),
            ),
            Self::Segmentation { logits } => (Task::Segmentation, vec![one(Self::LOGITS, logits)]),
            Self::Depth { depth } => (Task::Depth, vec![one(Self::DEPTH, depth)]),
            Self::Saliency { saliency } => (Task::Saliency, vec![one(Self::SALIENCY, saliency)]),
            Self::TextRegions { probabilities } => {
                (Task::TextDetection, vec![one(Self::PROBABILITIES, probabilities)])
            }
            Self::ObjectMasks {
                logits,
                boxes,
                queries,
                features,
            } => (
                Task::MaskedDetection,
                vec![
                    one(Self::LOGITS, logits),
                    one(Self::BOXES, boxes),
                    one(Self::QUERIES, queries),
                    one(Self::FEATURES, features),
                ],
            ),
            Self::Masks {
                logits,
                queries,
                features,
            } => (
                Task::QueryMasks,
                vec![
                    one(Self::LOGITS, logits),
                    one(Self::QUERIES, queries),
                    one(Self::FEATURES, features),
                ],
            ),
            Self::Prompted { features } => (
                Task::PromptedMasks { maps: features.len() },
                each(Self::FEATURES, features),
            ),
            Self::Points { maps } => (Task::Pose, vec![one(Self::MAPS, maps)]),
            Self::Text { probabilities } => (
                Task::TextRecognition,
                vec![one(Self::PROBABILITIES, probabilities)],
            ),
        }
    }
}
