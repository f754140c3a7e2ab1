//! YOLO's text files, as Ultralytics' programs read them: `images/`, `labels/` with a file for each picture, and
//! `data.yaml`. A line is `class x y width height`, the box's centre and size relative to the picture; outlines are
//! `class x y x y ...`, and sets of keypoints a box with `x y visible` for each point behind it.

use super::{
    ExportOptions, FormatError, Losses, Media, RecordWriter, SampleRecord, Summary,
    classes::Classes,
    folder::new_folder,
    media::MediaFolder,
    object::{Object, objects},
};
use crate::{
    format::{notes::Notes, shape::bounds, visibility},
    output::OutputError,
};
use modelzoo_base::file::AtomicFolder;
use modelzoo_plugin_api::{
    MediaType,
    label::{Detection, Keypoint, Polyline},
};
use serde_json::json;
use std::{fmt::Write as _, path::Path};

pub(super) struct YoloWriter {
    folder: AtomicFolder,
    media: MediaFolder,
    options: ExportOptions,
    classes: Classes,
    /// How many points each set has: all have as many.
    keypoints: Option<usize>,
    notes: Notes,
    losses: Losses,
    samples: u64,
}

impl YoloWriter {
    pub fn create(path: &Path, options: &ExportOptions) -> Result<Self, FormatError> {
        let folder = new_folder(path)?;
        let labels = folder.path().join("labels");
        std::fs::create_dir(&labels).map_err(|source| OutputError::new(&labels, source))?;
        let mut notes = Notes::default();
        if options.media == Media::Reference {
            notes.add("folder `images` is missing: put the pictures there");
        }
        Ok(Self {
            media: MediaFolder::create(folder.path().join("images"), options.media)?,
            folder,
            options: options.clone(),
            classes: Classes::new(&options.classes),
            keypoints: None,
            notes,
            losses: Losses::default(),
            samples: 0,
        })
    }

    fn lines(&mut self, record: &SampleRecord) -> String {
        let mut lines = String::new();
        for (field, object) in objects(record, &mut self.notes) {
            let Some(shape) = self.shape(&object) else {
                continue;
            };
            let class = self.classes.index(object.class(field));
            let confidence = match object.confidence() {
                Some(confidence) if self.options.confidences => format!(" {confidence}"),
                _ => String::new(),
            };
            // Writing to a string does not fail.
            let _ = writeln!(lines, "{class} {shape}{confidence}");
        }
        lines
    }

    fn shape(&mut self, object: &Object<'_>) -> Option<String> {
        match object {
            Object::Detection(detection) => self.detection(detection),
            Object::Polyline(polyline) => self.polyline(polyline),
            Object::Keypoint(keypoint) => self.keypoint(keypoint),
        }
    }

    fn detection(&mut self, detection: &Detection) -> Option<String> {
        if detection.mask.is_some() || detection.mask_path.is_some() {
            self.notes.add("masks left out: only the boxes are written");
        }
        let boxed = centred(detection.bounding_box);
        if boxed.is_none() {
            self.notes
                .add("boxes left out: nothing of them is in the picture");
        }
        boxed
    }

    fn polyline(&mut self, polyline: &Polyline) -> Option<String> {
        let mut lines = polyline.points.iter().filter(|line| line.len() >= 3);
        let line = lines.next();
        if line.is_none() || !(polyline.closed || polyline.filled) {
            self.notes
                .add("lines left out: YOLO has closed outlines of three points and more");
            return None;
        }
        if lines.next().is_some() {
            self.notes
                .add("outlines of several pieces: only the first is written");
        }
        let clamp = |value: &f64| value.clamp(0.0, 1.0).to_string();
        let numbers: Vec<String> = line?.iter().flatten().map(clamp).collect();
        Some(numbers.join(" "))
    }

    fn keypoint(&mut self, keypoint: &Keypoint) -> Option<String> {
        let count = keypoint.points.len();
        if *self.keypoints.get_or_insert(count) != count {
            self.notes
                .add("sets of keypoints left out: they have another number of points than the first");
            return None;
        }
        let Some(mut line) = bounds(&keypoint.points).and_then(centred) else {
            self.notes
                .add("sets of keypoints left out: none of their points is in the picture");
            return None;
        };
        for (index, [x, y]) in keypoint.points.iter().enumerate() {
            let is_there = [x, y].iter().all(|value| (0.0..=1.0).contains(*value));
            let visible = visibility::of_point(keypoint, index);
            let [x, y, visible] = if is_there {
                [*x, *y, f64::from(visible)]
            } else {
                [0.0; 3]
            };
            let _ = write!(line, " {x} {y} {visible}");
        }
        Some(line)
    }

    fn data_yaml(&self) -> String {
        // Paths are relative to this file when there is no `path`. JSON's texts are YAML's too.
        let mut yaml = "train: images\nval: images\n".to_owned();
        if let Some(count) = self.keypoints {
            let _ = writeln!(yaml, "kpt_shape: [{count}, 3]");
        }
        yaml.push_str("names:\n");
        for (index, name) in self.classes.names().iter().enumerate() {
            let _ = writeln!(yaml, "  {index}: {}", json!(name));
        }
        if self.classes.names().is_empty() {
            yaml.push_str("  {}\n");
        }
        yaml
    }
}

impl RecordWriter for YoloWriter {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        self.samples += 1;
        if record.media_type != MediaType::Image {
            self.notes.add("videos left out: YOLO has pictures only");
            return Ok(());
        }
        if !record.warnings.is_empty() {
            self.notes.add("damaged pictures: YOLO has no place to tell so");
        }
        let file = record.path();
        let name = self.media.name(&file);
        let placed = self.media.place(&file, &name)?;
        // What failed before has been told.
        if let (Err(problem), None) = (placed, &record.error) {
            self.losses.add(problem);
        }
        let path = self
            .folder
            .path()
            .join("labels")
            .join(&name)
            .with_extension("txt");
        let lines = self.lines(record);
        std::fs::write(&path, lines).map_err(|source| OutputError::new(path, source).into())
    }

    fn finish(self: Box<Self>) -> Result<Summary, FormatError> {
        let path = self.folder.path().join("data.yaml");
        std::fs::write(&path, self.data_yaml()).map_err(|source| OutputError::new(path, source))?;
        self.folder.commit()?;
        Ok(Summary {
            samples: self.samples,
            notes: self.notes.into_lines(),
            losses: self.losses,
        })
    }
}

/// Centre and size of the part of a box that is in the picture, if there is any.
fn centred([x, y, width, height]: [f64; 4]) -> Option<String> {
    let (left, right) = (x.clamp(0.0, 1.0), (x + width).clamp(0.0, 1.0));
    let (top, bottom) = (y.clamp(0.0, 1.0), (y + height).clamp(0.0, 1.0));
    // False for NaN too.
    (right > left && bottom > top).then(|| {
        let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
        format!("{x} {y} {} {}", right - left, bottom - top)
    })
}

#[cfg(test)]
mod tests {
    use super::centred;

    #[test]
    fn boxes_are_cut_at_the_edges() {
        assert_eq!(centred([0.25, 0.5, 0.5, 0.25]).unwrap(), "0.5 0.625 0.5 0.25");
        assert_eq!(centred([-0.5, 0.5, 1.0, 1.0]).unwrap(), "0.25 0.75 0.5 0.5");
        assert_eq!(centred([1.5, 0.5, 1.0, 1.0]), None);
        assert_eq!(centred([f64::NAN, 0.5, 1.0, 1.0]), None);
    }
}
