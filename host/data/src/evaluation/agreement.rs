//! How far a model that computes in another way says the same of the same pictures.

use super::likeness::{
    Object, class, correlation, cosine, objects, overlap, same_share, shared_points, skeletons,
};
use crate::label::Fields;
use modelzoo_plugin_api::{
    Array,
    label::{Keypoint, Label},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What labels are compared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Aspect {
    /// Pictures by their likeliest class.
    Classes,
    /// Objects that are surer than a quarter: whether the other side has one of the same class in the same place.
    Objects,
    /// How much the boxes of such pairs share of what they cover together.
    Overlap,
    /// Points of persons: whether the other side has them in the same place.
    Points,
    /// Pixels by their class.
    Pixels,
    /// Maps of numbers: how they go together, as a correlation.
    Maps,
    /// Embeddings: the cosine between them.
    Embeddings,
    /// Single numbers: whether they are the same to a twentieth.
    Numbers,
}

/// A mean over some things that were compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// How many were compared.
    pub count: u64,
    /// How far they agree, where 1 is wholly.
    pub value: f64,
}

/// How far two ways to compute a model say the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Agreement(BTreeMap<Aspect, Mean>);

/// Less sure objects come and go with rounding.
const SURE: f64 = 0.25;

/// So much of two boxes has to be shared for them to be of the same object.
const SAME_PLACE: f64 = 0.5;

/// So much two numbers may differ that are taken for the same.
const SAME_NUMBER: f64 = 0.05;

impl Aspect {
    /// Below this, the two do not say the same.
    pub fn least(self) -> f64 {
        match self {
            Self::Classes | Self::Points | Self::Numbers => 0.9,
            Self::Objects | Self::Overlap => 0.8,
            Self::Pixels => 0.95,
            Self::Maps | Self::Embeddings => 0.98,
        }
    }
}

impl Agreement {
    /// Compares what is said of the same pictures, in their order.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a Fields, &'a Fields)>) -> Self {
        let mut sums = Sums::default();
        for (expected, found) in pairs {
            sums.add_labels(&expected.sample, &found.sample);
            let nothing = BTreeMap::new();
            let frames: BTreeSet<_> = expected.frames.keys().chain(found.frames.keys()).collect();
            for frame in frames {
                let of = |fields: &'a Fields| fields.frames.get(frame);
                sums.add_labels(of(expected).unwrap_or(&nothing), of(found).unwrap_or(&nothing));
            }
        }
        let mean = |(aspect, (count, sum)): (Aspect, (u64, f64))| {
            let value = sum / count as f64;
            (aspect, Mean { count, value })
        };
        Self(sums.0.into_iter().map(mean).collect())
    }

    /// What was compared, and how far it agrees.
    pub fn aspects(&self) -> impl Iterator<Item = (Aspect, Mean)> + '_ {
        self.0.iter().map(|(&aspect, &mean)| (aspect, mean))
    }

    /// Whether there was nothing to compare.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something was compared, and all of it agrees by as much as it [must](Aspect::least).
    pub fn is_good(&self) -> bool {
        !self.is_empty() && self.aspects().all(|(aspect, mean)| mean.value >= aspect.least())
    }
}

/// How many of each aspect were compared, and the sum of how far they agree.
#[derive(Default)]
struct Sums(BTreeMap<Aspect, (u64, f64)>);

impl Sums {
    fn add(&mut self, aspect: Aspect, value: f64) {
        let (count, sum) = self.0.entry(aspect).or_default();
        *count += 1;
        // A value that is no number agrees with nothing.
        *sum += if value.is_finite() { value } else { 0.0 };
    }

    fn add_labels(&mut self, expected: &BTreeMap<String, Label>, found: &BTreeMap<String, Label>) {
        let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
        for name in names {
            self.add_label(expected.get(name), found.get(name));
        }
    }

    fn add_label(&mut self, expected: Option<&Label>, found: Option<&Label>) {
        let Some(kind) = expected.or(found) else { return };
        match kind {
            Label::Classification(_) | Label::Classifications(_) | Label::Value(_) => {
                let (expected, found) = (expected.and_then(class), found.and_then(class));
                if expected.is_some() || found.is_some() {
                    self.add(Aspect::Classes, f64::from(u8::from(expected == found)));
                }
            }
            Label::Detection(_) | Label::Detections(_) | Label::Polyline(_) | Label::Polylines(_) => {
                self.add_objects(&objects(expected), &objects(found));
                self.add_objects(&objects(found), &objects(expected));
            }
            Label::Keypoint(_) | Label::Keypoints(_) => {
                self.add_points(skeletons(expected), skeletons(found));
                self.add_points(skeletons(found), skeletons(expected));
            }
            Label::Segmentation(_) => {
                let pixels = |label: Option<&Label>| match label {
                    Some(Label::Segmentation(label)) => label.mask.clone(),
                    _ => None,
                };
                self.add_arrays(Aspect::Pixels, pixels(expected), pixels(found), same_share);
            }
            Label::Heatmap(_) => {
                let map = |label: Option<&Label>| match label {
                    Some(Label::Heatmap(label)) => label.map.clone(),
                    _ => None,
                };
                self.add_arrays(Aspect::Maps, map(expected), map(found), correlation);
            }
            Label::Vector(_) => {
                let values = |label: Option<&Label>| match label {
                    Some(Label::Vector(label)) => Some(label.values.clone()),
                    _ => None,
                };
                self.add_arrays(Aspect::Embeddings, values(expected), values(found), cosine);
            }
            Label::Regression(_) => {
                let value = |label: Option<&Label>| match label {
                    Some(Label::Regression(label)) => label.value.unwrap_or(f64::NAN),
                    _ => f64::NAN,
                };
                let (expected, found) = (value(expected), value(found));
                let is_same = (expected - found).abs() <= SAME_NUMBER * expected.abs().max(found.abs());
                self.add(Aspect::Numbers, f64::from(u8::from(is_same)));
            }
            _ => {}
        }
    }

    /// Looks for each of `wanted` among the `others`; one of these may stand for several.
    fn add_objects(&mut self, wanted: &[Object<'_>], others: &[Object<'_>]) {
        for object in wanted.iter().filter(|object| object.confidence >= SURE) {
            let shared = others
                .iter()
                .filter(|other| other.class == object.class)
                .map(|other| overlap(object.bounds, other.bounds))
                .fold(0.0, f64::max);
            let is_there = shared >= SAME_PLACE;
            self.add(Aspect::Objects, f64::from(u8::from(is_there)));
            if is_there {
                self.add(Aspect::Overlap, shared);
            }
        }
    }

    fn add_points(&mut self, wanted: &[Keypoint], others: &[Keypoint]) {
        for skeleton in wanted {
            let others = others.iter().filter(|other| other.label == skeleton.label);
            let shared = others.map(|other| shared_points(skeleton, other));
            self.add(Aspect::Points, shared.fold(0.0, f64::max));
        }
    }

    fn add_arrays(
        &mut self,
        aspect: Aspect,
        expected: Option<Array>,
        found: Option<Array>,
        compare: fn(&[f64], &[f64]) -> f64,
    ) {
        let value = match (&expected, &found) {
            // Both lie in files that this does not open.
            (None, None) => return,
            (Some(expected), Some(found)) if expected.shape() == found.shape() => {
                compare(&expected.to_f64(), &found.to_f64())
            }
            _ => 0.0,
        };
        self.add(aspect, value);
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return formatter.write_str("nothing to compare");
        }
        for (index, (aspect, mean)) in self.aspects().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            let Mean { count, value } = mean;
            let share = value * 100.0;
            match aspect {
                Aspect::Classes => {
                    write!(
                        formatter,
                        "the same class {:.0} of {count} times",
                        value * count as f64
                    )
                }
                Aspect::Objects => write!(formatter, "{share:.1} % of {count} objects found by both"),
                Aspect::Overlap => write!(formatter, "their boxes share {share:.1} %"),
                Aspect::Points => write!(formatter, "{share:.1} % of the points in the same place"),
                Aspect::Pixels => write!(formatter, "{share:.1} % of the pixels of the same class"),
                Aspect::Maps => write!(formatter, "maps with a correlation of {value:.4}"),
                Aspect::Embeddings => write!(formatter, "embeddings with a cosine of {value:.4}"),
                Aspect::Numbers => write!(formatter, "{share:.1} % of {count} numbers about the same"),
            }?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_plugin_api::label::{
        Classification, Classifications, Detection, Detections, Heatmap, Keypoints, Segmentation, Vector,
    };

    fn fields(label: impl Into<Label>) -> Fields {
        Fields {
            sample: [("found".to_owned(), label.into())].into(),
            ..Fields::default()
        }
    }

    fn compare(pairs: &[(Fields, Fields)]) -> Agreement {
        Agreement::of(pairs.iter().map(|(expected, found)| (expected, found)))
    }

    fn mean(agreement: &Agreement, aspect: Aspect) -> (u64, f64) {
        let mean = agreement.0[&aspect];
        (mean.count, (mean.value * 1e4).round() / 1e4)
    }

    fn class_of(name: &str) -> Fields {
        fields(Classification::new(name))
    }

    #[test]
    fn classes_agree_where_the_likeliest_is_the_same() {
        let several = |names: [(&str, f64); 2]| {
            let one = |(name, confidence)| Classification::new(name).with_confidence(confidence);
            fields(Classifications::new(names.map(one).to_vec()))
        };
        let agreement = compare(&[
            (class_of("cat"), class_of("cat")),
            (class_of("cat"), class_of("dog")),
            (
                several([("a", 0.9), ("b", 0.1)]),
                several([("b", 0.2), ("a", 0.8)]),
            ),
            (class_of("cat"), Fields::default()),
        ]);
        assert_eq!(mean(&agreement, Aspect::Classes), (4, 0.5));
        assert!(!agreement.is_good());
        assert_eq!(agreement.to_string(), "the same class 2 of 4 times");
        let ten: Vec<_> = (0..10)
            .map(|number| (class_of("cat"), class_of(if number == 0 { "dog" } else { "cat" })))
            .collect();
        assert!(compare(&ten).is_good());
    }

    #[test]
    fn objects_agree_where_they_are_found_by_both() {
        let found = |objects: &[(&str, [f64; 4], f64)]| {
            let one = |&(class, bounds, confidence): &(&str, [f64; 4], f64)| {
                Detection::new(class, bounds).with_confidence(confidence)
            };
            fields(Detections::new(objects.iter().map(one).collect()))
        };
        let here = [0.1, 0.1, 0.4, 0.4];
        let agreement = compare(&[(
            found(&[("cat", here, 0.9), ("dog", here, 0.3), ("bird", here, 0.1)]),
            found(&[
                ("cat", [0.1, 0.1, 0.4, 0.3], 0.9),
                ("dog", here, 0.2),
                ("cow", here, 0.6),
            ]),
        )]);
        // The cat and the dog are found by both, from either side the cat and from one the dog, and the cow by one.
        assert_eq!(mean(&agreement, Aspect::Objects), (4, 0.75));
        assert_eq!(mean(&agreement, Aspect::Overlap), (3, 0.8333));
        assert!(compare(&[(Fields::default(), Fields::default())]).is_empty());
        assert!(
            !compare(&[(found(&[]), found(&[]))]).is_good(),
            "nothing was compared"
        );
    }

    #[test]
    fn what_is_made_of_numbers_agrees_by_how_near_they_are() {
        let array = |values: [f32; 4]| Array::new([2, 2], values.to_vec()).unwrap();
        let one = array([0.0, 1.0, 2.0, 3.0]);
        let agreement = compare(&[
            (
                fields(Vector::new(one.clone())),
                fields(Vector::new(array([0.0, 2.0, 4.0, 6.0]))),
            ),
            (
                fields(Heatmap::new(one.clone())),
                fields(Heatmap::new(array([3.0, 2.0, 1.0, 0.0]))),
            ),
            (
                fields(Segmentation::new(one.clone())),
                fields(Segmentation::new(array([0.0, 1.0, 2.0, 5.0]))),
            ),
            (
                fields(Vector::new(one)),
                fields(Vector::new(array([f32::NAN, 0.0, 0.0, 0.0]))),
            ),
        ]);
        assert_eq!(
            mean(&agreement, Aspect::Embeddings),
            (2, 0.5),
            "no number agrees with none"
        );
        assert_eq!(mean(&agreement, Aspect::Maps), (1, -1.0));
        assert_eq!(mean(&agreement, Aspect::Pixels), (1, 0.75));
    }

    #[test]
    fn points_agree_by_their_places() {
        let missing = [f64::NAN, f64::NAN];
        let person = |points: [[f64; 2]; 4]| fields(Keypoints::new(vec![Keypoint::new(points.to_vec())]));
        let agreement = compare(&[(
            person([[0.1, 0.1], [0.5, 0.5], missing, missing]),
            person([[0.11, 0.1], [0.6, 0.5], missing, [0.2, 0.2]]),
        )]);
        assert_eq!(mean(&agreement, Aspect::Points), (2, 0.5));
    }

    #[test]
    fn frames_are_compared_with_their_like() {
        let frames = |classes: &[&str]| Fields {
            frames: (1..)
                .zip(classes)
                .map(|(frame, class)| (frame, class_of(class).sample))
                .collect(),
            ..Fields::default()
        };
        let agreement = compare(&[(frames(&["a", "b", "c"]), frames(&["a", "x"]))]);
        assert_eq!(mean(&agreement, Aspect::Classes), (3, 0.3333));
    }
}
