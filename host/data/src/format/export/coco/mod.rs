//! COCO's JSON: the dataset (<https://cocodataset.org/#format-data>) and results (<https://cocodataset.org/#format-results>).

mod annotation;
mod reference;

use self::{annotation::Annotation, reference::Reference};
use super::{
    ExportOptions, FormatError, Losses, RecordWriter, SampleRecord, Summary, classes::Classes,
    object::objects, size::picture_size,
};
use crate::{
    format::{Format, notes::Notes},
    output::{OutputError, OutputFile},
};
use modelzoo_plugin_api::MediaType;
use serde::Serialize;
use serde_json::json;
use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Seek as _, SeekFrom, Write},
    path::Path,
};

pub(super) struct CocoWriter {
    file: OutputFile,
    format: Format,
    /// Annotations stand behind the images, and both lists grow at once: these wait here.
    annotations: BufWriter<File>,
    annotation_count: u64,
    classes: Classes,
    reference: Option<Reference>,
    options: ExportOptions,
    notes: Notes,
    losses: Losses,
    samples: u64,
    images: u64,
}

impl CocoWriter {
    /// `format` is [`Format::Coco`] or [`Format::CocoResults`].
    pub fn create(path: &Path, format: Format, options: &ExportOptions) -> Result<Self, FormatError> {
        let reference = options
            .coco_reference
            .as_deref()
            .map(Reference::read)
            .transpose()?;
        let mut file = OutputFile::create(path)?;
        let mut begin = || -> io::Result<File> {
            if format == Format::Coco {
                let info = json!({"description": "Labels of modelzoo", "facts": options.facts});
                write!(file, "{{\"info\": {info},\n\"images\": [")?;
            }
            tempfile::tempfile()
        };
        Ok(Self {
            annotations: BufWriter::new(begin().map_err(|source| OutputError::new(path, source))?),
            file,
            format,
            annotation_count: 0,
            classes: Classes::new(&options.classes),
            reference,
            options: options.clone(),
            notes: Notes::default(),
            losses: Losses::default(),
            samples: 0,
            images: 0,
        })
    }

    fn write_image(&mut self, record: &SampleRecord, id: u64, (width, height): (u32, u32)) -> io::Result<()> {
        let image = Image {
            id,
            file_name: &record.filepath,
            width,
            height,
            warnings: &record.warnings,
        };
        separate(&mut self.file, self.images)?;
        self.images += 1;
        Ok(serde_json::to_writer(&mut self.file, &image)?)
    }

    fn write_annotations(&mut self, record: &SampleRecord, image: u64, size: (u32, u32)) -> io::Result<()> {
        for (field, object) in objects(record, &mut self.notes) {
            let class = object.class(field);
            let category = match &self.reference {
                Some(reference) => match reference.category(class) {
                    Some(id) => id,
                    None => {
                        self.notes.add(format!(
                            "objects left out: the reference has no category `{class}`"
                        ));
                        continue;
                    }
                },
                None => self.classes.index(class) as u64 + 1,
            };
            let Some(annotation) =
                Annotation::new(&object, size, self.format, self.options.masks, &mut self.notes)
            else {
                continue;
            };
            separate(&mut self.annotations, self.annotation_count)?;
            self.annotation_count += 1;
            let numbered = annotation::Numbered {
                id: (self.format == Format::Coco).then_some(self.annotation_count),
                image_id: image,
                category_id: category,
                annotation,
            };
            serde_json::to_writer(&mut self.annotations, &numbered)?;
        }
        Ok(())
    }

    fn write_end(&mut self) -> io::Result<()> {
        let is_dataset = self.format == Format::Coco;
        self.file.write_all(if is_dataset {
            b"\n],\n\"annotations\": ["
        } else {
            b"["
        })?;
        let annotations = self.annotations.get_mut();
        annotations.seek(SeekFrom::Start(0))?;
        io::copy(&mut BufReader::new(annotations), &mut self.file)?;
        if is_dataset {
            let categories = match &self.reference {
                Some(reference) => reference.categories().to_vec(),
                None => self.categories(),
            };
            self.file.write_all(b"\n],\n\"categories\": ")?;
            serde_json::to_writer(&mut self.file, &categories)?;
            self.file.write_all(b"}\n")
        } else {
            self.file.write_all(b"\n]\n")
        }
    }

    fn categories(&self) -> Vec<serde_json::Value> {
        let names = self.classes.names().iter().enumerate();
        names
            .map(|(index, name)| {
                let mut category = json!({"id": index + 1, "name": name});
                let ExportOptions {
                    keypoints,
                    skeleton,
                    skeletons,
                    ..
                } = &self.options;
                let (keypoints, edges) = match skeletons.get(name) {
                    Some(own) => (&own.keypoints, &own.edges),
                    None if skeletons.is_empty() => (keypoints, skeleton),
                    None => return category,
                };
                if !keypoints.is_empty() {
                    // Counted from 1 here.
                    let edges: Vec<_> = edges.iter().map(|[a, b]| [a + 1, b + 1]).collect();
                    category["keypoints"] = json!(keypoints);
                    category["skeleton"] = json!(edges);
                }
                category
            })
            .collect()
    }
}

impl RecordWriter for CocoWriter {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        self.samples += 1;
        if record.media_type != MediaType::Image {
            self.notes.add("videos left out: COCO has pictures only");
            return Ok(());
        }
        let id = match &self.reference {
            Some(reference) => match reference.image(&record.filepath) {
                Some(id) => id,
                None => {
                    self.notes
                        .add("pictures left out: the reference does not have them");
                    return Ok(());
                }
            },
            None => self.samples,
        };
        let size = match picture_size(record) {
            Ok(size) => size,
            Err(problem) => {
                // What failed before has been told.
                if record.error.is_none() {
                    self.losses.add(problem.to_string());
                }
                return Ok(());
            }
        };
        let path = self.file.path().to_owned();
        let written = if self.format == Format::Coco {
            self.write_image(record, id, size)
        } else {
            Ok(())
        };
        written
            .and_then(|()| self.write_annotations(record, id, size))
            .map_err(|source| OutputError::new(path, source).into())
    }

    fn finish(mut self: Box<Self>) -> Result<Summary, FormatError> {
        let path = self.file.path().to_owned();
        self.annotations
            .flush()
            .and_then(|()| self.write_end())
            .map_err(|source| OutputError::new(path, source))?;
        self.file.commit()?;
        Ok(Summary {
            samples: self.samples,
            notes: self.notes.into_lines(),
            losses: self.losses,
        })
    }
}

#[derive(Serialize)]
struct Image<'a> {
    id: u64,
    file_name: &'a str,
    width: u32,
    height: u32,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

fn separate(writer: &mut impl Write, before: u64) -> io::Result<()> {
    writer.write_all(if before == 0 { b"\n" } else { b",\n" })
}
