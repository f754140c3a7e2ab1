//! Objects that are found by looking twice, with masks or points where the network has them: R-CNN.

use super::{
    Defaults, heatmaps,
    maps::{Map, surest},
    masks::PastedMask,
};
use crate::{
    architectures::{Details, Detector, Look},
    processing::{Prepared, Processing},
    regions::{Found, RegionRunner},
    runner::Runner,
};
use modelzoo_candle::{
    candle_core::{Device, Storage, Tensor},
    classifier::{sigmoid, softmax},
    detection::{self, Candidate, Corners, FeaturePyramid, Instance},
    device,
    keypoints::{self, Point},
};
use modelzoo_plugin_api::{Error, Image, Model, ModelInfo, Output, PredictOptions, Result};

/// A detector.
#[derive(Debug)]
pub(super) struct RegionDetector {
    processing: Processing,
    runner: Runner,
    classes: Vec<String>,
    detector: Detector,
    /// How many maps of features the network has, and how many maps of boxes.
    maps: [usize; 2],
    defaults: Defaults,
    mask_threshold: f32,
}

impl RegionDetector {
    /// A detector of these classes, of a network with so many maps of features and of boxes.
    pub(super) fn new(
        processing: Processing,
        runner: Runner,
        classes: Vec<String>,
        (detector, maps): (Detector, [usize; 2]),
        defaults: Defaults,
        mask_threshold: f32,
    ) -> Self {
        Self {
            processing,
            runner,
            classes,
            detector,
            maps,
            defaults,
            mask_threshold,
        }
    }

    fn detect(&self, picture: &Prepared, options: &PredictOptions) -> Result<Output> {
        let regions = self
            .runner
            .regions()
            .ok_or_else(|| Error::new("the network has no second look"))?;
        let outputs = self.runner.forward(&picture.tensor(self.runner.device())?)?;
        let [features, maps] = self.maps;
        if outputs.len() != features + 2 * maps || features > maps {
            return Err(Error::new("the network has not as many outputs as its maps need"));
        }
        let (features, boxes) = outputs.split_at(features);
        let (logits, differences) = boxes.split_at(maps);
        let maps = Map::all(&self.detector, logits, differences, picture.padded)?;
        let proposals = self.proposals(&maps, picture);
        with_pyramid(features, &maps, regions.features(), picture.padded, |pyramid| {
            let found = regions.boxes(pyramid, &proposals)?;
            let mut objects = self.objects(regions.look(), &found, &proposals, picture);
            // What is left out needs no mask.
            objects.retain(|object| self.is_asked_for(object, options));
            self.label(regions, pyramid, &objects, picture, options)
        })
    }

    /// Regions where there is an object, the surest first.
    fn proposals(&self, maps: &[Map], picture: &Prepared) -> Vec<Corners> {
        let selection = self.detector.selection;
        let mut candidates = Vec::new();
        for (class, map) in maps.iter().enumerate() {
            let (area, count) = (map.area(), map.anchors.count());
            let indexed = map.logits.iter().enumerate().map(|(index, &logit)| {
                let (number, place) = (index / area, index % area);
                (logit, place * count + number)
            });
            for (logit, index) in surest(indexed.collect(), selection.considered) {
                let corners = picture.clamped(map.corners(self.detector.coding, index));
                let score = sigmoid(logit);
                if score >= selection.threshold && is_at_least(corners, Detector::LEAST_SIDE) {
                    // Regions of different maps do not suppress each other.
                    candidates.push(Candidate {
                        class,
                        score,
                        corners,
                    });
                }
            }
        }
        let kept = selection.suppression().apply(candidates);
        kept.into_iter().map(|candidate| candidate.corners).collect()
    }

    /// The objects in regions; the first class is none.
    fn objects(
        &self,
        look: &Look,
        found: &Found,
        proposals: &[Corners],
        picture: &Prepared,
    ) -> Vec<Candidate> {
        let classes = look.classes;
        let mut candidates = Vec::new();
        let rows = found
            .logits
            .chunks_exact(classes)
            .zip(found.differences.as_chunks::<4>().0.chunks_exact(classes));
        for (&proposal, (logits, differences)) in proposals.iter().zip(rows) {
            let scores = softmax(logits);
            for (class, (score, &difference)) in scores.into_iter().zip(differences).enumerate().skip(1) {
                if score <= look.selection.threshold {
                    continue;
                }
                let corners = picture.clamped(look.coder.decode(difference, proposal));
                if is_at_least(corners, Look::LEAST_SIDE) {
                    candidates.push(Candidate {
                        class,
                        score,
                        corners,
                    });
                }
            }
        }
        look.selection.suppression().apply(candidates)
    }

    fn is_asked_for(&self, object: &Candidate, options: &PredictOptions) -> bool {
        let is_sure = options
            .confidence_threshold
            .is_none_or(|threshold| object.score >= threshold as f32);
        let is_wanted = |wanted: &Vec<String>| {
            let name = self.classes.get(object.class);
            name.is_none_or(|name| wanted.contains(name))
        };
        is_sure && options.classes.as_ref().is_none_or(is_wanted)
    }

    fn label(
        &self,
        regions: &RegionRunner,
        pyramid: &FeaturePyramid<'_>,
        objects: &[Candidate],
        picture: &Prepared,
        options: &PredictOptions,
    ) -> Result<Output> {
        let corners: Vec<Corners> = objects.iter().map(|object| object.corners).collect();
        let details = regions.details(pyramid, &corners)?;
        let restored: Vec<Candidate> = objects
            .iter()
            .map(|object| Candidate {
                corners: picture.restored(object.corners),
                ..*object
            })
            .collect();
        match regions.kind() {
            Details::Nothing => {
                let [height, width] = picture.original.map(|side| side as f32);
                let relative: Vec<Candidate> = restored
                    .into_iter()
                    .map(|object| Candidate {
                        corners: object.corners.relative_to(width, height),
                        ..object
                    })
                    .collect();
                Ok(detection::label(&relative, &self.classes, options)?.into())
            }
            Details::Masks => self.label_masks(&restored, details, picture, options),
            Details::Keypoints => {
                let points = points(&corners, details, picture)?;
                let objects: Vec<_> = restored.into_iter().zip(points).collect();
                let [height, width] = picture.original;
                keypoints::label_objects(&objects, [width, height], &self.classes, options)
            }
        }
    }

    /// Objects with the masks of their classes.
    fn label_masks(
        &self,
        objects: &[Candidate],
        details: Option<Tensor>,
        picture: &Prepared,
        options: &PredictOptions,
    ) -> Result<Output> {
        let mut masks = Vec::new();
        if let Some(details) = details {
            let (_, _, side, _) = details.dims4()?;
            for (index, object) in objects.iter().enumerate() {
                let logits = details.get(index)?.get(object.class)?.flatten_all()?;
                let mask: Vec<f32> = logits.to_vec1::<f32>()?.into_iter().map(sigmoid).collect();
                masks.push(PastedMask::new(&mask, side, object.corners));
            }
        }
        let instances: Vec<Instance> = objects
            .iter()
            .map(|object| Instance {
                class: object.class,
                score: Some(object.score),
                corners: object.corners,
            })
            .collect();
        let labels = detection::label_cut_instances(
            &instances,
            picture.original,
            &self.classes,
            options,
            |index, rows, columns| masks[index].cut(rows, columns, self.mask_threshold),
        )?;
        Ok(labels.into())
    }
}

/// The points of each object, in pixels of the picture as it was.
fn points(objects: &[Corners], details: Option<Tensor>, picture: &Prepared) -> Result<Vec<Vec<Point>>> {
    let Some(details) = details else {
        return Ok(Vec::new());
    };
    let (_, _, side, _) = details.dims4()?;
    let mut points = Vec::new();
    for (index, &corners) in objects.iter().enumerate() {
        let maps = details.get(index)?.flatten_all()?.to_vec1::<f32>()?;
        let located = heatmaps::locate(&maps, side, corners).into_iter();
        let point = |found: heatmaps::Located| {
            Point::new(picture.restored_point(found.position), sigmoid(found.logit))
        };
        points.push(located.map(point).collect());
    }
    Ok(points)
}

/// Whether both sides of a box are this long.
fn is_at_least(corners: Corners, side: f32) -> bool {
    corners.right - corners.left >= side && corners.bottom - corners.top >= side
}

/// Gives the features of the first maps to `look`, without copying those that are on the CPU already.
fn with_pyramid<T>(
    features: &[Tensor],
    maps: &[Map],
    channels: usize,
    input: [usize; 2],
    look: impl FnOnce(&FeaturePyramid<'_>) -> Result<T>,
) -> Result<T> {
    let features = features
        .iter()
        .map(|map| map.to_device(&Device::Cpu)?.contiguous())
        .collect::<Result<Vec<_>, _>>()?;
    let stored: Vec<_> = features.iter().map(Tensor::storage_and_layout).collect();
    let mut values = Vec::new();
    for ((storage, layout), map) in stored.iter().zip(maps) {
        let (Storage::Cpu(storage), Some((start, end))) = (&**storage, layout.contiguous_offsets()) else {
            return Err(Error::new("the features of the network are not on the CPU"));
        };
        values.push((&storage.as_slice::<f32>()?[start..end], map.size));
    }
    look(&FeaturePyramid::new(values, channels, input)?)
}

impl Model for RegionDetector {
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
