//! One object as COCO has it.

use crate::format::{
    Format,
    export::{Masks, object::Object},
    notes::Notes,
    shape::{Mask, PixelBox, Point, RunLengths, area, bounds, fill, outlines},
    visibility,
};
use modelzoo_plugin_api::label::{Detection, Keypoint, Polyline};
use serde::Serialize;

/// An annotation with what it belongs to.
#[derive(Serialize)]
pub(super) struct Numbered {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    pub image_id: u64,
    pub category_id: u64,
    #[serde(flatten)]
    pub annotation: Annotation,
}

/// What an object looks like.
#[derive(Serialize)]
pub(super) struct Annotation {
    bbox: PixelBox,
    area: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    segmentation: Option<Segmentation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keypoints: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_keypoints: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iscrowd: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Segmentation {
    Polygons(Vec<Vec<f64>>),
    RunLengths { size: [usize; 2], counts: String },
}

impl Annotation {
    /// `None`, with a note, for what COCO cannot hold.
    pub fn new(
        object: &Object<'_>,
        (width, height): (u32, u32),
        format: Format,
        masks: Masks,
        notes: &mut Notes,
    ) -> Option<Self> {
        let size = (width as usize, height as usize);
        let is_dataset = format == Format::Coco;
        // pycocotools takes results with run lengths alone.
        let masks = if is_dataset { masks } else { Masks::RunLengths };
        let mut annotation = match object {
            Object::Detection(detection) => Self::detection(detection, size, masks, notes),
            Object::Polyline(polyline) => Self::polyline(polyline, size, masks, notes)?,
            Object::Keypoint(keypoint) => Self::keypoint(keypoint, size, notes)?,
        };
        annotation.score = object.confidence();
        if is_dataset {
            annotation.iscrowd = Some(0);
        } else if annotation.score.is_none() {
            notes.add("objects without a confidence: their score is 1");
            annotation.score = Some(1.0);
        }
        Some(annotation)
    }

    fn boxed(bbox: PixelBox) -> Self {
        Self {
            bbox,
            area: bbox[2] * bbox[3],
            segmentation: None,
            keypoints: None,
            num_keypoints: None,
            iscrowd: None,
            score: None,
        }
    }

    fn detection(detection: &Detection, size: (usize, usize), masks: Masks, notes: &mut Notes) -> Self {
        let [x, y, width, height] = detection.bounding_box;
        let (w, h) = (size.0 as f64, size.1 as f64);
        let mut annotation = Self::boxed([x * w, y * h, width * w, height * h]);
        if detection.mask.is_none() && detection.mask_path.is_some() {
            notes.add("masks left out: they are in files");
        }
        if let Some(mask) = detection.mask.as_ref().and_then(Mask::from_array) {
            let mask = mask.placed(detection.bounding_box, size.0, size.1);
            annotation.area = mask.area() as f64;
            annotation.segmentation = Some(match masks {
                Masks::RunLengths => Segmentation::of_mask(&mask),
                Masks::Polygons => {
                    Segmentation::Polygons(outlines(&mask).iter().map(|line| flat(line)).collect())
                }
            });
        }
        annotation
    }

    fn polyline(polyline: &Polyline, size: (usize, usize), masks: Masks, notes: &mut Notes) -> Option<Self> {
        if !polyline.closed && !polyline.filled {
            notes.add("open lines left out: COCO has closed outlines only");
            return None;
        }
        let lines: Vec<Vec<Point>> = polyline
            .points
            .iter()
            // Fewer are no area, and pycocotools takes four numbers for a box.
            .filter(|line| line.len() >= 3)
            .map(|line| in_pixels(line, size))
            .collect();
        let Some(bbox) = bounds(lines.iter().flatten()) else {
            notes.add("outlines left out: they have fewer than three points");
            return None;
        };
        let mut annotation = Self::boxed(bbox);
        annotation.area = lines.iter().map(|line| area(line).abs()).sum();
        annotation.segmentation = Some(match masks {
            Masks::Polygons => Segmentation::Polygons(lines.iter().map(|line| flat(line)).collect()),
            Masks::RunLengths => {
                let Ok(mask) = fill(&lines, size.0, size.1) else {
                    notes.add("outlines left out: they are longer than any picture needs");
                    return None;
                };
                Segmentation::of_mask(&mask)
            }
        });
        Some(annotation)
    }

    fn keypoint(keypoint: &Keypoint, size: (usize, usize), notes: &mut Notes) -> Option<Self> {
        let points = in_pixels(&keypoint.points, size);
        let Some(bbox) = bounds(&points) else {
            notes.add("sets of keypoints left out: all of their points are missing");
            return None;
        };
        let mut annotation = Self::boxed(bbox);
        let visible = |index| visibility::of_point(keypoint, index);
        annotation.num_keypoints = Some((0..points.len()).filter(|&index| visible(index) > 0).count());
        let triple = |(index, [x, y]): (usize, &Point)| match visible(index) {
            0 => [0.0; 3],
            visible => [*x, *y, f64::from(visible)],
        };
        annotation.keypoints = Some(points.iter().enumerate().flat_map(triple).collect());
        Some(annotation)
    }
}

impl Segmentation {
    fn of_mask(mask: &Mask) -> Self {
        let lengths = RunLengths::encode(mask);
        Self::RunLengths {
            size: [lengths.height, lengths.width],
            counts: lengths.to_text(),
        }
    }
}

fn in_pixels(points: &[Point], (width, height): (usize, usize)) -> Vec<Point> {
    points
        .iter()
        .map(|[x, y]| [x * width as f64, y * height as f64])
        .collect()
}

fn flat(points: &[Point]) -> Vec<f64> {
    points.iter().flatten().copied().collect()
}
