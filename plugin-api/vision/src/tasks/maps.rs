//! What a network says of the boxes around the places of its maps.

use crate::architectures::{Coding, Detector};
use modelzoo_candle::{
    candle_core::Tensor,
    detection::{Anchors, Corners},
};
use modelzoo_plugin_api::{Error, Result};

/// What it says of those of one map.
pub(super) struct Map {
    pub(super) anchors: Anchors,
    /// `[height, width]`
    pub(super) size: [usize; 2],
    /// `[boxes * classes, height, width]`
    pub(super) logits: Vec<f32>,
    /// `[boxes * 4, height, width]`
    differences: Vec<f32>,
}

impl Map {
    /// Of a network's outputs for one picture of `input`, `[height, width]`.
    ///
    /// # Errors
    /// When they are not as many maps of logits as of differences.
    pub(super) fn all(
        detector: &Detector,
        logits: &[Tensor],
        differences: &[Tensor],
        input: [usize; 2],
    ) -> Result<Vec<Self>> {
        if logits.len() != differences.len() {
            return Err(Error::new("the network has not as many outputs as its maps need"));
        }
        let sizes = logits
            .iter()
            .map(|map| map.dims4().map(|(_, _, height, width)| [height, width]))
            .collect::<Result<Vec<_>, _>>()?;
        let anchors = detector.boxes.around(&sizes, input);
        let values = |map: &Tensor| map.flatten_all()?.to_vec1::<f32>();
        anchors
            .into_iter()
            .zip(sizes)
            .zip(logits.iter().zip(differences))
            .map(|((anchors, size), (logits, differences))| {
                Ok(Self {
                    anchors,
                    size,
                    logits: values(logits)?,
                    differences: values(differences)?,
                })
            })
            .collect()
    }

    /// How many places there are.
    pub(super) fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Box `index`, counted place by place, as the network changes it.
    pub(super) fn corners(&self, coding: Coding, index: usize) -> Corners {
        let (place, number) = (index / self.anchors.count(), index % self.anchors.count());
        let from = self
            .anchors
            .at([place / self.size[1], place % self.size[1]], number);
        let difference = |part: usize| self.differences[(number * 4 + part) * self.area() + place];
        coding.decode([0, 1, 2, 3].map(difference), from)
    }
}

/// The `count` largest scores with what they belong to, the largest first; of equal ones the first in order.
pub(super) fn surest<T: Ord + Copy>(mut scores: Vec<(f32, T)>, count: usize) -> Vec<(f32, T)> {
    let order = |a: &(f32, T), b: &(f32, T)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if count < scores.len() {
        scores.select_nth_unstable_by(count, order);
        scores.truncate(count);
    }
    scores.sort_unstable_by(order);
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_come_first_and_of_equal_ones_the_first() {
        let scores = vec![(0.5, 3), (0.9, 2), (0.5, 0), (0.1, 1)];
        assert_eq!(surest(scores.clone(), 2), [(0.9, 2), (0.5, 0)]);
        assert_eq!(surest(scores, 9), [(0.9, 2), (0.5, 0), (0.5, 3), (0.1, 1)]);
    }
}
