//! Opening samples: from a path to the pictures that the model is asked about. This runs on several threads.

use super::{
    budget::Admitted,
    memory::{ModelMemory, Room},
    plan::Plan,
    pool::{Lease, Ticket},
    sizes::{bytes_of, bytes_of_file, bytes_of_parts, bytes_of_video},
    slices::SliceOf,
    step::{Step, Unit},
};
use crate::{
    EngineError, Failure, HandleMissing, ItemError, PatchOptions, Place,
    sample::{Sample, SampleError},
    task::without_frames,
};
use modelzoo_data::{
    input::{Content, InputError},
    label::{patch_boxes, to_json},
    media::RgbImage,
    panics::contained,
    record::{Metadata, SampleRecord, path_to_text},
    slicing::Slicing,
    video::Video,
};
use modelzoo_plugin_api::{Image, MediaType, SampleFields, label::Label};
use modelzoo_runtime::RuntimeError;
use std::collections::BTreeMap;

/// A sample that was opened.
pub(super) enum Opened {
    /// All of it.
    Steps(Vec<Step<Unit>>),
    /// A video whose frames are still to come, and the memory for them.
    Video(Box<Sample>, Video, Lease),
    /// No sample can be opened any more.
    Failed(EngineError),
}

/// Opens a sample. What is wrong with it becomes one of its steps.
pub(super) fn open(plan: &Plan<'_>, admitted: Admitted) -> Opened {
    let Admitted {
        sample,
        content: _content,
        file,
        pictures,
    } = admitted;
    let sample = match sample {
        Ok(sample) => sample,
        Err(SampleError::Input(error)) if error.is_about_credentials() => {
            return Opened::Failed(error.into());
        }
        Err(SampleError::Input(error)) => return Opened::Steps(not_found(error)),
        Err(SampleError::Dataset(error)) => return Opened::Failed(error.into()),
    };
    let opened = match sample.record.media_type {
        MediaType::Video => {
            // FFmpeg reads it bit by bit.
            drop(file);
            return open_video(plan, sample, pictures);
        }
        _ => open_picture(plan, sample, file, pictures),
    };
    opened.map_or_else(Opened::Failed, Opened::Steps)
}

/// The steps of a sample that could not be found.
fn not_found(error: InputError) -> Vec<Step<Unit>> {
    let path = error.path().map(ToOwned::to_owned).unwrap_or_default();
    let sample = Sample {
        id: None,
        record: SampleRecord::image(path_to_text(&path)),
        path,
        relative_path: Default::default(),
        content: Content::AtPath,
    };
    failed(sample, error)
}

fn failed(sample: Sample, error: impl Into<ItemError>) -> Vec<Step<Unit>> {
    vec![Step::Begin(Box::new(sample)), Step::failure(error), Step::End]
}

fn open_video(plan: &Plan<'_>, mut sample: Sample, room: Ticket) -> Opened {
    let opened = match std::mem::take(&mut sample.content) {
        Content::AtPath => Video::open(&sample.path),
        Content::Bytes(bytes) => Video::of_bytes(&sample.path, &bytes),
    };
    match opened {
        Ok(video) => {
            sample.record.metadata = Some(Metadata::Video(video.metadata().clone()));
            let room = room.take(bytes_of_video(plan, &sample, &video));
            Opened::Video(Box::new(sample), video, room)
        }
        Err(error) => Opened::Steps(failed(sample, error)),
    }
}

fn open_picture(
    plan: &Plan<'_>,
    mut sample: Sample,
    file: Ticket,
    pictures: Ticket,
) -> Result<Vec<Step<Unit>>, EngineError> {
    if plan.takes_videos() {
        return Ok(failed(sample, ItemError::NotAVideo));
    }
    // What came with the name need not be kept with the picture.
    let (decoder, content) = (plan.decoder(), std::mem::take(&mut sample.content));
    let labels = &sample.record.labels.sample;
    let parts = |width, height| bytes_of_parts(plan, labels, (width, height));
    let room = Room::new(ModelMemory::of(plan.model), pictures, parts);
    let decoded = match content {
        Content::AtPath => {
            let _file = file.take(bytes_of_file(&sample.path));
            decoder.decode_path_into(&sample.path, &room)
        }
        Content::Bytes(bytes) => {
            drop(file);
            decoder.decode_named_into(&sample.path, &bytes, &room)
        }
    };
    let lease = room.into_lease();
    let decoded = match decoded {
        Ok(decoded) => decoded,
        // Every other sample from there would fail for the same reason, which the user can do something about.
        Err(error) if error.is_about_credentials() => return Err(EngineError::Credentials(error)),
        Err(error) => return Ok(failed(sample, error)),
    };
    sample.record.metadata = Some(decoded.metadata.into());
    let picture = Picture {
        frame: None,
        labels: &sample.record.labels.sample,
        fields: needed_fields(plan, &sample.record, None),
    };
    let mut steps = match contained(|| picture.steps(plan, decoded.image)) {
        Ok(steps) => steps?,
        Err(fault) => return Ok(failed(sample, ItemError::Fault(fault))),
    };
    steps.insert(0, Step::Begin(Box::new(sample)));
    steps.extend(decoded.warning.map(Step::Warning));
    steps.push(Step::End);
    if let Some(mut lease) = lease {
        lease.resize(bytes_of(&steps));
        steps.push(Step::Release(lease));
    }
    Ok(steps)
}

/// A picture or a frame, and what is known of it.
pub(super) struct Picture<'a> {
    /// The number of a frame.
    pub(super) frame: Option<u64>,
    /// The labels that it has already.
    pub(super) labels: &'a BTreeMap<String, Label>,
    /// The fields that the model needs.
    pub(super) fields: SampleFields,
}

impl Picture<'_> {
    /// The parts that the model is asked about: the picture, patches of it, or slices and it.
    pub(super) fn steps(self, plan: &Plan<'_>, image: RgbImage) -> Result<Vec<Step<Unit>>, RuntimeError> {
        if let Some(slicing) = plan.slicing {
            return self.slices(plan, slicing, image);
        }
        let Some(patches) = plan.patches else {
            return Ok(vec![self.part(plan, None, image)?]);
        };
        let field = without_frames(&patches.patches_field);
        let boxes = match self.labels.get(field).map(patch_boxes) {
            Some(Some(boxes)) => boxes,
            None => Vec::new(),
            Some(None) => {
                return Ok(vec![self.failure(
                    None,
                    ItemError::NoBoxes {
                        field: field.to_owned(),
                    },
                )]);
            }
        };
        let mut steps = match (boxes.is_empty(), patches.handle_missing) {
            (false, _) => self.patches(plan, patches, &boxes, &image)?,
            (true, HandleMissing::Skip) => Vec::new(),
            (true, HandleMissing::Image) => return Ok(vec![self.part(plan, None, image)?]),
            (true, HandleMissing::Error) => {
                vec![self.failure(
                    None,
                    ItemError::NoPatches {
                        field: field.to_owned(),
                    },
                )]
            }
        };
        if self.frame.is_none() {
            steps.push(Step::Image(image));
        }
        Ok(steps)
    }

    fn patches(
        &self,
        plan: &Plan<'_>,
        patches: &PatchOptions,
        boxes: &[[f64; 4]],
        image: &RgbImage,
    ) -> Result<Vec<Step<Unit>>, RuntimeError> {
        let cut = |(index, &bounding_box): (usize, &[f64; 4])| {
            let patch = patches
                .geometry
                .patch(bounding_box, image.width(), image.height());
            match patch.and_then(|patch| image.cropped(patch)) {
                Some(patch) => self.part(plan, Some(index), patch),
                None => {
                    let frame = self.frame.map(|frame| format!("frame {frame}: "));
                    let warning = format!("{}patch {index} has no pixels", frame.unwrap_or_default());
                    Ok(Step::Warning(warning))
                }
            }
        };
        boxes.iter().enumerate().map(cut).collect()
    }

    /// A part for the picture and for each slice of it.
    fn slices(
        &self,
        plan: &Plan<'_>,
        slicing: Slicing,
        image: RgbImage,
    ) -> Result<Vec<Step<Unit>>, RuntimeError> {
        let picture = image.size();
        let areas = slicing.parts(picture.0, picture.1);
        let mut steps = Vec::with_capacity(areas.len());
        for (index, &area) in areas.iter().enumerate().skip(1) {
            // They lie within the picture.
            if let Some(slice) = image.cropped(area) {
                steps.push(self.slice(plan, Some(index - 1), SliceOf { area, picture }, slice)?);
            }
        }
        if let Some(&area) = areas.first() {
            steps.insert(0, self.slice(plan, None, SliceOf { area, picture }, image)?);
        }
        Ok(steps)
    }

    /// The picture, or a patch of it.
    fn part(
        &self,
        plan: &Plan<'_>,
        patch: Option<usize>,
        image: RgbImage,
    ) -> Result<Step<Unit>, RuntimeError> {
        self.unit(plan, self.place(patch), None, image)
    }

    /// A slice of the picture, or the picture among its slices.
    fn slice(
        &self,
        plan: &Plan<'_>,
        index: Option<usize>,
        slice: SliceOf,
        image: RgbImage,
    ) -> Result<Step<Unit>, RuntimeError> {
        let place = Place {
            slice: index,
            ..self.place(None)
        };
        self.unit(plan, place, Some(slice), image)
    }

    /// A part, with the model's input for it where that is made apart.
    fn unit(
        &self,
        plan: &Plan<'_>,
        place: Place,
        slice: Option<SliceOf>,
        image: RgbImage,
    ) -> Result<Step<Unit>, RuntimeError> {
        let image = image.moved_to(&ModelMemory::of(plan.model));
        let prepared = if plan.preprocesses && self.fields.is_empty() {
            // A picture always has as many bytes as its size says, so this gives one.
            let borrowed = borrow(&image);
            match plan.model.preprocess(borrowed.as_slice())?.pop() {
                Some(Ok(prepared)) => Some(prepared),
                Some(Err(error)) => {
                    let error = ItemError::Preprocess(error);
                    return Ok(Step::Failure(Failure { place, error }));
                }
                None => None,
            }
        } else {
            None
        };
        Ok(Step::Part(Unit {
            place,
            slice,
            image,
            fields: self.fields.clone(),
            prepared,
        }))
    }

    fn failure(&self, patch: Option<usize>, error: ItemError) -> Step<Unit> {
        let place = self.place(patch);
        Step::Failure(Failure { place, error })
    }

    fn place(&self, patch: Option<usize>) -> Place {
        Place {
            frame: self.frame,
            patch,
            slice: None,
        }
    }
}

/// A picture as plugins see it; none for one without pixels, which no decoder gives.
pub(super) fn borrow(image: &RgbImage) -> Option<Image<'_>> {
    Image::new(image.width() as usize, image.height() as usize, image.data()).ok()
}

/// The fields that the model needs, as far as the sample, or a frame of it, has them; those of the frame go first.
pub(super) fn needed_fields(plan: &Plan<'_>, record: &SampleRecord, frame: Option<u64>) -> SampleFields {
    let labels = &record.labels;
    let frame = frame.and_then(|frame| labels.frames.get(&frame));
    let value = |field: &str| {
        let label = || {
            frame
                .and_then(|labels| labels.get(field))
                .or_else(|| labels.sample.get(field))
        };
        match field {
            "filepath" => Some(record.filepath.clone().into()),
            "tags" => Some(record.tags.clone().into()),
            _ => label().map(to_json),
        }
    };
    plan.needed_fields
        .iter()
        .filter_map(|(name, field)| Some((name.clone(), value(without_frames(field))?)))
        .collect()
}
