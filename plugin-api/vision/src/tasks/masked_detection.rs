//! Objects with boxes and masks, as DETR's relatives find them.

use super::{enlarged::Enlarged, queries::products};
use crate::{processing::Processing, runner::Runner, settings::Settings};
use modelzoo_candle::{
    candle_core::{Device, Tensor},
    classifier::sigmoid,
    detection::{self, Corners, Instance},
    device,
};
use modelzoo_plugin_api::{Error, Image, Model, ModelInfo, Output, PredictOptions, Result};
use rayon::prelude::*;

/// Below this score an object is none, unless the user says otherwise; transformers' default.
const THRESHOLD: f32 = 0.5;

/// A detector; each pair of an object and a class is judged by itself.
#[derive(Debug)]
pub(super) struct MaskedDetector {
    processing: Processing,
    runner: Runner,
    classes: Vec<String>,
    threshold: f32,
}

/// An object that a query found.
#[derive(Clone, Copy, Debug)]
struct Found {
    query: usize,
    class: usize,
    score: f32,
}

impl MaskedDetector {
    /// A detector of these classes.
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
            threshold: settings.score_threshold.unwrap_or(THRESHOLD),
        }
    }

    fn detect(&self, picture: &Tensor, size: [usize; 2], options: &PredictOptions) -> Result<Output> {
        let outputs = self.runner.forward(picture)?;
        let [logits, boxes, queries, features] = outputs.as_slice() else {
            return Err(Error::new(
                "the network has not the outputs of objects with masks",
            ));
        };
        let logits = logits.get(0)?.to_vec2::<f32>()?;
        let boxes = boxes.get(0)?.to_vec2::<f32>()?;
        let found = self.found(&logits, options);
        let chosen: Vec<u32> = found.iter().map(|object| object.query as u32).collect();
        let features = features.get(0)?.to_device(&Device::Cpu)?;
        let (_, rows, columns) = features.dims3()?;
        let masks = products(
            &queries.get(0)?.to_device(&Device::Cpu)?,
            &features.flatten_from(1)?,
            Some(&chosen),
        )?;
        let objects: Vec<(Found, Enlarged)> = found
            .into_par_iter()
            .zip(masks)
            .map(|(object, mask)| (object, Enlarged::new(mask, [rows, columns], size)))
            // An object without a pixel is none.
            .filter(|(_, mask)| mask.whole().any(|logit| logit > 0.0))
            .collect();
        let instances = objects
            .iter()
            .map(|(object, _)| {
                let &[x, y, width, height] = boxes[object.query].as_slice() else {
                    return Err(Error::new("a box of the network has not four numbers"));
                };
                let corners = Corners::from_center([x, y], [width, height]);
                let [high, wide] = size.map(|side| side as f32);
                Ok(Instance {
                    class: object.class,
                    score: Some(object.score),
                    corners: Corners::new(
                        corners.left * wide,
                        corners.top * high,
                        corners.right * wide,
                        corners.bottom * high,
                    ),
                })
            })
            .collect::<Result<Vec<Instance>>>()?;
        let labels = detection::label_cut_instances(
            &instances,
            size,
            &self.classes,
            options,
            |index, rows, columns| {
                let logits = objects[index].1.part(rows, columns);
                logits.map(|logit| logit > 0.0).collect()
            },
        )?;
        Ok(labels.into())
    }

    /// The pairs that are sure enough, the surest first; as many as there are queries at most.
    fn found(&self, logits: &[Vec<f32>], options: &PredictOptions) -> Vec<Found> {
        let threshold = options
            .confidence_threshold
            .map_or(self.threshold, |threshold| threshold as f32);
        let pairs = logits.iter().enumerate().flat_map(|(query, logits)| {
            let scores = logits.iter().map(|&logit| sigmoid(logit)).enumerate();
            scores.map(move |(class, score)| Found { query, class, score })
        });
        let mut found: Vec<Found> = pairs.filter(|found| found.score >= threshold).collect();
        found.sort_by(|left, right| right.score.total_cmp(&left.score));
        found.truncate(logits.len());
        found
    }
}

impl Model for MaskedDetector {
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
