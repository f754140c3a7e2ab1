//! Leaving out what a model is unsure of, or what nobody asked for.

use super::fields::Fields;
use modelzoo_plugin_api::label::{
    Classification, Detection, Keypoint, Label, Polyline, Regression, TemporalDetection,
};

/// FiftyOne's `confidence_thresh` and `classes`.
///
/// In a list of labels, those stay that have at least the threshold's confidence, and a wanted class. A single label
/// that does not becomes blank: it stays as a label of its type that says nothing. Keypoints keep their elements, but
/// single points below the threshold become NaN. What has neither confidence nor class is left alone.
///
/// Confidences and threshold are compared in single precision, as models compute them: 0.9 passes a threshold of 0.9.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelFilter {
    /// The least confidence; a label without any is below every threshold.
    pub confidence_threshold: Option<f64>,
    /// The wanted classes.
    pub classes: Option<Vec<String>>,
}

impl LabelFilter {
    /// Filters every label of a sample and its frames.
    pub fn apply_to_fields(&self, fields: &mut Fields) {
        fields.labels_mut().for_each(|label| self.apply(label));
    }

    /// Filters one label.
    pub fn apply(&self, label: &mut Label) {
        match label {
            Label::Regression(one) => self.blank_unless_kept(one),
            Label::Classification(one) => self.blank_unless_kept(one),
            Label::Classifications(all) => all.classifications.retain(|one| self.keeps(one)),
            Label::Detection(one) => self.blank_unless_kept(one),
            Label::Detections(all) => all.detections.retain(|one| self.keeps(one)),
            Label::Polyline(one) => self.blank_unless_kept(one),
            Label::Polylines(all) => all.polylines.retain(|one| self.keeps(one)),
            Label::Keypoint(one) => {
                self.hide_points(one);
                self.blank_unless_kept(one);
            }
            Label::Keypoints(all) => {
                all.keypoints.iter_mut().for_each(|one| self.hide_points(one));
                all.keypoints.retain(|one| self.keeps(one));
            }
            Label::TemporalDetection(one) => self.blank_unless_kept(one),
            Label::TemporalDetections(all) => all.detections.retain(|one| self.keeps(one)),
            // Maps, places and values have neither confidence nor class.
            _ => {}
        }
    }

    fn keeps(&self, label: &impl Element) -> bool {
        let sure = match label.confidence() {
            Confidence::None => self.confidence_threshold.is_none(),
            Confidence::Of(confidence) => self.passes(confidence),
            Confidence::OfItsParts => true,
        };
        let wanted = match (&self.classes, label.class()) {
            (Some(classes), Class::Of(class)) => {
                class.is_some_and(|class| classes.iter().any(|one| one == class))
            }
            _ => true,
        };
        sure && wanted
    }

    fn blank_unless_kept(&self, label: &mut impl Element) {
        if !self.keeps(label) {
            label.blank();
        }
    }

    fn passes(&self, confidence: f64) -> bool {
        self.confidence_threshold
            .is_none_or(|threshold| confidence as f32 >= threshold as f32)
    }

    /// Hides the points below the threshold; points without a confidence stay, and so do those whose is NaN.
    fn hide_points(&self, keypoint: &mut Keypoint) {
        let Some(confidences) = &keypoint.confidence else {
            return;
        };
        for (point, &confidence) in keypoint.points.iter_mut().zip(confidences) {
            if !confidence.is_nan() && !self.passes(confidence) {
                *point = [f64::NAN; 2];
            }
        }
    }
}

enum Confidence {
    None,
    Of(f64),
    OfItsParts,
}

enum Class<'a> {
    /// Labels of this type have no class.
    Never,
    Of(Option<&'a str>),
}

/// What the filter must know of a single label.
trait Element {
    fn confidence(&self) -> Confidence;
    fn class(&self) -> Class<'_>;
    fn blank(&mut self);
}

impl From<Option<f64>> for Confidence {
    fn from(confidence: Option<f64>) -> Self {
        confidence.map_or(Self::None, Self::Of)
    }
}

macro_rules! element {
    ($type:ident, $confidence:expr, $class:expr) => {
        impl Element for $type {
            fn confidence(&self) -> Confidence {
                let confidence: fn(&Self) -> Confidence = $confidence;
                confidence(self)
            }

            fn class(&self) -> Class<'_> {
                let class: fn(&Self) -> Class<'_> = $class;
                class(self)
            }

            fn blank(&mut self) {
                *self = Self::default();
            }
        }
    };
}

element!(Regression, |label| label.confidence.into(), |_| Class::Never);
element!(
    Classification,
    |label| label.confidence.into(),
    |label| Class::Of(label.label.as_deref())
);
element!(Detection, |label| label.confidence.into(), |label| Class::Of(
    label.label.as_deref()
));
element!(Polyline, |label| label.confidence.into(), |label| Class::Of(
    label.label.as_deref()
));
element!(Keypoint, |_| Confidence::OfItsParts, |label| Class::Of(
    label.label.as_deref()
));

impl Element for TemporalDetection {
    fn confidence(&self) -> Confidence {
        self.confidence.into()
    }

    fn class(&self) -> Class<'_> {
        Class::Of(self.label.as_deref())
    }

    /// Keeps the frames: a temporal detection without them is one that FiftyOne refuses to load.
    fn blank(&mut self) {
        let support = self.support;
        *self = Self::default();
        self.support = support;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_plugin_api::{Array, label::*};

    fn filtered(label: impl Into<Label>, threshold: Option<f64>, classes: Option<&[&str]>) -> Label {
        let classes = classes.map(|classes| classes.iter().map(|&class| class.to_owned()).collect());
        let mut label = label.into();
        LabelFilter {
            confidence_threshold: threshold,
            classes,
        }
        .apply(&mut label);
        label
    }

    fn classes_of(label: Label) -> Vec<String> {
        let Label::Classifications(all) = label else {
            panic!("classifications")
        };
        all.classifications
            .into_iter()
            .filter_map(|one| one.label)
            .collect()
    }

    #[test]
    fn lists_lose_what_is_unsure_or_unwanted() {
        let all = Classifications::new(vec![
            Classification::new("a").with_confidence(0.3),
            Classification::new("b").with_confidence(0.95),
            Classification::new("c"),
        ]);
        assert_eq!(classes_of(filtered(all.clone(), Some(0.9), None)), ["b"]);
        assert_eq!(
            classes_of(filtered(all.clone(), None, Some(&["c", "a"]))),
            ["a", "c"]
        );
        assert_eq!(
            classes_of(filtered(all.clone(), Some(0.2), Some(&["b", "c"]))),
            ["b"]
        );
        assert_eq!(filtered(all.clone(), None, None), all.into());
    }

    #[test]
    fn single_labels_become_blank() {
        let sure = Classification::new("a")
            .with_confidence(0.3)
            .with_logits(Array::vector(vec![1.0f32]));
        assert_eq!(
            filtered(sure.clone(), Some(0.5), None),
            Classification::blank().into()
        );
        assert_eq!(
            filtered(sure.clone(), None, Some(&["b"])),
            Classification::blank().into()
        );
        assert_eq!(filtered(sure.clone(), Some(0.3), Some(&["a"])), sure.into());
        assert_eq!(
            filtered(Classification::new("a"), Some(0.0), None),
            Classification::blank().into()
        );
        let detection = Detection::new("a", [0.0, 0.0, 1.0, 1.0]).with_confidence(0.1);
        assert_eq!(filtered(detection, Some(0.5), None), Detection::default().into());
        assert_eq!(
            filtered(Regression::new(1.0), Some(0.5), None),
            Regression::default().into()
        );
        assert_eq!(
            filtered(Regression::new(1.0), None, Some(&["a"])),
            Regression::new(1.0).into()
        );
        let Label::TemporalDetection(event) = filtered(TemporalDetection::new("a", 3, 9), Some(0.5), None)
        else {
            panic!("a temporal detection")
        };
        assert_eq!((event.label, event.support), (None, [3, 9]));
    }

    #[test]
    fn comparison_is_in_single_precision() {
        let label = Classification::new("a").with_confidence(0.9f32);
        assert!(label.confidence < Some(0.9));
        assert_eq!(filtered(label.clone(), Some(0.9), None), label.into());
    }

    #[test]
    fn unsure_points_are_hidden_and_their_set_is_kept() {
        let keypoint =
            Keypoint::new(vec![[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]).with_confidence(vec![0.4, 0.6, f64::NAN]);
        let Label::Keypoints(all) = filtered(Keypoints::new(vec![keypoint.clone()]), Some(0.5), None) else {
            panic!("keypoints")
        };
        let points = &all.keypoints[0].points;
        assert!(points[0][0].is_nan() && points[0][1].is_nan());
        assert_eq!(points[1..], [[0.2, 0.2], [0.3, 0.3]]);

        let without = Keypoint::new(vec![[0.1, 0.1]]);
        assert_eq!(filtered(without.clone(), Some(0.5), None), without.into());
        let named = Keypoints::new(vec![
            keypoint.with_label("person"),
            Keypoint::new(vec![]).with_label("dog"),
        ]);
        let Label::Keypoints(all) = filtered(named, None, Some(&["dog"])) else {
            panic!("keypoints")
        };
        assert_eq!(all.keypoints.len(), 1);
    }

    #[test]
    fn what_has_no_confidence_is_left_alone() {
        for label in [
            Label::from(Segmentation::new(Array::new([1, 1], vec![1u8]).expect("fits"))),
            GeoLocation::point(1.0, 2.0).into(),
            PlainValue::new(0.1).into(),
        ] {
            assert_eq!(filtered(label.clone(), Some(0.9), Some(&["a"])), label);
        }
    }
}
