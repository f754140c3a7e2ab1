//! Average precision of boxes, as COCO defines it: what pycocotools' `COCOeval` computes for `bbox`.
//!
//! A class's precision is read at 101 points of recall, after making it fall only; it is averaged over ten thresholds of
//! shared area, and over the classes that there are objects of. Sizes and numbers of boxes are those of COCO's summary.

use super::{
    boxes::{FoundBox, TrueBox},
    matching::{AreaRange, Matches, Pairs, THRESHOLDS, Verdict},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The points of recall.
const POINTS: usize = 101;

/// How many boxes of a class count in a picture.
const MOST_BOXES: [usize; 3] = [1, 10, 100];

/// All areas, small, medium and large ones.
const AREAS: [AreaRange; 4] = [
    AreaRange {
        least: 0.0,
        most: 1e10,
    },
    AreaRange {
        least: 0.0,
        most: 1024.0,
    },
    AreaRange {
        least: 1024.0,
        most: 9216.0,
    },
    AreaRange {
        least: 9216.0,
        most: 1e10,
    },
];

/// The boxes of all pictures, by class.
#[derive(Clone, Debug, Default)]
pub struct BoxComparison {
    classes: BTreeMap<String, [Vec<Matches>; AREAS.len()]>,
    pictures: u64,
}

/// What COCO's summary says, each 0 to 1; `None` where there is no object of the kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DetectionScores {
    /// How many pictures were compared.
    pub pictures: u64,
    /// How many objects there are to find.
    pub objects: u64,
    /// Mean average precision over the thresholds 0.5 to 0.95: COCO's AP.
    pub map: Option<f64>,
    /// At the threshold 0.5.
    pub map_50: Option<f64>,
    /// At the threshold 0.75.
    pub map_75: Option<f64>,
    /// Of objects below 32 x 32 pixels.
    pub map_small: Option<f64>,
    /// Of objects between.
    pub map_medium: Option<f64>,
    /// Of objects above 96 x 96 pixels.
    pub map_large: Option<f64>,
    /// Average recall with one box a class and picture.
    pub recall_1: Option<f64>,
    /// With ten.
    pub recall_10: Option<f64>,
    /// With a hundred.
    pub recall_100: Option<f64>,
    /// Of objects below 32 x 32 pixels, with a hundred.
    pub recall_small: Option<f64>,
    /// Of objects between.
    pub recall_medium: Option<f64>,
    /// Of objects above 96 x 96 pixels.
    pub recall_large: Option<f64>,
    /// Each class of which there are objects, by name.
    pub classes: Vec<ClassPrecision>,
}

/// What is known of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassPrecision {
    /// Its name.
    pub class: String,
    /// How many objects of it there are to find.
    pub objects: u64,
    /// Its average precision over the thresholds 0.5 to 0.95.
    pub average_precision: f64,
}

/// What one class came to, for a range of areas and a number of boxes.
struct Curve {
    /// The precision at each point of recall, for each threshold.
    precision: [[f64; POINTS]; THRESHOLDS],
    /// The recall in the end, for each threshold.
    recall: [f64; THRESHOLDS],
    objects: u64,
}

impl BoxComparison {
    /// Adds a picture: all that is there, and all that was found.
    pub fn add(&mut self, truth: &[TrueBox], found: &[FoundBox]) {
        self.pictures += 1;
        let mut classes: BTreeMap<&str, (Vec<&TrueBox>, Vec<&FoundBox>)> = BTreeMap::new();
        for one in truth {
            classes.entry(&one.class).or_default().0.push(one);
        }
        for one in found {
            classes.entry(&one.class).or_default().1.push(one);
        }
        let most = MOST_BOXES[MOST_BOXES.len() - 1];
        for (class, (truth, found)) in classes {
            let pairs = Pairs::new(truth, found, most);
            let of_class = match self.classes.get_mut(class) {
                Some(of_class) => of_class,
                None => self.classes.entry(class.to_owned()).or_default(),
            };
            for (range, matches) in AREAS.into_iter().zip(of_class) {
                matches.push(pairs.matched(range));
            }
        }
    }

    /// What all pictures come to.
    pub fn scores(&self) -> DetectionScores {
        let curves = |area: usize, most: usize| -> Vec<(&str, Curve)> {
            self.classes
                .iter()
                .filter_map(|(class, areas)| Some((class.as_str(), Curve::of(&areas[area], most)?)))
                .collect()
        };
        let all_areas: [Vec<(&str, Curve)>; AREAS.len()] =
            std::array::from_fn(|area| curves(area, MOST_BOXES[2]));
        let [all, small, medium, large] = &all_areas;
        DetectionScores {
            pictures: self.pictures,
            objects: all.iter().map(|(_, curve)| curve.objects).sum(),
            map: precision(all, None),
            map_50: precision(all, Some(0)),
            map_75: precision(all, Some(THRESHOLDS / 2)),
            map_small: precision(small, None),
            map_medium: precision(medium, None),
            map_large: precision(large, None),
            recall_1: recall(&curves(0, MOST_BOXES[0])),
            recall_10: recall(&curves(0, MOST_BOXES[1])),
            recall_100: recall(all),
            recall_small: recall(small),
            recall_medium: recall(medium),
            recall_large: recall(large),
            classes: all
                .iter()
                .map(|(class, curve)| ClassPrecision {
                    class: (*class).to_owned(),
                    objects: curve.objects,
                    average_precision: mean(curve.precision.as_flattened().iter().copied()).unwrap_or(0.0),
                })
                .collect(),
        }
    }
}

impl Curve {
    /// What the boxes of all pictures come to, of which the best `most` of each count; `None` where there is nothing to find.
    fn of(pictures: &[Matches], most: usize) -> Option<Self> {
        let objects: u64 = pictures.iter().map(|matches| matches.objects).sum();
        if objects == 0 {
            return None;
        }
        // The place of each box: its picture, and its place there. The sort keeps the order of equal ones.
        let mut boxes: Vec<(f64, usize, usize)> = Vec::new();
        for (picture, matches) in pictures.iter().enumerate() {
            let best = matches.confidences.iter().take(most).enumerate();
            boxes.extend(best.map(|(place, &confidence)| (confidence, picture, place)));
        }
        boxes.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
        let mut curve = Self {
            precision: [[0.0; POINTS]; THRESHOLDS],
            recall: [0.0; THRESHOLDS],
            objects,
        };
        for threshold in 0..THRESHOLDS {
            let verdicts = boxes
                .iter()
                .map(|&(_, picture, place)| pictures[picture].verdicts[threshold][place]);
            let (recalls, mut precisions) = running(verdicts, objects);
            curve.recall[threshold] = recalls.last().copied().unwrap_or(0.0);
            for index in (1..precisions.len()).rev() {
                precisions[index - 1] = precisions[index - 1].max(precisions[index]);
            }
            for (point, precision) in curve.precision[threshold].iter_mut().enumerate() {
                let needed = point_of_recall(point);
                let first = recalls.partition_point(|&recall| recall < needed);
                *precision = precisions.get(first).copied().unwrap_or(0.0);
            }
        }
        Some(curve)
    }
}

/// Recall and precision after each box.
fn running(verdicts: impl Iterator<Item = Verdict>, objects: u64) -> (Vec<f64>, Vec<f64>) {
    let (mut right, mut wrong) = (0.0, 0.0);
    verdicts
        .map(|verdict| {
            match verdict {
                Verdict::Right => right += 1.0,
                Verdict::Wrong => wrong += 1.0,
                Verdict::Ignored => {}
            }
            (right / objects as f64, right / (right + wrong + f64::EPSILON))
        })
        .unzip()
}

/// The points as NumPy's `linspace` spaces them.
fn point_of_recall(index: usize) -> f64 {
    let last = POINTS - 1;
    if index == last {
        1.0
    } else {
        index as f64 * (1.0 / last as f64)
    }
}

/// The mean precision of all classes, at one threshold or at all of them.
fn precision(curves: &[(&str, Curve)], threshold: Option<usize>) -> Option<f64> {
    let range = match threshold {
        Some(threshold) => threshold..threshold + 1,
        None => 0..THRESHOLDS,
    };
    mean(range.flat_map(|threshold| {
        curves
            .iter()
            .flat_map(move |(_, curve)| curve.precision[threshold].iter().copied())
    }))
}

/// The mean recall of all classes.
fn recall(curves: &[(&str, Curve)]) -> Option<f64> {
    mean(curves.iter().flat_map(|(_, curve)| curve.recall.iter().copied()))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::{super::matching::thresholds, *};

    fn there(class: &str, bbox: [f64; 4]) -> TrueBox {
        TrueBox {
            class: class.to_owned(),
            bbox,
            area: bbox[2] * bbox[3],
            is_crowd: false,
        }
    }

    fn found(class: &str, bbox: [f64; 4], confidence: f64) -> FoundBox {
        FoundBox {
            class: class.to_owned(),
            bbox,
            confidence,
        }
    }

    fn scores(truth: &[TrueBox], boxes: &[FoundBox]) -> DetectionScores {
        let mut detections = BoxComparison::default();
        detections.add(truth, boxes);
        detections.scores()
    }

    #[track_caller]
    fn assert_near(actual: Option<f64>, expected: f64) {
        assert!(
            (actual.unwrap() - expected).abs() < 1e-12,
            "{actual:?} is not {expected}"
        );
    }

    const AT: [f64; 4] = [10.0, 10.0, 40.0, 40.0];

    #[test]
    fn what_is_found_exactly_is_worth_1_and_nothing_is_worth_0() {
        let exact = scores(&[there("cat", AT)], &[found("cat", AT, 0.9)]);
        assert_near(exact.map, 1.0);
        assert_near(exact.map_medium, 1.0);
        assert_near(exact.recall_1, 1.0);
        assert_eq!((exact.map_small, exact.map_large), (None, None));
        assert_eq!((exact.objects, exact.classes[0].class.as_str()), (1, "cat"));
        assert_near(scores(&[there("cat", AT)], &[]).map, 0.0);
        // Of another class: wrong for that, and missing for its own.
        assert_near(scores(&[there("cat", AT)], &[found("dog", AT, 0.9)]).map, 0.0);
        assert_eq!(scores(&[], &[found("dog", AT, 0.9)]).map, None);
    }

    #[test]
    fn a_box_counts_up_to_the_threshold_that_it_reaches() {
        // They share 0.8: seven of ten thresholds.
        let near = scores(
            &[there("cat", AT)],
            &[found("cat", [10.0, 10.0, 40.0, 32.0], 0.9)],
        );
        assert_near(near.map_50, 1.0);
        assert_near(near.map, 0.7);
    }

    #[test]
    fn an_object_is_found_once_and_a_crowd_as_often_as_it_likes() {
        let twice = [found("cat", AT, 0.9), found("cat", AT, 0.8)];
        let one = scores(&[there("cat", AT)], &twice);
        assert_near(one.map, 1.0);
        let mut crowd = there("cat", AT);
        crowd.is_crowd = true;
        let elsewhere = there("cat", [100.0, 100.0, 40.0, 40.0]);
        let in_crowd = scores(&[crowd, elsewhere.clone()], &twice);
        assert_eq!(in_crowd.objects, 1);
        assert_near(in_crowd.map, 0.0);
        // Without the crowd both would be wrong, and come first.
        let right = found("cat", elsewhere.bbox, 0.7);
        let [first, second] = twice;
        let without = scores(
            std::slice::from_ref(&elsewhere),
            &[first.clone(), second.clone(), right.clone()],
        );
        assert_near(without.map, 1.0 / 3.0);
        let mut crowd = there("cat", AT);
        crowd.is_crowd = true;
        assert_near(scores(&[crowd, elsewhere], &[first, second, right]).map, 1.0);
    }

    #[test]
    fn the_thresholds_are_those_of_coco() {
        let all = thresholds();
        assert_eq!((all[0], all[5], all[9]), (0.5, 0.75, 0.95));
    }
}
