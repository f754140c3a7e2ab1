//! Which numbers the results of layers lie between, as bytes have it.

pub use super::record::RangesError;
use super::record::{Reader, Writer};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Which numbers the bytes of a layer's result stand for: `(byte - zero) * step` with a step for each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ByteRange {
    /// The byte that stands for 0.
    pub zero: u8,
    /// What one more stands for, of each channel; above 0.
    pub steps: Vec<f32>,
    /// What each channel is in the mean.
    pub means: Vec<f32>,
}

/// The ranges of layers' results by the layers' names: what a plan of bytes is made from, see
/// [`PlanOptions::ranges`](super::PlanOptions::ranges). It is plain data, to be kept from one program to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges {
    layers: BTreeMap<String, Arc<ByteRange>>,
    in_numbers: BTreeSet<String>,
}

impl ByteRange {
    /// Steps are so large at least, and at most one by it.
    pub(super) const LEAST_STEP: f32 = 1e-30;

    /// Whether it is one: of finite numbers, as many steps as means.
    fn is_valid(&self) -> bool {
        let is_step = |step: &f32| (Self::LEAST_STEP..=1.0 / Self::LEAST_STEP).contains(step);
        self.steps.len() == self.means.len()
            && self.steps.iter().all(is_step)
            && self.means.iter().all(|mean| mean.is_finite())
    }
}

impl Ranges {
    /// The range of a layer's result, where it is known.
    pub fn get(&self, layer: &str) -> Option<&Arc<ByteRange>> {
        self.layers.get(layer)
    }

    /// All of them, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &ByteRange)> {
        self.layers
            .iter()
            .map(|(layer, range)| (layer.as_str(), range.as_ref()))
    }

    /// Gives a layer's result a range, unless steps or means are no such numbers.
    pub fn insert(&mut self, layer: &str, range: ByteRange) {
        if range.is_valid() {
            self.layers.insert(layer.to_owned(), Arc::new(range));
        }
    }

    /// Has a layer, by the name of its result, computed in numbers although its operand's range is known.
    pub fn keep_in_numbers(&mut self, layer: &str) {
        self.in_numbers.insert(layer.to_owned());
    }

    /// The layers that stay in numbers, in the order of the names.
    pub fn in_numbers(&self) -> impl ExactSizeIterator<Item = &str> {
        self.in_numbers.iter().map(String::as_str)
    }

    /// Whether a layer stays in numbers.
    pub fn stays_in_numbers(&self, layer: &str) -> bool {
        self.in_numbers.contains(layer)
    }

    /// As bytes for a file: the same ranges are the same bytes. Of each channel there are 8.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.count(self.layers.len());
        for (layer, range) in &self.layers {
            writer.text(layer);
            writer.bytes(&[range.zero]);
            writer.count(range.steps.len());
            writer.numbers(&range.steps);
            writer.numbers(&range.means);
        }
        writer.count(self.in_numbers.len());
        self.in_numbers.iter().for_each(|layer| writer.text(layer));
        writer.finish()
    }

    /// What [`to_bytes`](Self::to_bytes) has written.
    ///
    /// # Errors
    /// [`RangesError`] where these are other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RangesError> {
        let mut reader = Reader::new(bytes)?;
        let mut ranges = Self::default();
        for _ in 0..reader.count()? {
            let layer = reader.text()?;
            let [zero] = reader.bytes()?;
            let channels = reader.count()?;
            let range = ByteRange {
                zero,
                steps: reader.numbers(channels)?,
                means: reader.numbers(channels)?,
            };
            if !range.is_valid() {
                return Err(RangesError::Range(layer));
            }
            ranges.layers.insert(layer, Arc::new(range));
        }
        for _ in 0..reader.count()? {
            let layer = reader.text()?;
            ranges.in_numbers.insert(layer);
        }
        reader.finish()?;
        Ok(ranges)
    }
}

impl FromIterator<(String, ByteRange)> for Ranges {
    /// Without those that are none.
    fn from_iter<I: IntoIterator<Item = (String, ByteRange)>>(given: I) -> Self {
        let mut ranges = Self::default();
        for (layer, range) in given {
            ranges.insert(&layer, range);
        }
        ranges
    }
}
