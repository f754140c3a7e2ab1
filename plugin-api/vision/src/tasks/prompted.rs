//! Masks of what the boxes and points of a field are at.

use super::{
    everything,
    given::{Given, GivenBox},
    given_points::{self, GivenPoints},
    mask_maker::{AT_ONCE, BOXES, EITHER, MaskMaker, POINTS, cut, no_prompts},
};
use crate::{
    architectures::{Choice, Prompt},
    processing::Processing,
    prompts::Pointed,
    runner::Runner,
    settings::Settings,
};
use modelzoo_candle::{candle_core::Tensor, device};
use modelzoo_plugin_api::{
    Error, ErrorKind, Image, Model, ModelInfo, Output, PredictOptions, Result, SampleFields, SampleModel,
    label::{Detection, Detections},
};
use rayon::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

/// A segmenter of what it is asked about.
#[derive(Debug)]
pub(super) struct PromptedSegmenter {
    masks: MaskMaker,
    /// Whether the best of several masks is taken.
    takes_best: Option<bool>,
    /// So many points along each side of the picture are asked about, instead of what fields point at.
    points_per_side: Option<usize>,
}

/// An object that a field points at, relative to the picture.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// `[x, y, width, height]`
    bounding_box: Option<[f64; 4]>,
    points: Vec<([f64; 2], bool)>,
    label: Option<String>,
    index: Option<i64>,
}

impl Asked {
    fn new(around: Option<GivenBox>, at: Option<GivenPoints>) -> Self {
        let at = at.unwrap_or_default();
        let (bounding_box, label, index) = match around {
            Some(around) => (Some(around.bounding_box), around.label, around.index),
            None => (None, None, None),
        };
        Self {
            bounding_box,
            points: at.points,
            // Those of the box have precedence.
            label: label.or(at.label),
            index: index.or(at.index),
        }
    }

    /// Whether it points at anything: a box has an area, and points are not all missing.
    fn is_somewhere(&self) -> bool {
        match self.bounding_box {
            Some([.., width, height]) => width > 0.0 && height > 0.0,
            None => !self.points.is_empty(),
        }
    }

    /// The same in pixels of a picture of `[height, width]`.
    fn prompt(&self, [height, width]: [usize; 2]) -> Prompt {
        let [high, wide] = [height as f64, width as f64];
        let points = self.points.iter();
        Prompt {
            points: points
                .map(|&([x, y], is_inside)| ([x * wide, y * high], is_inside))
                .collect(),
            edges: self
                .bounding_box
                .map(|[x, y, width, height]| [x * wide, y * high, (x + width) * wide, (y + height) * high]),
        }
    }
}

impl PromptedSegmenter {
    /// A segmenter, as the settings want it.
    ///
    /// # Errors
    /// When it shall ask about no points, or about too many.
    pub(super) fn new(processing: Processing, runner: Runner, settings: &Settings) -> Result<Self> {
        everything::check(settings.points_per_side)?;
        Ok(Self {
            masks: MaskMaker {
                processing,
                runner,
                threshold: settings.score_threshold,
                mask_threshold: settings.mask_threshold.unwrap_or(0.0),
            },
            takes_best: settings.multimask_output,
            points_per_side: settings.points_per_side,
        })
    }

    /// The objects of a picture that a sample's fields point at.
    fn segment(
        &self,
        image: &Image<'_>,
        picture: &Tensor,
        asked: &[Asked],
        options: &PredictOptions,
    ) -> Result<Output> {
        if asked.is_empty() {
            return Ok(Detections::new(Vec::new()).into());
        }
        let runner = self.masks.runner.prompts().ok_or_else(no_prompts)?;
        let size = [image.height(), image.width()];
        let filled = self.masks.processing.filled(size);
        let prompts: Vec<Prompt> = asked.iter().map(|asked| asked.prompt(filled)).collect();
        let mut by_tokens: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, prompt) in prompts.iter().enumerate() {
            by_tokens.entry(runner.tokens(prompt)).or_default().push(index);
        }
        let features = self.masks.runner.forward(picture)?;
        let mut found = vec![None; asked.len()];
        for indices in by_tokens.values().flat_map(|indices| indices.chunks(AT_ONCE)) {
            let together: Vec<&Prompt> = indices.iter().map(|&index| &prompts[index]).collect();
            let pointed = self.masks.runner.point(&features, &together)?;
            let labelled = pointed
                .par_iter()
                .zip(indices)
                .map(|(pointed, &index)| {
                    let detection = self.label(pointed, &asked[index], (filled, size), options)?;
                    Ok((index, detection))
                })
                .collect::<Result<Vec<_>>>()?;
            for (index, detection) in labelled {
                found[index] = detection;
            }
        }
        Ok(Detections::new(found.into_iter().flatten().collect()).into())
    }

    /// The object that a prompt points at in a picture of a size, which fills so much of what the network sees; `None` where
    /// it has no pixel, or is not sure enough.
    fn label(
        &self,
        pointed: &Pointed,
        asked: &Asked,
        (filled, size): ([usize; 2], [usize; 2]),
        options: &PredictOptions,
    ) -> Result<Option<Detection>> {
        let index = self.chosen(pointed, asked)?;
        let score = pointed.scores[index];
        let threshold = options
            .confidence_threshold
            .or(self.masks.threshold.map(f64::from));
        if threshold.is_some_and(|threshold| f64::from(score) < threshold) {
            return Ok(None);
        }
        let mask = self.masks.enlarged(pointed, index, (filled, size))?;
        let Some((bounding_box, pixels)) = cut(&mask, self.masks.mask_threshold, size)? else {
            return Ok(None);
        };
        let mut detection = Detection::new("", bounding_box).with_mask(pixels);
        detection.label.clone_from(&asked.label);
        detection.index = asked.index;
        // It is an estimate of how much the mask and the object overlap, and may be above 1.
        detection.confidence = Some(f64::from(score.clamp(0.0, 1.0)));
        Ok(Some(detection))
    }

    /// Which of a prompt's masks is taken: the first one, or the best one of the others.
    fn chosen(&self, pointed: &Pointed, asked: &Asked) -> Result<usize> {
        let others = pointed.scores.iter().copied().enumerate().skip(1);
        let best = others.reduce(|best, next| if next.1 > best.1 { next } else { best });
        let best = best.map_or(0, |(index, _)| index);
        if self.takes_best.unwrap_or(asked.bounding_box.is_none()) {
            return Ok(best);
        }
        let choice = self.masks.runner.prompts().ok_or_else(no_prompts)?.choice();
        Ok(match choice {
            Choice::First => 0,
            Choice::FirstWhereStable([threshold, part]) => {
                let logits = pointed.mask(0)?;
                let above = |threshold: f32| logits.iter().filter(|&&logit| logit > threshold).count() as f32;
                let (smaller, larger) = (above(threshold), above(-threshold));
                let is_stable = larger == 0.0 || smaller / larger >= part;
                if is_stable { 0 } else { best }
            }
        })
    }
}

fn is_of_points(label: &Value) -> bool {
    let kind = label.get("_cls").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.starts_with("Keypoint"))
}

/// What a sample's fields point at; with boxes and points, each box and the points beside it are one object.
fn asked(sample: &SampleFields, options: &PredictOptions) -> Result<Vec<Asked>> {
    // Who names it means no other, whatever other fields are called.
    let either = sample.get(EITHER).filter(|value| !value.is_null());
    let (boxes, points) = match either {
        None => (Given::read(sample, BOXES)?, given_points::read(sample, POINTS)?),
        Some(value) if is_of_points(value) => (None, given_points::read(sample, EITHER)?),
        Some(_) => (Given::read(sample, EITHER)?, None),
    };
    let boxes = boxes.map(Given::boxes);
    let all: Vec<Asked> = match (boxes, points) {
        (None, None) => return Err(no_prompts()),
        (Some(boxes), None) => boxes.into_iter().map(|one| Asked::new(Some(one), None)).collect(),
        (None, Some(points)) => points
            .into_iter()
            .map(|one| Asked::new(None, Some(one)))
            .collect(),
        (Some(boxes), Some(points)) if boxes.len() == points.len() => {
            let pairs = boxes.into_iter().zip(points);
            pairs
                .map(|(around, at)| Asked::new(Some(around), Some(at)))
                .collect()
        }
        (Some(boxes), Some(points)) => {
            return Err(Error::new(format!(
                "the field for `{BOXES}` has {} objects and that for `{POINTS}` has {}",
                boxes.len(),
                points.len()
            ))
            .with_kind(ErrorKind::InvalidInput)
            .with_hint("with both, each box and the points at its place in the list are one object; give one of them"));
        }
    };
    let is_wanted = |asked: &Asked| {
        let wanted = options.classes.as_ref();
        wanted.is_none_or(|wanted| asked.label.as_ref().is_none_or(|label| wanted.contains(label)))
    };
    let wanted = all
        .into_iter()
        .filter(|asked| asked.is_somewhere() && is_wanted(asked));
    Ok(wanted.collect())
}

impl Model for PromptedSegmenter {
    fn info(&self) -> ModelInfo {
        let fields: &[&str] = match self.points_per_side {
            None => &[BOXES, POINTS, EITHER],
            Some(_) => &[],
        };
        ModelInfo::image()
            .with_needed_fields(fields.iter().copied())
            .on_device(device::name(self.masks.runner.device()))
            .with_precision(self.masks.runner.precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        let per_side = self.points_per_side.ok_or_else(no_prompts)?;
        everything::masks(&self.masks, image, per_side, options)
    }

    fn samples(&self) -> Option<&dyn SampleModel> {
        match self.points_per_side {
            None => Some(self),
            Some(_) => None,
        }
    }
}

/// A picture, ready for the network where something is asked about it.
struct Prepared {
    asked: Vec<Asked>,
    picture: Option<Tensor>,
}

impl SampleModel for PromptedSegmenter {
    fn predict_samples(
        &self,
        images: &[Image<'_>],
        samples: &[SampleFields],
        options: &PredictOptions,
    ) -> Result<Vec<Result<Output>>> {
        // Pictures that nobody points at are not prepared.
        let all: Vec<Result<Prepared>> = images
            .par_iter()
            .zip(samples)
            .map(|(image, sample)| {
                let asked = asked(sample, options)?;
                let picture = if asked.is_empty() {
                    None
                } else {
                    Some(self.masks.processing.tensor(image, self.masks.runner.device())?)
                };
                Ok(Prepared { asked, picture })
            })
            .collect();
        let segment = |(prepared, image): (Result<Prepared>, &Image<'_>)| {
            let Prepared { asked, picture } = prepared?;
            match picture {
                Some(picture) => self.segment(image, &picture, &asked, options),
                None => Ok(Detections::new(Vec::new()).into()),
            }
        };
        Ok(all.into_iter().zip(images).map(segment).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn boxes_and_points_are_asked_about_together() {
        let boxes = json!({"_cls": "Detections", "detections": [
            {"bounding_box": [0.1, 0.2, 0.3, 0.4], "label": "cat", "index": 1},
            {"bounding_box": [0.0, 0.0, 0.0, 0.4], "label": "cat"},
        ]});
        let points = json!({"_cls": "Keypoints", "keypoints": [
            {"points": [[0.5, 0.5]], "label": "dog", "index": 2},
            {"points": [[0.5, 0.5], [0.25, 0.5]], "sam_labels": [0, 1]},
        ]});
        let sample = |fields: &[(&str, &Value)]| -> SampleFields {
            let fields = fields.iter();
            fields
                .map(|(name, value)| ((*name).to_owned(), (*value).clone()))
                .collect()
        };
        let options = PredictOptions::default();
        let both = asked(&sample(&[("boxes", &boxes), ("points", &points)]), &options).unwrap();
        // A box without an area is nowhere.
        assert_eq!(both.len(), 1);
        assert_eq!((both[0].label.as_deref(), both[0].index), (Some("cat"), Some(1)));
        let prompt = both[0].prompt([10, 100]);
        assert_eq!(prompt.points, [([50.0, 5.0], true)]);
        assert_eq!(prompt.edges, Some([10.0, 2.0, 40.0, 6.000_000_000_000_001]));
        for (field, label) in [(&boxes, Some("cat")), (&points, Some("dog"))] {
            let either = asked(&sample(&[("prompt_field", field)]), &options).unwrap();
            assert_eq!(either[0].label.as_deref(), label);
        }
        let named = asked(&sample(&[("prompt_field", &points), ("boxes", &boxes)]), &options).unwrap();
        assert_eq!(named[0].label.as_deref(), Some("dog"));
        let only_points = asked(&sample(&[("points", &points)]), &options).unwrap();
        assert_eq!(only_points.len(), 2);
        assert_eq!(only_points[1].points, [([0.5, 0.5], false), ([0.25, 0.5], true)]);
        let mut of_dogs = PredictOptions::default();
        of_dogs.classes = Some(vec!["dog".to_owned()]);
        // What has no class is kept.
        assert_eq!(asked(&sample(&[("points", &points)]), &of_dogs).unwrap().len(), 2);
        let one = json!({"_cls": "Keypoint", "points": [[0.5, 0.5]]});
        let error = asked(&sample(&[("boxes", &boxes), ("points", &one)]), &options).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("has 2 objects and that for `points` has 1"),
            "{error}"
        );
        assert!(
            asked(&SampleFields::new(), &options)
                .unwrap_err()
                .to_string()
                .contains("neither")
        );
    }
}
