//! From points with scores to keypoints.

use crate::{
    asked::{is_sure, is_wanted, name_of},
    detection::{Candidate, bounding_box},
};
use modelzoo_plugin_api::{
    Output, PredictOptions, Result,
    label::{Detection, Detections, Keypoint, Keypoints},
};
use std::collections::BTreeMap;

/// A point that a network found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// `[x, y]` in pixels of the network's input.
    pub position: [f32; 2],
    /// How sure the network is, 0 to 1.
    pub score: f32,
    /// Whether it can be seen, as far as the network says so.
    pub is_visible: bool,
}

impl Point {
    /// A point that can be seen, at `[x, y]` in pixels, with a score of 0 to 1.
    pub fn new(position: [f32; 2], score: f32) -> Self {
        Self {
            position,
            score,
            is_visible: true,
        }
    }
}

/// Turns points into a keypoint without a class, as FiftyOne's `KeypointOutputProcessor` does: points become relative to
/// the input of `[width, height]` pixels; those below the threshold or out of sight are NaN, and keep their score.
pub fn label(points: &[Point], [width, height]: [usize; 2], options: &PredictOptions) -> Keypoint {
    let relative = |point: &Point| {
        if point.is_visible && is_sure(point.score, options) {
            let [x, y] = point.position.map(f64::from);
            [x / width as f64, y / height as f64]
        } else {
            [f64::NAN; 2]
        }
    };
    let scores = points.iter().map(|point| f64::from(point.score));
    Keypoint::new(points.iter().map(relative).collect()).with_confidence(scores.collect())
}

/// Turns objects with points into detections and keypoints, as FiftyOne's `KeypointDetectorOutputProcessor` does: two
/// labels, `detections` and `keypoints`, in the same order. The boxes are in pixels of the input of `[width, height]`,
/// like the points.
///
/// Objects below the threshold, and of classes that were not asked for, are left out of both.
///
/// # Errors
/// When an object's class has no name.
pub fn label_objects(
    objects: &[(Candidate, Vec<Point>)],
    size: [usize; 2],
    classes: &[impl AsRef<str>],
    options: &PredictOptions,
) -> Result<Output> {
    let (mut detections, mut keypoints) = (Vec::new(), Vec::new());
    for (candidate, points) in objects {
        let class = name_of(candidate.class, classes)?;
        if is_sure(candidate.score, options) && is_wanted(class, options) {
            let detection = Detection::new(class, bounding_box(candidate.corners, size));
            detections.push(detection.with_confidence(candidate.score));
            keypoints.push(label(points, size, options).with_label(class));
        }
    }
    Ok(Output::Labels(BTreeMap::from([
        ("detections".to_owned(), Detections::new(detections).into()),
        ("keypoints".to_owned(), Keypoints::new(keypoints).into()),
    ])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{classifier::sigmoid, detection::Corners};
    use modelzoo_plugin_api::label::Label;

    fn options(threshold: f64) -> PredictOptions {
        let mut options = PredictOptions::default();
        options.confidence_threshold = Some(threshold);
        options
    }

    #[test]
    fn points_are_relative_and_unsure_ones_are_missing() {
        let points = [
            Point::new([320.0, 240.0], sigmoid(0.0)),
            Point::new([640.0, 0.0], sigmoid(-2.0)),
        ];
        let all = label(&points, [640, 480], &PredictOptions::default());
        assert_eq!(all.points, [[0.5, 0.5], [1.0, 0.0]]);
        // Exactly at the threshold.
        let sure = label(&points, [640, 480], &options(0.5));
        assert_eq!(sure.points[0], [0.5, 0.5]);
        assert!(sure.points[1].iter().all(|value| value.is_nan()));
        assert_eq!(sure.confidence, all.confidence);
        assert_eq!(sure.confidence.unwrap()[0], 0.5);
    }

    #[test]
    fn objects_and_their_points_are_kept_or_left_out_together() {
        let object = |class, score| {
            let corners = Corners::new(10.0, 20.0, 60.0, 40.0);
            let hidden = Point {
                is_visible: false,
                ..Point::new([50.0, 50.0], 0.9)
            };
            let candidate = Candidate {
                class,
                score,
                corners,
            };
            (candidate, vec![Point::new([25.0, 50.0], 0.9), hidden])
        };
        let objects = [object(0, 0.9), object(1, 0.5), object(0, 0.25)];
        let found = |options: &PredictOptions| {
            let output = label_objects(&objects, [100, 200], &["cat", "dog"], options).unwrap();
            let Output::Labels(labels) = output else {
                panic!("{output:?}")
            };
            match (&labels["detections"], &labels["keypoints"]) {
                (Label::Detections(boxes), Label::Keypoints(points)) => (boxes.clone(), points.clone()),
                other => panic!("{other:?}"),
            }
        };
        let (boxes, points) = found(&options(0.5));
        let names = |labels: Vec<Option<String>>| labels.into_iter().flatten().collect::<Vec<_>>();
        let boxes_of = boxes.detections.iter().map(|one| one.label.clone());
        let points_of = points.keypoints.iter().map(|one| one.label.clone());
        assert_eq!(names(boxes_of.collect()), ["cat", "dog"]);
        assert_eq!(names(points_of.collect()), ["cat", "dog"]);
        assert_eq!(points.keypoints[0].points[0], [0.25, 0.25]);
        assert!(points.keypoints[0].points[1][0].is_nan());
        let [x, y, width, height] = boxes.detections[0].bounding_box;
        let off = [x - 0.1, y - 0.1, width - 0.5, height - 0.1];
        assert!(off.iter().all(|off| off.abs() < 1e-6), "{off:?}");

        let mut dogs = PredictOptions::default();
        dogs.classes = Some(vec!["dog".to_owned()]);
        assert_eq!(found(&dogs).1.keypoints.len(), 1);
        assert!(label_objects(&objects, [1, 1], &["cat"], &dogs).is_err());
    }
}
