//! Putting samples together from what the model said of their parts.

use super::{
    plan::Plan,
    slices::{SliceOf, SlicedAnswers},
    step::{Answer, Step},
    tracks::FieldTracks,
};
use crate::{EngineError, Failure, ItemError, LabeledItem, Place, sample::Sample, task::without_frames};
use modelzoo_base::file::absolute;
use modelzoo_data::{
    label::{Fields, set_patch_attribute},
    media::RgbImage,
    output::LabelImageFolder,
    record::{Metadata, SampleRecord},
};
use modelzoo_plugin_api::{MediaType, Output, label::Label};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Takes steps, and gives an item at the end of each sample.
pub(super) struct Assembler<'a> {
    plan: &'a Plan<'a>,
    images: Option<LabelImages>,
    sample: Option<Building>,
}

/// A sample that has begun and not ended.
struct Building {
    sample: Sample,
    image: Option<RgbImage>,
    fields: Fields,
    /// The embeddings of patches.
    patches: Vec<(Place, Label)>,
    /// What was said so far of a picture in slices.
    slices: Option<SlicedAnswers>,
    tracks: FieldTracks,
    failures: Vec<Failure>,
    warnings: Vec<String>,
}

/// Where masks and maps go as pictures.
struct LabelImages {
    folder: LabelImageFolder,
}

impl<'a> Assembler<'a> {
    /// Makes the folder for masks and maps, where there is to be one.
    pub(super) fn new(plan: &'a Plan<'a>) -> Result<Self, EngineError> {
        let images = plan
            .label_images()
            .map(|(folder, base)| LabelImages::create(folder, base));
        Ok(Self {
            plan,
            images: images.transpose()?,
            sample: None,
        })
    }

    /// Takes a step; gives the sample that it ends.
    pub(super) fn take(&mut self, step: Step<Answer>) -> Result<Option<LabeledItem>, EngineError> {
        let Some(building) = &mut self.sample else {
            if let Step::Begin(sample) = step {
                self.sample = Some(Building::new(*sample));
            }
            return Ok(None);
        };
        match step {
            Step::Begin(sample) => self.sample = Some(Building::new(*sample)),
            Step::Image(image) => building.image = Some(image),
            Step::Failure(failure) => building.failures.push(failure),
            Step::Warning(warning) => building.warnings.push(warning),
            // Whatever held it has been used.
            Step::Release(_) => {}
            Step::FrameCount(count) => {
                if let Some(Metadata::Video(metadata)) = &mut building.sample.record.metadata {
                    metadata.total_frame_count = Some(count);
                }
            }
            Step::Part(Answer {
                place,
                slice,
                image,
                result,
            }) => {
                if image.is_some() {
                    building.image = image;
                }
                match (result, slice) {
                    (Ok(output), None) => {
                        let labels = building.labels(self.plan, place, output);
                        building.keep(self.images.as_mut(), place, labels)?;
                    }
                    (Ok(output), Some(slice)) => {
                        building.add_slice(self.plan, self.images.as_mut(), place.frame, slice, output)?;
                    }
                    (Err(error), _) => building.failures.push(Failure { place, error }),
                }
            }
            Step::End => {
                building.end_slices(self.plan, self.images.as_mut())?;
                return Ok(self.sample.take().map(|building| building.finish(self.plan)));
            }
        }
        Ok(None)
    }
}

impl Building {
    fn new(sample: Sample) -> Self {
        Self {
            sample,
            image: None,
            fields: Fields::default(),
            patches: Vec::new(),
            slices: None,
            tracks: FieldTracks::default(),
            failures: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Takes what the model said of a slice; those of one frame come one after the other.
    fn add_slice(
        &mut self,
        plan: &Plan<'_>,
        images: Option<&mut LabelImages>,
        frame: Option<u64>,
        slice: SliceOf,
        output: Output,
    ) -> Result<(), EngineError> {
        if self.slices.as_ref().is_some_and(|slices| slices.frame != frame) {
            self.end_slices(plan, images)?;
        }
        self.slices
            .get_or_insert_with(|| SlicedAnswers::new(frame, slice.picture))
            .add(slice.area, output);
        Ok(())
    }

    /// Puts together what was said of the slices of a picture, where it was cut into any.
    fn end_slices(&mut self, plan: &Plan<'_>, images: Option<&mut LabelImages>) -> Result<(), EngineError> {
        let (Some(slices), Some(slicing)) = (self.slices.take(), plan.slicing) else {
            return Ok(());
        };
        let place = Place {
            frame: slices.frame,
            ..Place::default()
        };
        let labels = slices
            .merge(slicing)
            .and_then(|output| self.labels(plan, place, output));
        self.keep(images, place, labels)
    }

    /// Keeps labels of a part, or why there are none.
    fn keep(
        &mut self,
        images: Option<&mut LabelImages>,
        place: Place,
        labels: Result<Fields, ItemError>,
    ) -> Result<(), EngineError> {
        match labels {
            Ok(mut labels) => {
                // At once, and not at the end: the arrays of a long video would be too many to keep.
                if let Some(images) = images {
                    images.move_arrays(&self.sample.path, &mut labels)?;
                }
                self.fields.sample.extend(labels.sample);
                self.fields.frames.extend(labels.frames);
            }
            Err(error) => self.failures.push(Failure { place, error }),
        }
        Ok(())
    }

    /// What the model said of a part, in the fields of the sample. Embeddings of patches wait for their labels.
    fn labels(&mut self, plan: &Plan<'_>, place: Place, output: Output) -> Result<Fields, ItemError> {
        let output = match (place.patch, output) {
            (Some(_), Output::Label(label)) => {
                self.patches.push((place, label));
                return Ok(Fields::default());
            }
            (_, output) => output,
        };
        let mut fields = Fields::from_output(output, &plan.label_field)?;
        let may_have_frames = self.sample.record.media_type == MediaType::Video && place.frame.is_none();
        if !fields.frames.is_empty() && !may_have_frames {
            return Err(ItemError::FramesOfPicture);
        }
        plan.filter.apply_to_fields(&mut fields);
        if let Some(frame) = place.frame.filter(|_| plan.tracks) {
            self.tracks.add(frame, &fields.sample, self.frame_size());
        }
        // A frame that nothing was said of is not mentioned.
        if let Some(frame) = place.frame.filter(|_| !fields.sample.is_empty()) {
            fields.frames.insert(frame, std::mem::take(&mut fields.sample));
        }
        Ok(fields)
    }

    /// The size of a video's frames.
    fn frame_size(&self) -> (u32, u32) {
        match &self.sample.record.metadata {
            Some(Metadata::Video(metadata)) => (metadata.frame_width, metadata.frame_height),
            _ => (1, 1),
        }
    }

    fn finish(mut self, plan: &Plan<'_>) -> LabeledItem {
        std::mem::take(&mut self.tracks).number(&mut self.fields);
        if let Some(patches) = plan.patches {
            self.attach(without_frames(&patches.patches_field), &patches.embeddings_field);
        }
        let Sample {
            id,
            record,
            path,
            relative_path,
            ..
        } = self.sample;
        LabeledItem {
            id,
            record,
            path,
            relative_path,
            image: self.image,
            fields: self.fields,
            failures: self.failures,
            warnings: self.warnings,
        }
    }

    /// Gives each embedding of a patch to the label that the patch is of.
    fn attach(&mut self, field: &str, attribute: &str) {
        let SampleRecord { labels, .. } = &self.sample.record;
        for (place, embedding) in std::mem::take(&mut self.patches) {
            let (Some(patch), Label::Vector(vector)) = (place.patch, embedding) else {
                continue;
            };
            let (had, gets) = match place.frame {
                None => (labels.sample.get(field), &mut self.fields.sample),
                Some(frame) => (
                    labels.frames.get(&frame).and_then(|labels| labels.get(field)),
                    self.fields.frames.entry(frame).or_default(),
                ),
            };
            let Some(had) = had else { continue };
            let label = gets.entry(field.to_owned()).or_insert_with(|| had.clone());
            set_patch_attribute(label, patch, attribute, numbers(&vector.values.to_f32()));
        }
    }
}

impl LabelImages {
    /// Paths are made absolute, so that labels find their files from anywhere.
    fn create(folder: &Path, base: Option<&PathBuf>) -> Result<Self, EngineError> {
        let base = base.map(|base| absolute(base));
        Ok(Self {
            folder: LabelImageFolder::create(absolute(folder), base)?,
        })
    }

    fn move_arrays(&mut self, sample: &Path, fields: &mut Fields) -> Result<(), EngineError> {
        Ok(self.folder.move_arrays(&absolute(sample), fields)?)
    }
}

/// Numbers of single precision with no more digits than they need. What JSON has no number for is null.
fn numbers(values: &[f32]) -> Value {
    let number = |value: &f32| value.to_string().parse::<f64>().map_or(Value::Null, Value::from);
    values.iter().map(number).collect()
}
