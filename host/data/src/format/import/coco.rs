//! COCO datasets: boxes with their masks, and keypoints.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use modelzoo_plugin_api::label::{Detection, Detections, Keypoint, Keypoints};
use serde::Deserialize;

use super::{FormatError, SampleRecord, Sink, beside, folder_of};
use crate::format::non_finite::open_json;
use crate::format::shape::{Mask, RunLengths, fill};
use crate::label::Fields;
use crate::record::{ImageMetadata, Metadata};

/// How to import a COCO dataset.
#[derive(Clone, Debug)]
pub struct CocoOptions<'a> {
    /// The folder that file names are relative to; that of the JSON file where it is `None`.
    pub images: Option<&'a Path>,
    /// The field for boxes; that for keypoints has the same name and `_keypoints` behind it.
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
}

#[derive(Deserialize)]
struct Dataset {
    images: Vec<Image>,
    #[serde(default)]
    annotations: Vec<Annotation>,
    #[serde(default)]
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: i64,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: i64,
    category_id: i64,
    bbox: Option<[f64; 4]>,
    segmentation: Option<Segmentation>,
    keypoints: Option<Vec<f64>>,
    score: Option<f64>,
    iscrowd: Option<u8>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Segmentation {
    Polygons(Vec<Vec<f64>>),
    RunLengths { size: [usize; 2], counts: Counts },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Counts {
    Text(String),
    Numbers(Vec<u32>),
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
    #[serde(default)]
    keypoints: Vec<String>,
    #[serde(default)]
    skeleton: Vec<[usize; 2]>,
}

/// Reads the samples of a COCO dataset, in the order of its images. The annotations are held in memory.
///
/// # Errors
/// When the file is no COCO dataset, or an annotation is broken or refers to a category or image that is not there.
pub fn import_coco(file: &Path, options: &CocoOptions<'_>, sink: Sink<'_>) -> Result<CocoInfo, FormatError> {
    let dataset: Dataset =
        serde_json::from_reader(open_json(file)?).map_err(|error| FormatError::json(file, error))?;
    let folder = options.images.map_or_else(|| folder_of(file), Path::to_owned);
    let categories: BTreeMap<i64, &str> = dataset
        .categories
        .iter()
        .map(|category| (category.id, category.name.as_str()))
        .collect();
    let mut of_image: HashMap<i64, Vec<(usize, Annotation)>> = HashMap::new();
    for (index, annotation) in dataset.annotations.into_iter().enumerate() {
        of_image
            .entry(annotation.image_id)
            .or_default()
            .push((index, annotation));
    }
    let mut info = CocoInfo {
        classes: categories.values().map(|name| (*name).to_owned()).collect(),
        ..CocoInfo::default()
    };
    if let Some(category) = dataset
        .categories
        .iter()
        .find(|category| !category.keypoints.is_empty())
    {
        info.keypoints = category.keypoints.clone();
        let from_zero = |[a, b]: &[usize; 2]| Some([a.checked_sub(1)?, b.checked_sub(1)?]);
        info.skeleton = category.skeleton.iter().filter_map(from_zero).collect();
    }
    for image in dataset.images {
        let mut labels = Labels::new(options.field);
        for (index, annotation) in of_image.remove(&image.id).unwrap_or_default() {
            labels
                .add(&image, &annotation, &categories)
                .map_err(|problem| FormatError::content(file, format!(": annotations[{index}]"), problem))?;
        }
        sink(SampleRecord {
            metadata: Some(Metadata::Image(ImageMetadata {
                width: image.width,
                height: image.height,
                ..ImageMetadata::default()
            })),
            labels: labels.into_fields(),
            ..SampleRecord::image(beside(&folder, &image.file_name)?)
        })?;
        info.samples += 1;
    }
    if let Some((index, annotation)) = of_image.into_values().flatten().min_by_key(|(index, _)| *index) {
        let problem = format!("there is no image with id {}", annotation.image_id);
        return Err(FormatError::content(
            file,
            format!(": annotations[{index}]"),
            problem,
        ));
    }
    Ok(info)
}

/// The labels of one image.
struct Labels<'a> {
    field: &'a str,
    detections: Vec<Detection>,
    keypoints: Vec<Keypoint>,
}

impl<'a> Labels<'a> {
    fn new(field: &'a str) -> Self {
        Self {
            field,
            detections: Vec::new(),
            keypoints: Vec::new(),
        }
    }

    fn add(
        &mut self,
        image: &Image,
        annotation: &Annotation,
        categories: &BTreeMap<i64, &str>,
    ) -> Result<(), String> {
        let class = categories
            .get(&annotation.category_id)
            .ok_or_else(|| format!("there is no category with id {}", annotation.category_id))?;
        let (width, height) = (f64::from(image.width), f64::from(image.height));
        if let Some(numbers) = &annotation.keypoints {
            let points = numbers.chunks_exact(3).map(|point| match point {
                [x, y, visible] if *visible > 0.0 => [x / width, y / height],
                _ => [f64::NAN; 2],
            });
            self.keypoints
                .push(Keypoint::new(points.collect()).with_label(*class));
        }
        if let Some([x, y, w, h]) = annotation.bbox {
            let mut detection = Detection::new(*class, [x / width, y / height, w / width, h / height]);
            detection.confidence = annotation.score;
            let mask = annotation
                .segmentation
                .as_ref()
                .map(|segmentation| segmentation.mask(image))
                .transpose()?;
            if let Some(mask) = mask.flatten() {
                detection.mask = Some(mask.cropped([x, y, w, h]).to_array());
            }
            if annotation.iscrowd == Some(1) {
                detection.attributes.insert("iscrowd".to_owned(), 1.into());
            }
            self.detections.push(detection);
        }
        Ok(())
    }

    fn into_fields(self) -> Fields {
        let mut fields = Fields::default();
        if !self.keypoints.is_empty() {
            let name = format!("{}_keypoints", self.field);
            fields.sample.insert(name, Keypoints::new(self.keypoints).into());
        }
        fields
            .sample
            .insert(self.field.to_owned(), Detections::new(self.detections).into());
        fields
    }
}

impl Segmentation {
    /// The object's pixels in the whole picture; `None` for none.
    fn mask(&self, image: &Image) -> Result<Option<Mask>, String> {
        let lengths = match self {
            Self::Polygons(polygons) => {
                let outlines: Vec<Vec<[f64; 2]>> = polygons
                    .iter()
                    .map(|numbers| {
                        numbers
                            .chunks_exact(2)
                            .map(|point| [point[0], point[1]])
                            .collect()
                    })
                    .collect();
                let (width, height) = (image.width as usize, image.height as usize);
                return Ok((!outlines.is_empty()).then(|| fill(&outlines, width, height)));
            }
            Self::RunLengths {
                size: [height, width],
                counts: Counts::Numbers(counts),
            } => RunLengths {
                width: *width,
                height: *height,
                counts: counts.clone(),
            },
            Self::RunLengths {
                size: [height, width],
                counts: Counts::Text(text),
            } => RunLengths::from_text(*width, *height, text).map_err(|error| error.to_string())?,
        };
        lengths.decode().map(Some).map_err(|error| error.to_string())
    }
}
