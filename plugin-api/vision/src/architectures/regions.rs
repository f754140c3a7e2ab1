//! Detectors that look twice: maps propose regions, and what is in each is found from the features of that region.

use super::{Detector, Selection};
use crate::checkpoint::Checkpoint;
use modelzoo_candle::{
    detection::BoxCoder,
    network::{NetworkBuilder, Value},
};
use modelzoo_plugin_api::Result;

/// The second look of a detector; the first one is described by its [`Detector`], whose only class is any object.
pub(crate) trait Regions: Send + Sync {
    /// What weights do not say of it.
    fn look(&self) -> &Look;

    /// Describes convolutions of a region's features, a map; `None` where there are none.
    ///
    /// # Errors
    /// As for the methods below: when the checkpoint has not what is needed.
    fn convolutions(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        features: Value,
    ) -> Result<Option<Value>>;

    /// Describes what is made of regions' features, tokens: logits of the classes, and how the boxes of the classes
    /// differ from the region, both tokens.
    fn boxes(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        regions: Value,
    ) -> Result<[Value; 2]>;

    /// Describes what is seen in an object's features, a map, besides its class; `None` where it is nothing.
    fn details(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        features: Value,
    ) -> Result<Option<Value>>;
}

/// What weights do not say of the second look.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) classes: usize,
    pub(crate) coder: BoxCoder,
    pub(crate) selection: Selection,
    pub(crate) details: Details,
}

/// What is seen in an object besides its class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Details {
    Nothing,
    /// Logits of each class's pixels.
    Masks,
    /// Logits of where each of a person's points is.
    Keypoints,
}

impl Detector {
    /// The shortest side of a region that is proposed.
    pub(crate) const LEAST_SIDE: f32 = 1e-3;
}

impl Look {
    /// The shortest side of an object's box.
    pub(crate) const LEAST_SIDE: f32 = 1e-2;
    /// Places of a region's features along each side, for its class and box.
    pub(crate) const BINS: usize = 7;
    /// The same for its details.
    pub(crate) const DETAIL_BINS: usize = 14;
    /// Points of each such place along each side.
    pub(crate) const SAMPLES: usize = 2;
}
