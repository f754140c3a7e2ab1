//! Objects among the boxes around the places of maps, as RetinaNet and SSD find them.

use super::{
    Defaults,
    maps::{Map, surest},
};
use crate::{
    architectures::{Detector, Judgement},
    processing::{Prepared, Processing},
    runner::Runner,
};
use modelzoo_candle::{
    classifier::sigmoid,
    detection::{self, Candidate},
    device,
};
use modelzoo_plugin_api::{Image, Model, ModelInfo, Output, PredictOptions, Result};

/// A detector.
#[derive(Debug)]
pub(super) struct BoxDetector {
    processing: Processing,
    runner: Runner,
    classes: Vec<String>,
    detector: Detector,
    /// How many maps the network has.
    maps: usize,
    defaults: Defaults,
}

impl BoxDetector {
    /// A detector of these classes, of a network with so many maps.
    pub(super) fn new(
        processing: Processing,
        runner: Runner,
        classes: Vec<String>,
        (detector, maps): (Detector, usize),
        defaults: Defaults,
    ) -> Self {
        Self {
            processing,
            runner,
            classes,
            detector,
            maps,
            defaults,
        }
    }

    /// The objects of a picture, in parts of it.
    fn detect(&self, picture: &Prepared, options: &PredictOptions) -> Result<Output> {
        let outputs = self.runner.forward(&picture.tensor(self.runner.device())?)?;
        let (logits, differences) = outputs.split_at(self.maps.min(outputs.len()));
        let maps = Map::all(&self.detector, logits, differences, picture.padded)?;
        let candidates = match self.detector.judgement {
            Judgement::Each => self.each(&maps, picture),
            Judgement::Likeliest => self.likeliest(&maps),
            Judgement::Exclusive => self.exclusive(&maps, picture),
        };
        let [height, width] = picture.original.map(|side| side as f32);
        let mut found = self.detector.selection.suppression().apply(candidates);
        for candidate in &mut found {
            let corners = picture.restored(candidate.corners).relative_to(width, height);
            candidate.corners = corners.clamped_to(1.0, 1.0);
        }
        if self.detector.judgement == Judgement::Likeliest {
            // What is beside the picture, where it was made square, is none of its objects.
            found.retain(|candidate| candidate.corners.area() > 0.0);
        }
        Ok(detection::label(&found, &self.classes, options)?.into())
    }

    /// Pairs of a box and a class, the surest of each map.
    fn each(&self, maps: &[Map], picture: &Prepared) -> Vec<Candidate> {
        let selection = self.detector.selection;
        let classes = self.classes.len();
        let least = least_logit(selection.threshold);
        let mut candidates = Vec::new();
        for map in maps {
            let mut sure = Vec::new();
            for (channel, plane) in map.logits.chunks_exact(map.area()).enumerate() {
                for (place, &logit) in plane.iter().enumerate() {
                    if logit < least {
                        continue;
                    }
                    let score = sigmoid(logit);
                    if score > selection.threshold {
                        // In torch's order: place by place, box by box, class by class.
                        sure.push((score, place * map.anchors.count() * classes + channel));
                    }
                }
            }
            candidates.extend(
                surest(sure, selection.considered)
                    .into_iter()
                    .map(|(score, index)| Candidate {
                        class: index % classes,
                        score,
                        corners: picture.clamped(map.corners(self.detector.coding, index / classes)),
                    }),
            );
        }
        candidates
    }

    /// Boxes with the likeliest class of each; how likely there is an object at all is known beside the classes.
    fn likeliest(&self, maps: &[Map]) -> Vec<Candidate> {
        let threshold = self.detector.selection.threshold;
        let mut candidates = Vec::new();
        for map in maps {
            let planes: Vec<&[f32]> = map.logits.chunks_exact(map.area()).collect();
            let Some((objects, classes)) = planes.split_last() else {
                continue;
            };
            for (place, &logit) in objects.iter().enumerate() {
                let is_object = sigmoid(logit);
                // No class is surer than certain.
                if is_object < threshold {
                    continue;
                }
                let logits = classes.iter().map(|plane| plane[place]).enumerate();
                let best = logits.reduce(|best, next| if next.1 > best.1 { next } else { best });
                if let Some((class, logit)) = best
                    && is_object * sigmoid(logit) >= threshold
                {
                    candidates.push(Candidate {
                        class,
                        score: is_object * sigmoid(logit),
                        corners: map.corners(self.detector.coding, place),
                    });
                }
            }
        }
        candidates
    }

    /// Boxes with one class each, the surest of each class; the first class is none.
    fn exclusive(&self, maps: &[Map], picture: &Prepared) -> Vec<Candidate> {
        let selection = self.detector.selection;
        let classes = self.classes.len();
        let mut sure: Vec<Vec<(f32, (usize, usize))>> = vec![Vec::new(); classes];
        for (index, map) in maps.iter().enumerate() {
            let area = map.area();
            let count = map.anchors.count();
            for (number, logits) in map.logits.chunks_exact(classes * area).enumerate() {
                let scale = Scale::of(logits, area);
                for (class, plane) in logits.chunks_exact(area).enumerate().skip(1) {
                    for (place, &logit) in plane.iter().enumerate() {
                        let score = scale.probability(place, logit);
                        if score > selection.threshold {
                            sure[class].push((score, (index, place * count + number)));
                        }
                    }
                }
            }
        }
        let mut candidates = Vec::new();
        for (class, sure) in sure.into_iter().enumerate() {
            for (score, (map, index)) in surest(sure, selection.considered) {
                candidates.push(Candidate {
                    class,
                    score,
                    corners: picture.clamped(maps[map].corners(self.detector.coding, index)),
                });
            }
        }
        candidates
    }
}

/// What turns the logits of each place into probabilities of classes that exclude each other.
struct Scale {
    largest: Vec<f32>,
    sums: Vec<f32>,
}

impl Scale {
    /// Of logits `[classes, places]`.
    fn of(logits: &[f32], places: usize) -> Self {
        let mut largest = vec![f32::NEG_INFINITY; places];
        for plane in logits.chunks_exact(places) {
            for (largest, &logit) in largest.iter_mut().zip(plane) {
                *largest = largest.max(logit);
            }
        }
        let mut sums = vec![0.0; places];
        for plane in logits.chunks_exact(places) {
            for ((sum, largest), &logit) in sums.iter_mut().zip(&largest).zip(plane) {
                *sum += (logit - largest).exp();
            }
        }
        Self { largest, sums }
    }

    fn probability(&self, place: usize, logit: f32) -> f32 {
        (logit - self.largest[place]).exp() / self.sums[place]
    }
}

/// A logit below which no sigmoid is above the threshold, rounding included.
fn least_logit(threshold: f32) -> f32 {
    const MARGIN: f32 = 0.01;
    (threshold / (1.0 - threshold)).ln() - MARGIN
}

impl Model for BoxDetector {
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
        let options = self.defaults.complete(options);
        let prepared = self.processing.prepare_all(&self.detector.transform, images);
        let detect = |picture: Result<Prepared>| self.detect(&picture?, &options);
        Ok(prepared.into_iter().map(detect).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_logit_is_passed_over_that_is_sure_enough() {
        for threshold in [0.0, 0.001, 0.05, 0.5, 0.99, 1.0] {
            let least = least_logit(threshold);
            assert!(
                least == f32::INFINITY || sigmoid(least) <= threshold,
                "{threshold}"
            );
        }
    }

    #[test]
    fn probabilities_add_up_to_one() {
        let logits = [1.0, -2.0, 500.0, 0.5, 3.0, 499.0];
        let scale = Scale::of(&logits, 2);
        for place in 0..2 {
            let sum: f32 = (0..3)
                .map(|class| scale.probability(place, logits[class * 2 + place]))
                .sum();
            assert!((sum - 1.0).abs() < 1e-6);
        }
    }
}
