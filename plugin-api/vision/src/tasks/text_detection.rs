//! Outlines of lines of text.

use super::outlines::{self, Point, Region};
use crate::{processing::Processing, runner::Runner, settings::Settings};
use modelzoo_candle::{candle_core::Tensor, device};
use modelzoo_plugin_api::{
    Image, Model, ModelInfo, Output, PredictOptions, Result,
    label::{Polyline, Polylines},
};

/// Below this score a line is none, unless the user says otherwise; PaddleOCR's default.
const THRESHOLD: f64 = 0.6;
/// Outlines whose tops are fewer pixels apart are on one line, from the left to the right.
const SAME_LINE: f64 = 10.0;

/// A detector of text.
#[derive(Debug)]
pub(super) struct TextDetector {
    processing: Processing,
    runner: Runner,
    classes: Vec<String>,
    threshold: f64,
}

impl TextDetector {
    /// A detector whose only class has this name.
    pub(super) fn new(
        processing: Processing,
        runner: Runner,
        classes: Vec<String>,
        settings: &Settings,
    ) -> Self {
        Self {
            processing,
            runner,
            classes,
            threshold: settings.score_threshold.map_or(THRESHOLD, f64::from),
        }
    }

    fn detect(&self, picture: &Tensor, size: [usize; 2], options: &PredictOptions) -> Result<Output> {
        let map = self.runner.forward(picture)?.remove(0);
        let (_, _, height, width) = map.dims4()?;
        let values = map.flatten_all()?.to_vec1::<f32>()?;
        let threshold = options.confidence_threshold.unwrap_or(self.threshold);
        let mut lines: Vec<Region> = outlines::find(&values, [height, width], threshold)
            .into_iter()
            .map(|region| restored(region, [height, width], size))
            .collect();
        in_reading_order(&mut lines);
        let name = self.classes.first().map_or("text", String::as_str);
        let [height, width] = size.map(|side| side as f64);
        let outline = |line: Region| {
            let points = line.corners.map(|[x, y]| [x / width, y / height]);
            Polyline::new(name, vec![points.to_vec()])
                .into_polygon()
                .with_confidence(line.score)
        };
        Ok(Polylines::new(lines.into_iter().map(outline).collect()).into())
    }
}

/// A region of a map of `from` as one of a picture of `to`, in whole pixels of it.
fn restored(region: Region, from: [usize; 2], to: [usize; 2]) -> Region {
    let place = |place: f64, axis: usize| {
        let (from, to) = (from[axis] as f64, to[axis] as f64);
        (place * (to / from)).round_ties_even().clamp(0.0, to)
    };
    Region {
        corners: region.corners.map(|[x, y]: Point| [place(x, 1), place(y, 0)]),
        ..region
    }
}

/// Sorts outlines as people read them: from the top to the bottom, and on a line from the left to the right.
fn in_reading_order(lines: &mut [Region]) {
    let start = |line: &Region| line.corners[0];
    lines.sort_by(|left, right| {
        let ([left_x, left_y], [right_x, right_y]) = (start(left), start(right));
        left_y.total_cmp(&right_y).then(left_x.total_cmp(&right_x))
    });
    for last in 1..lines.len() {
        for place in (0..last).rev() {
            let ([x, y], [next_x, next_y]) = (start(&lines[place]), start(&lines[place + 1]));
            if (next_y - y).abs() >= SAME_LINE || next_x >= x {
                break;
            }
            lines.swap(place, place + 1);
        }
    }
}

impl Model for TextDetector {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(&self.classes)
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.predict_all(std::slice::from_ref(image), options)?.remove(0)
    }

    fn predict_all(&self, images: &[Image<'_>], options: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let prepared = self.processing.tensors(images, self.runner.device());
        let detect = |(picture, image): (Result<Tensor>, &Image<'_>)| {
            self.detect(&picture?, [image.height(), image.width()], options)
        };
        Ok(prepared.into_iter().zip(images).map(detect).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_in_the_order_in_which_they_are_read() {
        let region = |x: f64, y: f64| Region {
            corners: [[x, y]; 4],
            score: 1.0,
        };
        let mut lines = [
            region(5.0, 100.0),
            region(50.0, 10.0),
            region(8.0, 14.0),
            region(90.0, 12.0),
        ];
        in_reading_order(&mut lines);
        let starts: Vec<f64> = lines.iter().map(|line| line.corners[0][0]).collect();
        assert_eq!(starts, [8.0, 50.0, 90.0, 5.0]);
    }
}
