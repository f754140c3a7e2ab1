//! What happens to samples, in their order.

use super::{pool::Lease, slices::SliceOf};
use crate::{Failure, ItemError, Place, sample::Sample};
use modelzoo_data::{media::RgbImage, video::Ending};
use modelzoo_plugin_api::{Array, Output, PreparedImage, SampleFields, label::Vector};

/// A step of a sample: each begins, has parts, failures and warnings in any number, and ends.
pub(super) enum Step<P> {
    /// A sample begins.
    Begin(Box<Sample>),
    /// The sample's own pixels, where they are none of its parts.
    Image(RgbImage),
    /// A part that the model is asked about, or has answered.
    Part(P),
    /// A part that fails before the model sees it.
    Failure(Failure),
    /// Something is wrong with the file, but it can be read.
    Warning(String),
    /// The video has so many frames: they have been counted.
    FrameCount(u64),
    /// The sample that began last is complete.
    End,
    /// What came before needs this memory no longer.
    Release(Lease),
}

/// A picture that the model is asked about.
pub(super) struct Unit {
    /// Which part of the sample it is.
    pub(super) place: Place,
    /// Which part of a picture that is cut into slices.
    pub(super) slice: Option<SliceOf>,
    /// The picture.
    pub(super) image: RgbImage,
    /// The fields of the sample that the model needs.
    pub(super) fields: SampleFields,
    /// The model's input for it, where that is made apart.
    pub(super) prepared: Option<PreparedImage>,
}

/// What the model said of a part.
pub(super) struct Answer {
    /// Which part of the sample it is.
    pub(super) place: Place,
    /// Which part of a picture that was cut into slices.
    pub(super) slice: Option<SliceOf>,
    /// The pixels, where the part is a whole picture.
    pub(super) image: Option<RgbImage>,
    /// What the model said.
    pub(super) result: Result<Output, ItemError>,
}

/// An embedding as the output that it is.
pub(super) fn vector(embedding: Array) -> Output {
    Vector::new(embedding).into()
}

impl<P> Step<P> {
    /// The same with what `change` makes of a part; `None` where it makes nothing of it.
    pub(super) fn map_part<Q>(self, change: impl FnOnce(P) -> Option<Q>) -> Option<Step<Q>> {
        Some(match self {
            Self::Part(part) => Step::Part(change(part)?),
            Self::Begin(sample) => Step::Begin(sample),
            Self::Image(image) => Step::Image(image),
            Self::Failure(failure) => Step::Failure(failure),
            Self::Warning(warning) => Step::Warning(warning),
            Self::FrameCount(count) => Step::FrameCount(count),
            Self::End => Step::End,
            Self::Release(lease) => Step::Release(lease),
        })
    }

    /// The failure of a sample as a whole.
    pub(super) fn failure(error: impl Into<ItemError>) -> Self {
        Self::Failure(Failure {
            place: Place::default(),
            error: error.into(),
        })
    }

    /// What is known of a video once it has been decoded.
    pub(super) fn of_ending(ending: &Ending) -> Vec<Self> {
        let count = ending.frame_count().map(Self::FrameCount);
        let warning = ending.warning().map(|warning| Self::Warning(warning.to_owned()));
        count.into_iter().chain(warning).collect()
    }
}
