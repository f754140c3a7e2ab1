//! Copies of pictures and videos with the labels drawn on them.

use modelzoo::{
    LabeledItem, SinkError,
    draw::{AnnotationFolder, Annotator},
    plugin_api::{MediaType, ModelInfo, label::Label},
    record::Metadata,
    video::{Sampling, Video, VideoWriter},
};
use std::{collections::BTreeMap, path::Path};

/// The frame rate of the copies of videos that do not say theirs.
const DEFAULT_FRAME_RATE: f64 = 25.0;

/// Draws labels on copies in a folder.
pub struct Annotations {
    annotator: Annotator,
    folder: AnnotationFolder,
    sampling: Sampling,
}

impl Annotations {
    /// Copies go to `folder`; of videos, they have the frames that the model saw.
    pub fn new(folder: &Path, sampling: Sampling, info: &ModelInfo) -> Self {
        Self {
            annotator: Annotator::new()
                .with_skeleton(info.skeleton.clone())
                .with_classes(info.classes.clone()),
            folder: AnnotationFolder::new(folder),
            sampling,
        }
    }

    /// Draws the labels of a sample, where there are any.
    pub fn draw(&self, item: &LabeledItem) -> Result<(), SinkError> {
        if !item.failures.is_empty() && item.fields.is_empty() {
            return Ok(());
        }
        if let Some(image) = &item.image {
            let drawn = self.annotator.draw(image, &item.fields.sample);
            self.folder.save(&item.relative_path, &drawn, &item.path)?;
        } else if item.record.media_type == MediaType::Video {
            self.draw_video(item)?;
        }
        Ok(())
    }

    /// Decodes the video again: its frames were too many to keep until their labels were known.
    fn draw_video(&self, item: &LabeledItem) -> Result<(), SinkError> {
        let frame_rate = match &item.record.metadata {
            Some(Metadata::Video(metadata)) => metadata.frame_rate,
            _ => None,
        };
        let frame_rate = self.sampling.rate_of(frame_rate.unwrap_or(DEFAULT_FRAME_RATE));
        let path = self.folder.video_path_of(&item.relative_path, &item.path)?;
        let mut writer: Option<VideoWriter> = None;
        for frame in Video::open(&item.path)?.frames(&self.sampling)? {
            // Where it cannot be decoded further, the copy ends; the error was told when the model saw it.
            let Ok(frame) = frame else { break };
            let mut labels: BTreeMap<String, Label> = item.fields.sample.clone();
            labels.extend(item.fields.frames.get(&frame.number).cloned().unwrap_or_default());
            let drawn = self.annotator.draw(&frame.image, &labels);
            if writer.is_none() {
                writer = Some(VideoWriter::create(&path, drawn.size(), frame_rate)?);
            }
            if let Some(writer) = &mut writer {
                writer.write(&drawn)?;
            }
        }
        if let Some(writer) = writer {
            writer.finish()?;
        }
        Ok(())
    }
}
