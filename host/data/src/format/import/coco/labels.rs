//! The labels of one image.

use super::{
    super::{FormatError, ImportReport, Place, objects::Objects},
    read::{Annotation, Bbox},
    segmentation::Segmentation,
};
use crate::{
    format::{shape::PixelBox, visibility},
    label::Fields,
};
use modelzoo_plugin_api::label::{Classification, Detection, Keypoint};
use serde_json::Value;

/// How many pixels the masks of an image may have together: they are in memory until the image is done.
const MOST_MASK_PIXELS: usize = 1 << 29;

/// What an attribute must not be called: a label has it already.
const OWN_NAMES: [&str; 8] = [
    "_cls",
    "_id",
    "label",
    "bounding_box",
    "mask",
    "confidence",
    "index",
    "tags",
];

#[derive(Default)]
pub(super) struct Labels {
    objects: Objects,
    mask_pixels: usize,
}

impl Labels {
    /// Adds what an annotation says, in an image of this size where that is known; reports what it cannot say.
    pub fn add(
        &mut self,
        class: String,
        annotation: Annotation,
        size: Option<(u32, u32)>,
        place: &Place<'_>,
        report: &mut ImportReport,
    ) -> Result<(), FormatError> {
        let is_of_image = annotation.bbox == Bbox::Absent
            && annotation.segmentation == Segmentation::None
            && annotation.keypoints.is_none();
        if is_of_image {
            let mut classification = Classification::new(class);
            classification.confidence = annotation.score;
            classification.attributes.extend(facts(&annotation));
            self.objects.classes.push(classification);
            return Ok(());
        }
        let Some(size) = size else {
            let problem = "the size of its image is not told, and the picture cannot be read";
            return report.lose(place.error(problem));
        };
        if let Some(points) = &annotation.keypoints {
            let mut keypoint = keypoint(&class, points, size);
            keypoint.attributes.extend(facts(&annotation));
            self.objects.keypoints.push(keypoint);
            if annotation.bbox == Bbox::Absent {
                return Ok(());
            }
        }
        self.add_object(class, annotation, size, place, report)
    }

    fn add_object(
        &mut self,
        class: String,
        annotation: Annotation,
        size: (u32, u32),
        place: &Place<'_>,
        report: &mut ImportReport,
    ) -> Result<(), FormatError> {
        let facts: Vec<_> = facts(&annotation).collect();
        let pixels = match annotation.segmentation.pixels(size) {
            Ok(pixels) => pixels,
            Err(problem) => {
                report.lose(place.error(format!("its mask is left out: {problem}")))?;
                None
            }
        };
        let told: Option<PixelBox> = match annotation.bbox {
            Bbox::Pixels(told) => Some(told),
            Bbox::Broken | Bbox::Absent => annotation
                .segmentation
                .corners()
                .or_else(|| Some(pixels.as_ref()?.bounds())),
        };
        let Some(told) = told else {
            return report.lose(place.error("its `bbox` is no box"));
        };
        let (width, height) = (size.0 as usize, size.1 as usize);
        let (bounding_box, mask) = match pixels {
            Some(pixels) => {
                let (grown, mask) = pixels.within(told, width, height);
                if grown != told {
                    report.note(
                        "boxes are smaller than their masks: they are made as large",
                        place.error(&class),
                    );
                }
                (grown, Some(mask))
            }
            None => (told, None),
        };
        let [x, y, w, h] = bounding_box;
        let (width, height) = (f64::from(size.0), f64::from(size.1));
        let mut detection = Detection::new(class, [x / width, y / height, w / width, h / height]);
        detection.confidence = annotation.score;
        let own_area = mask.as_ref().map_or(w * h, |mask| mask.area() as f64);
        if let Some(mask) = mask {
            self.mask_pixels += mask.pixels.len();
            if self.mask_pixels > MOST_MASK_PIXELS {
                report.lose(place.error("its mask is left out: the masks of one image are too many"))?;
            } else {
                detection.mask = Some(mask.to_array());
            }
        }
        if annotation.is_crowd {
            detection.attributes.insert("iscrowd".to_owned(), 1.into());
        }
        // What the mask or the box says as well is not said twice.
        if let Some(area) = annotation
            .area
            .filter(|area| (area - own_area).abs() > AREA_TOLERANCE * own_area)
        {
            detection.attributes.insert("area".to_owned(), area.into());
        }
        detection.attributes.extend(facts);
        self.objects.detections.push(detection);
        Ok(())
    }

    /// The labels in their fields; boxes in the one of this name.
    pub fn into_fields(self, field: &str) -> Fields {
        self.objects.into_fields(field)
    }
}

/// So much of itself may an area differ from that of the mask or the box and still be the same.
const AREA_TOLERANCE: f64 = 1e-9;

/// The further facts that are single values.
fn facts(annotation: &Annotation) -> impl Iterator<Item = (String, Value)> {
    let is_kept = |(name, value): &(&String, &Value)| {
        let is_single = matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_));
        is_single && !OWN_NAMES.contains(&name.as_str())
    };
    let attributes = annotation.attributes.iter().filter(is_kept);
    attributes.map(|(name, value)| (name.clone(), value.clone()))
}

/// A point that is not labelled is missing; whether one that is can be seen is kept beside.
fn keypoint(class: &str, points: &[[f64; 3]], (width, height): (u32, u32)) -> Keypoint {
    let (width, height) = (f64::from(width), f64::from(height));
    let place = |&[x, y, visible]: &[f64; 3]| match visible > 0.0 {
        true => [x / width, y / height],
        false => [f64::NAN; 2],
    };
    let mut keypoint = Keypoint::new(points.iter().map(place).collect()).with_label(class);
    let visible: Vec<u8> = points.iter().map(|[_, _, visible]| *visible as u8).collect();
    visibility::put(&mut keypoint, &visible);
    keypoint
}
