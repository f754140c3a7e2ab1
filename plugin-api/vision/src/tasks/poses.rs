//! Where the points of persons are, by a map for each point of each person.
//!
//! Source: Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose Estimation" (2020), section 3.2, with
//! the parameters of transformers' `VitPoseImageProcessor`.

use super::{
    given::{Given, GivenBox},
    mask_maker::EITHER,
};
use crate::{
    processing::{Parts, Placed, Processing},
    repository::Repository,
    runner::Runner,
};
use modelzoo_candle::{
    candle_core::Tensor,
    device,
    keypoints::{self, Point},
};
use modelzoo_plugin_api::{
    Error, Image, Model, ModelInfo, Output, PredictOptions, Result, SampleFields, SampleModel,
    label::{Keypoint, Keypoints},
};
use rayon::prelude::*;

/// The name of the field with the persons' boxes.
const BOXES: &str = "boxes";
/// So many persons are looked at at once.
const AT_ONCE: usize = 16;

/// The Gaussian by which maps are smoothed: its deviation, and how many pixels it reaches.
const DEVIATION: f64 = 0.8;
const REACH: usize = 5;
/// Values whose logarithms are taken are at least and at most this.
const RANGE: [f32; 2] = [0.001, 50.0];

/// A finder of points.
#[derive(Debug)]
pub(super) struct PoseFinder {
    processing: Processing,
    parts: Parts,
    runner: Runner,
    names: Vec<String>,
    skeleton: Vec<[usize; 2]>,
}

impl PoseFinder {
    /// A finder of points of these names.
    pub(super) fn new(
        repository: &Repository,
        processing: Processing,
        runner: Runner,
        names: Vec<String>,
    ) -> Result<Self> {
        let parts = processing
            .parts()
            .ok_or_else(|| Error::new("the preprocessing takes no boxes of persons"))?;
        Ok(Self {
            processing,
            parts,
            runner,
            skeleton: skeleton(repository, names.len())?,
            names,
        })
    }

    /// The points in each box.
    fn find(&self, image: &Image<'_>, boxes: &[GivenBox], options: &PredictOptions) -> Result<Output> {
        let is_wanted = |given: &&GivenBox| {
            let label = given.label.as_ref();
            let wanted = options.classes.as_ref();
            wanted.is_none_or(|wanted| label.is_none_or(|label| wanted.contains(label)))
        };
        let boxes: Vec<&GivenBox> = boxes
            .iter()
            .filter(|given| given.bounding_box[2..].iter().all(|&side| side > 0.0))
            .filter(is_wanted)
            .collect();
        let mut found = Vec::new();
        for boxes in boxes.chunks(AT_ONCE) {
            let placed: Vec<Placed> = boxes
                .iter()
                .map(|given| self.parts.placed(image, given.bounding_box))
                .collect();
            let prepared = placed
                .par_iter()
                .map(|&placed| self.processing.part(image, placed))
                .collect::<Result<Vec<Vec<f32>>>>()?;
            let [height, width] = self.parts.size;
            let shape = (boxes.len(), 3, height, width);
            let batch = Tensor::from_vec(prepared.concat(), shape, self.runner.device())?;
            let maps = self.runner.forward(&batch)?.remove(0);
            let (_, _, height, width) = maps.dims4()?;
            let maps = maps.flatten_from(1)?.to_vec2::<f32>()?;
            for ((given, placed), maps) in boxes.iter().zip(placed).zip(maps) {
                let points: Vec<Point> = maps
                    .par_chunks_exact(height * width)
                    .map(|map| locate(map, [height, width], placed))
                    .collect();
                found.push(labelled(given, &points, image, options));
            }
        }
        Ok(Keypoints::new(found).into())
    }
}

/// The points of a box, with its class and its number.
fn labelled(given: &GivenBox, points: &[Point], image: &Image<'_>, options: &PredictOptions) -> Keypoint {
    let mut keypoint = keypoints::label(points, [image.width(), image.height()], options);
    keypoint.label.clone_from(&given.label);
    keypoint.index = given.index;
    keypoint
}

/// The lines between points that a configuration has.
fn skeleton(repository: &Repository, points: usize) -> Result<Vec<[usize; 2]>> {
    let config = &repository.config;
    let Some(value) = config.value("edges") else {
        return Ok(Vec::new());
    };
    let edges: Option<Vec<[usize; 2]>> = serde_json::from_value(value.clone()).ok();
    edges
        .filter(|edges| edges.iter().flatten().all(|&point| point < points))
        .ok_or_else(|| config.wrong("edges", "a list of pairs of points"))
}

/// The point of a map of `[height, width]`: where it is largest, and where between the pixels by the shape of the peak. None is
/// where nothing is above 0.
fn locate(map: &[f32], size: [usize; 2], placed: Placed) -> Point {
    let [_, width] = size;
    let best = map
        .iter()
        .enumerate()
        .reduce(|best, next| if next.1 > best.1 { next } else { best });
    let (place, score) = best.map_or((0, 0.0), |(place, &score)| (place, score));
    let [x, y] = [place % width, place / width];
    let [right, down] = refined(map, size, [x, y]);
    let position = placed.restored([x as f32 + right, y as f32 + down], size);
    Point {
        is_visible: score > 0.0,
        ..Point::new(position, score)
    }
}

/// How far the top of a peak is from its largest pixel, `[right, down]`: a Newton step of the logarithm of the smoothed map.
fn refined(map: &[f32], [height, width]: [usize; 2], [x, y]: [usize; 2]) -> [f32; 2] {
    let beside =
        |place: usize, offset: i64, count: usize| (place as i64 + offset).clamp(0, count as i64 - 1) as usize;
    let at = |right: i64, down: i64| {
        let value = smoothed(
            map,
            [height, width],
            [beside(x, right, width), beside(y, down, height)],
        );
        f64::from(value.clamp(RANGE[0], RANGE[1]).ln())
    };
    let middle = at(0, 0);
    let (left, right, above, below) = (at(-1, 0), at(1, 0), at(0, -1), at(0, 1));
    let slope = [0.5 * (right - left), 0.5 * (below - above)];
    let across = right - 2.0 * middle + left;
    let along = below - 2.0 * middle + above;
    let mixed = 0.5 * (at(1, 1) - right - below + 2.0 * middle - left - above + at(-1, -1));
    // So small a number keeps what is flat from having no solution.
    let small = f64::from(f32::EPSILON);
    let (across, along) = (across + small, along + small);
    let area = across * along - mixed * mixed;
    let step = [
        (along * slope[0] - mixed * slope[1]) / area,
        (across * slope[1] - mixed * slope[0]) / area,
    ];
    step.map(|step| if step.is_finite() { -step as f32 } else { 0.0 })
}

/// A pixel of the map that a Gaussian has smoothed, rows first; beyond its edges the map is mirrored.
fn smoothed(map: &[f32], [height, width]: [usize; 2], [x, y]: [usize; 2]) -> f32 {
    let weights = gaussian();
    let sum = |place: usize, count: usize, value: &dyn Fn(usize) -> f32| {
        let terms = weights.iter().enumerate().map(|(index, weight)| {
            let place = place as i64 + index as i64 - REACH as i64;
            weight * f64::from(value(mirrored(place, count)))
        });
        terms.sum::<f64>() as f32
    };
    sum(x, width, &|column| {
        sum(y, height, &|row| map[row * width + column])
    })
}

/// A place of a line that goes on beyond both of its ends as its mirror image.
fn mirrored(place: i64, count: usize) -> usize {
    let count = count as i64;
    let place = place.rem_euclid(2 * count);
    (if place < count {
        place
    } else {
        2 * count - 1 - place
    }) as usize
}

fn gaussian() -> [f64; 2 * REACH + 1] {
    let weight = |index: usize| {
        let distance = index as f64 - REACH as f64;
        (-0.5 / (DEVIATION * DEVIATION) * distance * distance).exp()
    };
    let mut weights: [f64; 2 * REACH + 1] = std::array::from_fn(weight);
    let sum: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= sum;
    }
    weights
}

impl Model for PoseFinder {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_keypoints(&self.names, self.skeleton.clone())
            .with_needed_fields([BOXES, EITHER])
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        let whole = GivenBox {
            bounding_box: [0.0, 0.0, 1.0, 1.0],
            label: None,
            index: None,
        };
        self.find(image, &[whole], options)
    }

    fn samples(&self) -> Option<&dyn SampleModel> {
        Some(self)
    }
}

impl SampleModel for PoseFinder {
    fn predict_samples(
        &self,
        images: &[Image<'_>],
        samples: &[SampleFields],
        options: &PredictOptions,
    ) -> Result<Vec<Result<Output>>> {
        let predict = |(image, sample): (&Image<'_>, &SampleFields)| {
            let given = match Given::read(sample, EITHER)? {
                None => Given::read(sample, BOXES)?,
                given => given,
            };
            match given {
                None => self.predict(image, options),
                Some(given) => self.find(image, &given.boxes(), options),
            }
        };
        Ok(images.iter().zip(samples).map(predict).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_between_pixels_is_found_where_it_is() {
        let (height, width) = (20, 16);
        let (x, y) = (6.3, 11.8);
        let map: Vec<f32> = (0..height)
            .flat_map(|row| {
                (0..width).map(move |column| {
                    let square =
                        (column as f32 - x) * (column as f32 - x) + (row as f32 - y) * (row as f32 - y);
                    (-square / 8.0).exp()
                })
            })
            .collect();
        let [right, down] = refined(&map, [height, width], [6, 12]);
        assert!((6.0 + right - x).abs() < 0.02, "{right}");
        assert!((12.0 + down - y).abs() < 0.02, "{down}");
    }

    #[test]
    fn a_line_is_mirrored_at_both_ends() {
        let places: Vec<usize> = (-4..8).map(|place| mirrored(place, 3)).collect();
        assert_eq!(places, [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
        assert!((gaussian().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_above_zero_is_no_point_and_a_flat_map_has_no_peak() {
        assert_eq!(refined(&[0.0; 16], [4, 4], [0, 0]), [0.0, 0.0]);
    }
}
