//! What lines of text say.

use super::{
    given::{Given, GivenBox, GivenOutline},
    lines::Cut,
};
use crate::{
    processing::Processing,
    repository::{Config, Repository},
    runner::Runner,
};
use modelzoo_candle::{candle_core::Tensor, device};
use modelzoo_plugin_api::{
    Error, ErrorKind, Image, Model, ModelInfo, Output, PredictOptions, Result, SampleFields, SampleModel,
    label::{Classification, Detection, Detections, Polyline, Polylines},
};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The name of the field with the lines of a page.
const BOXES: &str = "boxes";
/// So many lines are read at once.
const AT_ONCE: usize = 16;

/// A reader of lines: of a picture that is one, or of those in the boxes that a field of the sample has.
#[derive(Debug)]
pub(super) struct TextReader {
    processing: Processing,
    runner: Runner,
    /// The first one stands for none.
    characters: Vec<String>,
}

/// What a line says, and how sure that is.
#[derive(Clone, Debug, PartialEq)]
struct Text {
    text: String,
    score: f64,
}

impl TextReader {
    /// A reader of the characters that a repository's processor lists.
    pub(super) fn new(repository: &Repository, processing: Processing, runner: Runner) -> Result<Self> {
        let characters = characters(&repository.processor)?;
        let known = runner.output_dims().first().and_then(|dims| dims.last().copied());
        if known != Some(characters.len()) {
            return Err(Error::new(format!(
                "`character_list` in {} has {} characters, but the network tells {} apart",
                repository.folder.display(),
                characters.len(),
                known.unwrap_or_default()
            ))
            .with_kind(ErrorKind::Weights));
        }
        Ok(Self {
            processing,
            runner,
            characters,
        })
    }

    /// What lines say; `None` for those that are no picture.
    fn read(&self, lines: &[Option<Cut>]) -> Result<Vec<Option<Text>>> {
        let prepared: Vec<Option<Result<Prepared>>> = lines
            .par_iter()
            .map(|line| Some(self.prepare(line.as_ref()?)))
            .collect();
        let mut by_size: BTreeMap<[usize; 2], Vec<(usize, Vec<f32>)>> = BTreeMap::new();
        for (index, line) in prepared.into_iter().enumerate() {
            if let Some(line) = line {
                let (size, values) = line?;
                by_size.entry(size).or_default().push((index, values));
            }
        }
        let mut texts = vec![None; lines.len()];
        for ([height, width], members) in by_size {
            for members in members.chunks(AT_ONCE) {
                let values: Vec<f32> = members
                    .iter()
                    .flat_map(|(_, values)| values.iter().copied())
                    .collect();
                let batch =
                    Tensor::from_vec(values, (members.len(), 3, height, width), self.runner.device())?;
                let places = self.runner.forward(&batch)?.remove(0).to_vec3::<f32>()?;
                for ((index, _), places) in members.iter().zip(places) {
                    texts[*index] = self.decode(&places);
                }
            }
        }
        Ok(texts)
    }

    fn prepare(&self, line: &Cut) -> Result<Prepared> {
        self.processing
            .values(&Image::new(line.width, line.height, &line.pixels)?)
    }

    /// The likeliest character of each place, without those that go on from the place before, and without those that are
    /// none.
    ///
    /// Source: Graves et al., "Connectionist Temporal Classification" (2006), section 3.2.
    fn decode(&self, places: &[Vec<f32>]) -> Option<Text> {
        let (mut text, mut sum, mut count) = (String::new(), 0.0, 0_usize);
        let mut before = None;
        for probabilities in places {
            let best = probabilities
                .iter()
                .enumerate()
                .reduce(|best, next| if next.1 > best.1 { next } else { best });
            let Some((index, &probability)) = best else {
                continue;
            };
            if index != 0 && before != Some(index) {
                text.push_str(&self.characters[index]);
                sum += f64::from(probability);
                count += 1;
            }
            before = Some(index);
        }
        (count > 0).then(|| Text {
            text,
            score: sum / count as f64,
        })
    }

    /// The picture as one line.
    fn whole(&self, image: &Image<'_>) -> Result<Output> {
        let line = Cut {
            width: image.width(),
            height: image.height(),
            pixels: image.pixels().to_vec(),
        };
        let text = self.read(&[Some(line)])?.pop().flatten();
        Ok(text.map_or(Output::Nothing, |text| {
            Classification::new(text.text).with_confidence(text.score).into()
        }))
    }

    /// The lines in boxes; those that nothing can be read in are left out.
    fn in_boxes(&self, image: &Image<'_>, boxes: &[GivenBox]) -> Result<Output> {
        let lines: Vec<Option<Cut>> = boxes
            .par_iter()
            .map(|given| Cut::of_box(image, given.bounding_box))
            .collect();
        let read = self.read(&lines)?.into_iter().zip(boxes);
        let detection = |(text, given): (Option<Text>, &GivenBox)| {
            let text = text?;
            let mut detection = Detection::new(text.text, given.bounding_box).with_confidence(text.score);
            detection.index = given.index;
            Some(detection)
        };
        Ok(Detections::new(read.filter_map(detection).collect()).into())
    }

    /// The same of lines in outlines.
    fn in_outlines(&self, image: &Image<'_>, outlines: &[GivenOutline]) -> Result<Output> {
        let lines: Vec<Option<Cut>> = outlines
            .par_iter()
            .map(|given| Cut::of_outline(image, &given.points.concat()))
            .collect();
        let read = self.read(&lines)?.into_iter().zip(outlines);
        let polyline = |(text, given): (Option<Text>, &GivenOutline)| {
            let text = text?;
            let polyline = Polyline::new(text.text, given.points.clone()).into_polygon();
            let mut polyline = polyline.with_confidence(text.score);
            polyline.index = given.index;
            Some(polyline)
        };
        Ok(Polylines::new(read.filter_map(polyline).collect()).into())
    }
}

/// A line's `[height, width]` and its values.
type Prepared = ([usize; 2], Vec<f32>);

/// What stands for each of the network's characters.
fn characters(config: &Config) -> Result<Vec<String>> {
    let list = config.value("character_list").and_then(|list| {
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        list.as_array()?.iter().map(text).collect::<Option<Vec<_>>>()
    });
    list.filter(|list| !list.is_empty())
        .ok_or_else(|| config.wrong("character_list", "a list of texts, one for each character,"))
}

impl Model for TextReader {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_needed_fields([BOXES])
            .on_device(device::name(self.runner.device()))
            .with_precision(self.runner.precision())
    }

    fn predict(&self, image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        self.whole(image)
    }

    fn samples(&self) -> Option<&dyn SampleModel> {
        Some(self)
    }
}

impl SampleModel for TextReader {
    fn predict_samples(
        &self,
        images: &[Image<'_>],
        samples: &[SampleFields],
        _options: &PredictOptions,
    ) -> Result<Vec<Result<Output>>> {
        let predict = |(image, sample): (&Image<'_>, &SampleFields)| match Given::read(sample, BOXES)? {
            None => self.whole(image),
            Some(Given::Detections(boxes)) => self.in_boxes(image, &boxes),
            Some(Given::Polylines(outlines)) => self.in_outlines(image, &outlines),
        };
        Ok(images.iter().zip(samples).map(predict).collect())
    }
}
