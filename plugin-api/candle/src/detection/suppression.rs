//! Non-maximum suppression.

use super::Corners;

/// A box that may be an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The index of its class.
    pub class: usize,
    /// How sure the network is, 0 to 1.
    pub score: f32,
    /// Where it is.
    pub corners: Corners,
}

/// How candidates for the same object become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suppression {
    /// Of two candidates of one class that overlap by more than this (intersection over union), the surer one stays.
    pub overlap: f32,
    /// At most this many candidates are looked at, the surest ones: the time grows with their number times that of
    /// those that stay.
    pub considered: usize,
    /// At most this many candidates stay, the surest ones.
    pub most: usize,
}

impl Suppression {
    /// The candidates that stay, the surest first; of equally sure ones the first.
    ///
    /// Those with a score or an edge that is no number are dropped.
    pub fn apply(&self, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
        candidates.retain(|candidate| !candidate.score.is_nan() && candidate.corners.area().is_finite());
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut kept: Vec<Candidate> = Vec::new();
        for candidate in candidates.into_iter().take(self.considered) {
            if kept.len() == self.most {
                break;
            }
            let is_new = kept.iter().all(|stronger| {
                stronger.class != candidate.class
                    || stronger.corners.intersection_over_union(candidate.corners) <= self.overlap
            });
            if is_new {
                kept.push(candidate);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidate(class: usize, score: f32, left: f32) -> Candidate {
        Candidate {
            class,
            score,
            corners: Corners::new(left, 0.0, left + 10.0, 10.0),
        }
    }

    #[test]
    fn the_surest_of_overlapping_candidates_of_a_class_stays() {
        let suppression = Suppression {
            overlap: 0.5,
            considered: 10,
            most: 10,
        };
        let kept = suppression.apply(vec![
            candidate(0, 0.6, 0.0),
            candidate(0, 0.9, 1.0),
            candidate(1, 0.5, 1.0),
            candidate(0, 0.4, 9.0),
            candidate(0, f32::NAN, 50.0),
        ]);
        assert_eq!(
            kept,
            [
                candidate(0, 0.9, 1.0),
                candidate(1, 0.5, 1.0),
                candidate(0, 0.4, 9.0)
            ]
        );
    }

    #[test]
    fn no_more_stay_than_asked_for() {
        let suppression = Suppression {
            overlap: 0.5,
            considered: 10,
            most: 1,
        };
        let kept = suppression.apply(vec![candidate(0, 0.1, 0.0), candidate(1, 0.2, 50.0)]);
        assert_eq!(kept, [candidate(1, 0.2, 50.0)]);
        let suppression = Suppression {
            considered: 1,
            most: 10,
            ..suppression
        };
        let kept = suppression.apply(vec![candidate(0, 0.1, 0.0), candidate(1, 0.2, 50.0)]);
        assert_eq!(kept, [candidate(1, 0.2, 50.0)]);
    }

    proptest! {
        #[test]
        fn what_stays_does_not_overlap_and_what_goes_does(
            raw in proptest::collection::vec((0usize..3, 0f32..1.0, 0f32..60.0), 0..40),
        ) {
            let candidates: Vec<_> =
                raw.into_iter().map(|(class, score, left)| candidate(class, score, left)).collect();
            let suppression = Suppression { overlap: 0.4, considered: usize::MAX, most: usize::MAX };
            let kept = suppression.apply(candidates.clone());
            let overlaps = |a: &Candidate, b: &Candidate| {
                a.class == b.class && a.corners.intersection_over_union(b.corners) > 0.4
            };
            for (index, a) in kept.iter().enumerate() {
                prop_assert!(kept[index + 1..].iter().all(|b| !overlaps(a, b) && b.score <= a.score));
            }
            for gone in candidates.iter().filter(|candidate| !kept.contains(candidate)) {
                prop_assert!(kept.iter().any(|kept| overlaps(kept, gone) && kept.score >= gone.score));
            }
        }
    }
}
