//! COCO datasets: boxes with their masks, keypoints, and classes of whole images.
//!
//! Many programs write the format, each in its own way: what is clear is read, whatever its type (`"7"`, `7.0`, `true`),
//! and what is not costs itself alone.

mod categories;
mod folder;
mod labels;
mod number;
mod read;
mod segmentation;

pub(super) use self::folder::files_at;

use self::{
    categories::Categories,
    folder::only_file_at,
    labels::Labels,
    read::{Annotation, Id, Image},
};
use super::{FormatError, ImportReport, Place, Sink, json_array::for_each_element, place::PictureFolders};
use crate::{
    dataset::Skeleton,
    format::non_finite::open_json,
    media::Decoder,
    record::{ImageMetadata, Metadata, SampleRecord},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    io::BufRead as _,
    path::Path,
};

/// How to import a COCO dataset.
#[derive(Clone, Debug)]
pub struct CocoOptions<'a> {
    /// The folder that file names are relative to. Where it is `None`, it is that of the JSON file, or one beside it that
    /// has the file.
    pub images: Option<&'a Path>,
    /// The field for boxes; those for keypoints and for classes of whole images have the same name and `_keypoints` or
    /// `_classes` behind it.
    pub field: &'a str,
}

/// What a COCO dataset says beside its samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CocoInfo {
    /// How many samples there are.
    pub samples: u64,
    /// Its categories' names, in the order of their ids.
    pub classes: Vec<String>,
    /// The names of the keypoints of the first category that has any.
    pub keypoints: Vec<String>,
    /// The lines between them, as pairs of indices.
    pub skeleton: Vec<[usize; 2]>,
    /// The keypoints of each category, where they are not all the same.
    pub skeletons: BTreeMap<String, Skeleton>,
}

/// A dataset as far as it was read, with its annotations by their images.
#[derive(Default)]
struct Dataset {
    images: Vec<(usize, Image)>,
    annotations: HashMap<Id, Vec<(usize, Annotation)>>,
    categories: Categories,
}

/// Reads the samples of a COCO dataset, or of the only one in a folder, in the order of its images; images of one file are one sample. The annotations are
/// held in memory.
///
/// # Errors
/// When the file is no COCO dataset. What is wrong with its parts is reported.
pub fn import_coco(
    path: &Path,
    options: &CocoOptions<'_>,
    report: &mut ImportReport,
    sink: Sink<'_>,
) -> Result<CocoInfo, FormatError> {
    let only = path.is_dir().then(|| only_file_at(path)).transpose()?;
    let file = only.as_deref().unwrap_or(path);
    check_is_dataset(file)?;
    let mut dataset = read_dataset(file, report)?;
    let mut info = dataset.categories.info();
    let mut pictures = PictureFolders::new(file, options.images);
    // Images by their files, in order.
    let mut samples: Vec<(String, Vec<(usize, Image)>)> = Vec::new();
    let mut of_file: HashMap<String, usize> = HashMap::new();
    for (index, image) in std::mem::take(&mut dataset.images) {
        let filepath = pictures.find(&image.file_name)?;
        match of_file.get(&filepath) {
            Some(&known) => {
                let place = Place::new(file, format!(": images[{index}]"));
                report.note(
                    "images are of a file that another one has: their labels are put together",
                    place.error(&image.file_name),
                );
                samples[known].1.push((index, image));
            }
            None => {
                of_file.insert(filepath.clone(), samples.len());
                samples.push((filepath, vec![(index, image)]));
            }
        }
    }
    drop(of_file);
    for (filepath, images) in samples {
        let mut record = SampleRecord::image(filepath);
        let mut labels = Labels::default();
        let first = images.first().map_or(0, |(index, _)| *index);
        for (_, image) in images {
            let annotations = dataset.annotations.remove(&image.id).unwrap_or_default();
            let size = image.size.or_else(|| size_of_file(&record));
            if let Some((width, height)) = size {
                record.metadata = Some(Metadata::Image(ImageMetadata {
                    width,
                    height,
                    ..ImageMetadata::default()
                }));
            }
            for (index, annotation) in annotations {
                let place = Place::new(file, format!(": annotations[{index}]"));
                match dataset.categories.class_of(&annotation, &place, report) {
                    Ok(class) => labels.add(class, annotation, size, &place, report)?,
                    Err(problem) => report.lose(place.error(problem))?,
                }
            }
        }
        record.labels = labels.into_fields(options.field);
        let place = Place::new(file, format!(": images[{first}]"));
        sink(record, &place, report)?;
        info.samples += 1;
    }
    // What is left has no image; by its place in the file.
    let left: BTreeMap<usize, Id> = dataset
        .annotations
        .into_iter()
        .flat_map(|(image, annotations)| {
            annotations
                .into_iter()
                .map(move |(index, _)| (index, image.clone()))
        })
        .collect();
    for (index, image) in left {
        let place = Place::new(file, format!(": annotations[{index}]"));
        report.lose(place.error(format!("there is no image with id {image}")))?;
    }
    Ok(info)
}

/// Refuses lists, which other programs write under the same ending.
fn check_is_dataset(file: &Path) -> Result<(), FormatError> {
    let mut json = open_json(file)?;
    let start = json
        .fill_buf()
        .map_err(|source| FormatError::read(file, source))?;
    let problem = match start.trim_ascii_start().first() {
        Some(b'{') => return Ok(()),
        Some(b'[') => {
            "a list, as COCO results are: they need the images and categories of their dataset, which are not in it"
        }
        None => "there is nothing in it",
        Some(_) => "this is no JSON of a COCO dataset",
    };
    Err(FormatError::content(file, "", problem))
}

fn read_dataset(file: &Path, report: &mut ImportReport) -> Result<Dataset, FormatError> {
    let mut dataset = Dataset::default();
    let mut counts: HashMap<&'static str, usize> = HashMap::new();
    let mut categories = Vec::new();
    for_each_element(
        file,
        &["images", "annotations", "categories"],
        |key, element: Value| {
            let count = counts.entry(key).or_default();
            let index = *count;
            *count += 1;
            let place = Place::new(file, format!(": {key}[{index}]"));
            let read = match key {
                "images" => Image::read(&element).map(|image| dataset.images.push((index, image))),
                "annotations" => Annotation::read(element).map(|(image, annotation)| {
                    dataset
                        .annotations
                        .entry(image)
                        .or_default()
                        .push((index, annotation));
                }),
                _ => read::Category::read(&element).map(|category| categories.push((index, category))),
            };
            match read {
                Ok(()) => Ok(()),
                Err(problem) => report.lose(place.error(problem)),
            }
        },
    )?;
    if !counts.contains_key("images") {
        return Err(FormatError::content(
            file,
            "",
            "this is no COCO dataset: it has no `images`",
        ));
    }
    dataset.categories = Categories::new(categories, file, report)?;
    let mut known: HashMap<Id, usize> = HashMap::new();
    let mut images = Vec::with_capacity(dataset.images.len());
    for (index, image) in std::mem::take(&mut dataset.images) {
        if let Some(first) = known.insert(image.id.clone(), index) {
            let place = Place::new(file, format!(": images[{index}]"));
            report.lose(place.error(format!("its id {} is that of images[{first}]", image.id)))?;
            known.insert(image.id, first);
        } else {
            images.push((index, image));
        }
    }
    dataset.images = images;
    Ok(dataset)
}

/// The size of a sample's picture, going by its file.
fn size_of_file(record: &SampleRecord) -> Option<(u32, u32)> {
    let metadata = Decoder::default().read_metadata(record.path()).ok()?;
    Some((metadata.width, metadata.height))
}
