//! Which of the boxes that were found is which of those that are there: the rules of pycocotools' `COCOeval`.

use super::boxes::{FoundBox, PixelBox, TrueBox};
use crate::boxes::{area, common_area};

/// How much of two boxes has to be shared: 0.5, 0.55, ... 0.95.
pub(super) const THRESHOLDS: usize = 10;

/// The range of areas in square pixels that objects are counted in, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AreaRange {
    pub(super) least: f64,
    pub(super) most: f64,
}

impl AreaRange {
    fn has(self, area: f64) -> bool {
        (self.least..=self.most).contains(&area)
    }
}

/// What became of the boxes of one class that were found in one picture, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Matches {
    pub(super) confidences: Vec<f64>,
    /// For each threshold, what became of each box.
    pub(super) verdicts: [Vec<Verdict>; THRESHOLDS],
    /// How many objects there are to find.
    pub(super) objects: u64,
}

/// What became of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is an object that counts.
    Right,
    /// It is none.
    Wrong,
    /// It is one that does not count, or is itself not of the size that counts.
    Ignored,
}

/// The thresholds as NumPy's `linspace` spaces them.
pub(super) fn thresholds() -> [f64; THRESHOLDS] {
    let (first, last) = (0.5, 0.95);
    let step = (last - first) / (THRESHOLDS - 1) as f64;
    std::array::from_fn(|index| {
        if index == THRESHOLDS - 1 {
            last
        } else {
            index as f64 * step + first
        }
    })
}

/// Boxes of one class in one picture, and how much each of those found shares with each of those there.
pub(super) struct Pairs<'a> {
    truth: Vec<&'a TrueBox>,
    /// The best first.
    found: Vec<&'a FoundBox>,
    /// A row for each that was found.
    shares: Vec<Vec<f64>>,
}

impl<'a> Pairs<'a> {
    /// Compares the boxes; of those found, the best `most` count.
    pub(super) fn new(truth: Vec<&'a TrueBox>, mut found: Vec<&'a FoundBox>, most: usize) -> Self {
        found.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
        found.truncate(most);
        let row = |found: &&FoundBox| truth.iter().map(|truth| share(found.bbox, truth)).collect();
        let shares = found.iter().map(row).collect();
        Self { truth, found, shares }
    }

    /// Gives each box that was found, the best first, the object that it shares most with: one that counts before one that
    /// does not, and none twice but for crowds.
    pub(super) fn matched(&self, range: AreaRange) -> Matches {
        let ignored = |truth: &TrueBox| truth.is_crowd || !range.has(truth.area);
        // Those that count come first.
        let mut order: Vec<usize> = (0..self.truth.len()).collect();
        order.sort_by_key(|&index| ignored(self.truth[index]));
        let verdicts = thresholds().map(|threshold| {
            let mut taken = vec![false; self.truth.len()];
            let verdict = |(found, shares): (&&FoundBox, &Vec<f64>)| match self
                .best(shares, &order, &taken, &ignored, threshold)
            {
                Some(index) => {
                    taken[index] = true;
                    if ignored(self.truth[index]) {
                        Verdict::Ignored
                    } else {
                        Verdict::Right
                    }
                }
                None if !range.has(found.bbox[2] * found.bbox[3]) => Verdict::Ignored,
                None => Verdict::Wrong,
            };
            self.found.iter().zip(&self.shares).map(verdict).collect()
        });
        let objects = self.truth.iter().filter(|truth| !ignored(truth)).count();
        Matches {
            confidences: self.found.iter().map(|found| found.confidence).collect(),
            verdicts,
            objects: objects as u64,
        }
    }

    /// The object for a box.
    fn best(
        &self,
        shares: &[f64],
        order: &[usize],
        taken: &[bool],
        ignored: &impl Fn(&TrueBox) -> bool,
        threshold: f64,
    ) -> Option<usize> {
        let mut least = threshold.min(1.0 - 1e-10);
        let mut best: Option<usize> = None;
        for &index in order {
            let truth = self.truth[index];
            if taken[index] && !truth.is_crowd {
                continue;
            }
            if best.is_some_and(|best| !ignored(self.truth[best])) && ignored(truth) {
                break;
            }
            if shares[index] >= least {
                least = shares[index];
                best = Some(index);
            }
        }
        best
    }
}

/// How much two boxes share: the area of both by that of either; of a crowd, by that of the box that was found.
fn share(found: PixelBox, truth: &TrueBox) -> f64 {
    let both = common_area(found, truth.bbox);
    if both <= 0.0 {
        return 0.0;
    }
    let own = area(found);
    let either = if truth.is_crowd {
        own
    } else {
        own + area(truth.bbox) - both
    };
    both / either
}
