//! Objects with masks: what instance segmentation gives.

use super::{Corners, bounding_box};
use crate::asked::{is_sure, is_wanted, name_of};
use modelzoo_plugin_api::{
    Array, Error, PredictOptions, Result,
    label::{Detection, Detections},
};
use std::ops::Range;

/// A pixel belongs to an object where its mask is above this.
const THRESHOLD: f32 = 0.5;

/// An object that a network found, beside a mask over the whole picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instance {
    /// The index of its class.
    pub class: usize,
    /// How sure the network is, 0 to 1, where it says so. Without a score it is labelled whatever the threshold; the
    /// host then leaves it out, as all objects without a confidence, where the user asks for one.
    pub score: Option<f32>,
    /// Where it is, in pixels of the masks.
    pub corners: Corners,
}

/// The masks of a picture's objects, each over the whole picture.
#[derive(Clone, Copy, Debug)]
pub struct Masks<'a> {
    values: &'a [f32],
    height: usize,
    width: usize,
    threshold: f32,
}

impl<'a> Masks<'a> {
    /// Masks of `[height, width]` pixels, one after the other, row by row: 0 to 1, an object's own above 0.5.
    ///
    /// # Errors
    /// When the values do not fill masks of this size.
    pub fn new(values: &'a [f32], [height, width]: [usize; 2]) -> Result<Self> {
        match height.checked_mul(width) {
            Some(area) if area > 0 && values.len().is_multiple_of(area) => Ok(Self {
                values,
                height,
                width,
                threshold: THRESHOLD,
            }),
            _ => Err(Error::new(format!(
                "{} values are no masks of {width} x {height} pixels",
                values.len()
            ))),
        }
    }

    /// A pixel belongs to an object where its mask is above `threshold`.
    pub fn with_threshold(mut self, threshold: f32) -> Self {
        self.threshold = threshold;
        self
    }

    /// How many masks there are.
    pub fn count(&self) -> usize {
        self.values.len() / (self.height * self.width)
    }

    /// The pixels of mask `index` in a part of the picture, row by row.
    fn cut(&self, index: usize, rows: Range<usize>, columns: Range<usize>) -> Vec<bool> {
        let mask = &self.values[index * self.height * self.width..];
        rows.flat_map(|row| &mask[row * self.width..][columns.clone()])
            .map(|&value| value > self.threshold)
            .collect()
    }
}

/// Rows and columns within `corners`, which lie in a picture of `[height, width]`.
fn window([height, width]: [usize; 2], corners: Corners) -> [Range<usize>; 2] {
    // A half goes to the even neighbour, as Python rounds.
    let edge = |position: f32, most: usize| (position.round_ties_even() as usize).min(most);
    let (top, left) = (edge(corners.top, height), edge(corners.left, width));
    [
        top..edge(corners.bottom, height).max(top),
        left..edge(corners.right, width).max(left),
    ]
}

/// Turns objects and their masks, in the same order, into labels, as FiftyOne's `InstanceSegmenterOutputProcessor` does:
/// each mask is cut to its object's box, from edge to edge rounded to whole pixels, halves to even.
///
/// A box that reaches beyond the picture ends at its edge, because its mask does too; FiftyOne keeps such a box, which
/// the mask then does not fill, and takes rows and columns from the wrong end for edges below 0. A box that rounds to
/// nothing has a mask without pixels.
///
/// Objects below the threshold and of classes that were not asked for are left out.
///
/// # Errors
/// When there are not as many masks as objects, an object's class has no name, or an edge is no number.
pub fn label_instances(
    instances: &[Instance],
    masks: &Masks<'_>,
    classes: &[impl AsRef<str>],
    options: &PredictOptions,
) -> Result<Detections> {
    if instances.len() != masks.count() {
        return Err(Error::new(format!(
            "the network gave {} masks for {} objects",
            masks.count(),
            instances.len()
        )));
    }
    let size = [masks.height, masks.width];
    label_cut_instances(instances, size, classes, options, |index, rows, columns| {
        masks.cut(index, rows, columns)
    })
}

/// As [`label_instances`], with masks that are made only where they are needed: `cut` gives for the index of an object the
/// pixels of its mask in these rows and columns of a picture of `[height, width]`, row by row.
///
/// # Errors
/// As for [`label_instances`], and when `cut` gives another number of pixels.
pub fn label_cut_instances(
    instances: &[Instance],
    [height, width]: [usize; 2],
    classes: &[impl AsRef<str>],
    options: &PredictOptions,
    cut: impl Fn(usize, Range<usize>, Range<usize>) -> Vec<bool>,
) -> Result<Detections> {
    let mut detections = Vec::new();
    for (index, instance) in instances.iter().enumerate() {
        let class = name_of(instance.class, classes)?;
        if instance.score.is_some_and(|score| !is_sure(score, options)) || !is_wanted(class, options) {
            continue;
        }
        let Corners {
            left,
            top,
            right,
            bottom,
        } = instance.corners;
        if [left, top, right, bottom].iter().any(|edge| edge.is_nan()) {
            return Err(Error::new(format!(
                "object {index} has a box with an edge that is no number"
            )));
        }
        let corners = instance.corners.clamped_to(width as f32, height as f32);
        let [rows, columns] = window([height, width], corners);
        let shape = [rows.len(), columns.len()];
        let mask = Array::new(shape, cut(index, rows, columns))?;
        let mut detection = Detection::new(class, bounding_box(corners, [width, height])).with_mask(mask);
        detection.confidence = instance.score.map(f64::from);
        detections.push(detection);
    }
    Ok(Detections::new(detections))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [4, 6];

    /// One mask of 4 x 6 pixels, 0.00 to 0.23 row by row.
    fn mask() -> Vec<f32> {
        (0..24).map(|pixel| pixel as f32 / 100.0).collect()
    }

    fn instance(left: f32, top: f32, right: f32, bottom: f32) -> Instance {
        Instance {
            class: 0,
            score: Some(0.5),
            corners: Corners::new(left, top, right, bottom),
        }
    }

    /// The shape of the mask of one box, and which pixels of the picture's mask it has above `threshold`.
    fn cut(instance: Instance, threshold: f32) -> (Vec<usize>, Vec<bool>, [f64; 4]) {
        let values = mask();
        let masks = Masks::new(&values, SIZE).unwrap().with_threshold(threshold);
        let labels = label_instances(&[instance], &masks, &["a"], &PredictOptions::default()).unwrap();
        let detection = labels.detections.into_iter().next().unwrap();
        let mask = detection.mask.unwrap();
        let pixels = mask.to_f64().iter().map(|&value| value == 1.0).collect();
        (mask.shape().to_vec(), pixels, detection.bounding_box)
    }

    #[test]
    fn halves_are_rounded_to_even() {
        // Columns 0..2 (0.5 and 2.5 go down), rows 2..4 (1.5 and 3.5 go up).
        let (shape, pixels, _) = cut(instance(0.5, 1.5, 2.5, 3.5), 0.12);
        assert_eq!(shape, [2, 2]);
        // Pixels 12, 13, 18 and 19: 0.12 is not above 0.12.
        assert_eq!(pixels, [false, true, true, true]);
    }

    #[test]
    fn boxes_that_round_to_nothing_have_no_pixels() {
        assert_eq!(cut(instance(1.0, 1.5, 3.0, 2.5), 0.0).0, [0, 2]);
        // Edges in the wrong order.
        assert_eq!(cut(instance(4.0, 0.0, 2.0, 2.0), 0.0).0, [2, 0]);
    }

    #[test]
    fn a_box_ends_where_the_picture_does() {
        let (shape, pixels, bounding_box) = cut(instance(-3.0, 2.0, 3.0, 9.0), -1.0);
        assert_eq!((shape, pixels), (vec![2, 3], vec![true; 6]));
        assert_eq!(bounding_box, [0.0, 0.5, 0.5, 0.5]);
        assert_eq!(cut(instance(10.0, 0.0, 20.0, 2.0), 0.0).0, [2, 0]);
    }

    #[test]
    fn unsure_and_unwanted_objects_are_left_out_with_their_masks() {
        let values = [mask(), vec![1.0; 24], vec![0.0; 24]].concat();
        let masks = Masks::new(&values, SIZE).unwrap();
        let whole = instance(0.0, 0.0, 6.0, 4.0);
        let instances = [
            whole,
            Instance { class: 1, ..whole },
            Instance { score: None, ..whole },
        ];
        let label = |options: &PredictOptions| {
            let labels = label_instances(&instances, &masks, &["a", "b"], options).unwrap();
            let summary = |detection: &Detection| {
                let mask = detection.mask.as_ref().unwrap();
                (detection.confidence, mask.to_f64().iter().sum::<f64>())
            };
            labels.detections.iter().map(summary).collect::<Vec<_>>()
        };
        let mut options = PredictOptions::default();
        // Exactly at the threshold.
        options.confidence_threshold = Some(0.5);
        assert_eq!(
            label(&options),
            [(Some(0.5), 0.0), (Some(0.5), 24.0), (None, 0.0)]
        );
        options.classes = Some(vec!["b".to_owned()]);
        assert_eq!(label(&options), [(Some(0.5), 24.0)]);
        options.confidence_threshold = Some(0.6);
        assert_eq!(label(&options), []);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert!(Masks::new(&[0.0; 23], SIZE).is_err());
        assert!(Masks::new(&[], [0, 6]).is_err());
        let values = mask();
        let masks = Masks::new(&values, SIZE).unwrap();
        let error = |instances: &[Instance]| {
            let options = PredictOptions::default();
            label_instances(instances, &masks, &["a"], &options)
                .unwrap_err()
                .message()
                .to_owned()
        };
        let whole = instance(0.0, 0.0, 6.0, 4.0);
        assert!(error(&[]).contains("1 masks for 0 objects"));
        assert!(error(&[Instance { class: 1, ..whole }]).contains("class 1"));
        assert!(error(&[instance(f32::NAN, 0.0, 1.0, 1.0)]).contains("no number"));
    }
}
