//! Masks of what each query of a network found: objects, or a class for each pixel.

use super::{enlarged::Enlarged, segmentation::Logits};
use crate::{
    processing::{Processing, Squared, Squares},
    runner::Runner,
    settings::Settings,
};
use modelzoo_candle::{
    candle_core::{Device, Tensor},
    classifier::{sigmoid, softmax},
    detection::{self, Corners, Instance},
    device,
};
use modelzoo_plugin_api::{Error, Image, Model, ModelInfo, Output, PredictOptions, Result};
use rayon::prelude::*;

/// Below this score an object is none, unless the user says otherwise; transformers' default for such networks.
const THRESHOLD: f32 = 0.8;

/// The places of a network's outputs.
const LOGITS: usize = 0;
const QUERIES: usize = 1;
const FEATURES: usize = 2;

/// A segmenter.
#[derive(Debug)]
pub(super) struct QuerySegmenter {
    processing: Processing,
    squares: Squares,
    runner: Runner,
    classes: Vec<String>,
    threshold: f32,
}

/// What one square's queries say.
struct Said {
    /// The probabilities of the classes of each query; that of nothing is left out.
    classes: Vec<Vec<f32>>,
    /// `[queries, features]`
    queries: Tensor,
    /// `[features, height * width]`
    features: Tensor,
    /// `[height, width]`
    size: [usize; 2],
}

/// An object in a picture.
struct Object {
    instance: Instance,
    /// Logits of its pixels.
    mask: Enlarged,
}

/// What a mask has of a picture.
#[derive(Debug, PartialEq)]
struct Cover {
    /// The mean probability of its pixels.
    score: f32,
    /// The box around its pixels, from edge to edge.
    corners: Corners,
}

impl QuerySegmenter {
    /// A segmenter of these classes.
    pub(super) fn new(
        processing: Processing,
        runner: Runner,
        classes: Vec<String>,
        settings: &Settings,
    ) -> Result<Self> {
        let squares = processing
            .squares()
            .ok_or_else(|| Error::new("the preprocessing makes no squares"))?;
        Ok(Self {
            processing,
            squares,
            runner,
            classes,
            threshold: settings.score_threshold.unwrap_or(THRESHOLD),
        })
    }

    fn segment(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        let squared = self.squares.apply(&self.processing.preprocessing, image)?;
        let side = self.squares.side;
        let shape = (squared.starts.len(), 3, side, side);
        let batch = Tensor::from_slice(&squared.values, shape, self.runner.device())?;
        let said = said(&self.runner.forward(&batch)?)?;
        let size = [image.height(), image.width()];
        if self.squares.are_several {
            self.pixels(&said, &squared, size, options)
        } else {
            let first = said
                .first()
                .ok_or_else(|| Error::new("a picture became no square"))?;
            self.objects(first, squared.size, size, options)
        }
    }

    /// A class for each pixel: the sum of what all queries say of it.
    fn pixels(
        &self,
        said: &[Said],
        squared: &Squared,
        size: [usize; 2],
        options: &PredictOptions,
    ) -> Result<Output> {
        let (classes, side) = (self.classes.len(), self.squares.side);
        let [height, width] = squared.size;
        let mut sums = vec![0.0_f32; classes * height * width];
        let mut counts = vec![0.0_f32; height * width];
        for (said, &start) in said.iter().zip(&squared.starts) {
            let masks = said.masks(None)?;
            let count = masks.len();
            let larger: Vec<f32> = masks
                .into_par_iter()
                .flat_map_iter(|mask| {
                    let mask = Enlarged::new(mask, said.size, [side; 2]);
                    mask.whole().map(sigmoid).collect::<Vec<f32>>()
                })
                .collect();
            let masks = Tensor::from_vec(larger, (count, side * side), &Device::Cpu)?;
            let shares = said.classes.concat();
            let shares = Tensor::from_vec(shares, (said.classes.len(), classes), &Device::Cpu)?;
            let values = shares.t()?.matmul(&masks)?.to_vec2::<f32>()?;
            let [top, left] = if height > width { [start, 0] } else { [0, start] };
            let (rows, columns) = (side.min(height - top), side.min(width - left));
            for row in 0..rows {
                let place = (top + row) * width + left;
                for (class, values) in values.iter().enumerate() {
                    let target = &mut sums[class * height * width + place..][..columns];
                    for (sum, value) in target.iter_mut().zip(&values[row * side..]) {
                        *sum += value;
                    }
                }
                for count in &mut counts[place..][..columns] {
                    *count += 1.0;
                }
            }
        }
        for plane in sums.chunks_exact_mut(height * width) {
            for (sum, count) in plane.iter_mut().zip(&counts) {
                *sum /= count.max(1.0);
            }
        }
        let mut options = options.clone();
        // These are no logits, whose softmax would be a probability.
        options.confidence_threshold = None;
        let values = Logits {
            values: sums,
            dims: [classes, height, width],
        };
        Ok(values.label(size, &options)?.into())
    }

    /// Objects with masks, which may overlap; `inner` is how much of the square the picture has.
    fn objects(
        &self,
        said: &Said,
        inner: [usize; 2],
        size: [usize; 2],
        options: &PredictOptions,
    ) -> Result<Output> {
        let threshold = options
            .confidence_threshold
            .map_or(self.threshold, |threshold| threshold as f32);
        let sure: Vec<(usize, usize, f32)> = said
            .classes
            .iter()
            .enumerate()
            .filter_map(|(query, shares)| {
                let best = shares.iter().copied().enumerate();
                let (class, score) = best.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
                // A mask's own score, at most 1, is still to come.
                (score >= threshold && score > 0.0).then_some((query, class, score))
            })
            .collect();
        let queries: Vec<u32> = sure.iter().map(|(query, ..)| *query as u32).collect();
        let masks = said.masks(Some(&queries))?;
        let square = [self.squares.side; 2];
        let objects: Vec<Object> = masks
            .into_par_iter()
            .zip(&sure)
            .filter_map(|(mask, &(_, class, score))| {
                let [height, width] = inner;
                let inside = Enlarged::new(mask, said.size, square);
                let inside = inside.part(0..height, 0..width).collect();
                let mask = Enlarged::new(inside, inner, size);
                let cover = Cover::of(mask.whole(), size[1])?;
                let score = score * cover.score;
                let instance = Instance {
                    class,
                    score: Some(score),
                    corners: cover.corners,
                };
                (score >= threshold).then_some(Object { instance, mask })
            })
            .collect();
        let instances: Vec<Instance> = objects.iter().map(|object| object.instance).collect();
        let labels = detection::label_cut_instances(
            &instances,
            size,
            &self.classes,
            options,
            |index, rows, columns| {
                let logits = objects[index].mask.part(rows, columns);
                logits.map(|logit| logit > 0.0).collect()
            },
        )?;
        Ok(labels.into())
    }
}

/// What the queries of each square say.
fn said(outputs: &[Tensor]) -> Result<Vec<Said>> {
    let [logits, queries, features] =
        [LOGITS, QUERIES, FEATURES].map(|place| outputs[place].to_device(&Device::Cpu));
    let (logits, queries, features) = (logits?.to_vec3::<f32>()?, queries?, features?);
    let (_, _, height, width) = features.dims4()?;
    logits
        .into_iter()
        .enumerate()
        .map(|(square, logits)| {
            let shares = |logits: &Vec<f32>| {
                let mut shares = softmax(logits);
                // The last one stands for nothing.
                shares.pop();
                shares
            };
            Ok(Said {
                classes: logits.iter().map(shares).collect(),
                queries: queries.get(square)?,
                features: features.get(square)?.flatten_from(1)?,
                size: [height, width],
            })
        })
        .collect()
}

impl Said {
    /// The logits of the masks of these queries, or of all of them.
    fn masks(&self, chosen: Option<&[u32]>) -> Result<Vec<Vec<f32>>> {
        products(&self.queries, &self.features, chosen)
    }
}

/// The products of these queries of `[queries, features]`, or of all of them, and the pixels of `[features, pixels]`.
pub(super) fn products(queries: &Tensor, features: &Tensor, chosen: Option<&[u32]>) -> Result<Vec<Vec<f32>>> {
    let chosen = match chosen {
        Some([]) => return Ok(Vec::new()),
        Some(chosen) => {
            let indices = Tensor::from_slice(chosen, chosen.len(), &Device::Cpu)?;
            queries.index_select(&indices, 0)?
        }
        None => queries.clone(),
    };
    let products = chosen.contiguous()?.matmul(&features.contiguous()?)?;
    Ok(products.to_vec2::<f32>()?)
}

impl Cover {
    /// That of a mask with these logits, row by row; `None` where it has no pixel.
    fn of(logits: impl Iterator<Item = f32>, width: usize) -> Option<Self> {
        let (mut sum, mut count) = (0.0_f64, 0.0_f64);
        let mut bounds: Option<[usize; 4]> = None;
        for (place, logit) in logits.enumerate().filter(|(_, logit)| *logit > 0.0) {
            sum += f64::from(sigmoid(logit));
            count += 1.0;
            let (row, column) = (place / width, place % width);
            let [left, top, right, bottom] = bounds.unwrap_or([column, row, column + 1, row + 1]);
            bounds = Some([
                left.min(column),
                top.min(row),
                right.max(column + 1),
                bottom.max(row + 1),
            ]);
        }
        let [left, top, right, bottom] = bounds?.map(|edge| edge as f32);
        Some(Self {
            score: (sum / (count + 1e-6)) as f32,
            corners: Corners::new(left, top, right, bottom),
        })
    }
}

impl Model for QuerySegmenter {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(&self.classes)
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision())
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        self.segment(image, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cover_is_around_all_pixels_of_a_mask() {
        let mut logits = vec![-1.0; 12];
        assert_eq!(Cover::of(logits.iter().copied(), 4), None);
        logits[5] = 1e3;
        logits[10] = 1e-9;
        let cover = Cover::of(logits.into_iter(), 4).unwrap();
        assert_eq!(cover.corners, Corners::new(1.0, 1.0, 3.0, 3.0));
        assert!((cover.score - 0.75).abs() < 1e-6, "{}", cover.score);
    }
}
