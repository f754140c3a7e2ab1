//! The categories of a COCO dataset: classes, and the keypoints that each has.

use super::{
    super::{FormatError, ImportReport, Place},
    CocoInfo,
    read::{Annotation, Category, Id},
};
use crate::dataset::Skeleton;
use std::{collections::BTreeMap, path::Path};

/// Categories by their ids.
#[derive(Debug, Default)]
pub(super) struct Categories {
    names: BTreeMap<Id, String>,
    skeletons: BTreeMap<String, Skeleton>,
    /// That of the first category that has any.
    first: Skeleton,
    /// Whether the dataset has none at all.
    is_empty: bool,
}

impl Categories {
    /// Reports ids that are there twice, and lines between points that there are not.
    pub fn new(
        categories: Vec<(usize, Category)>,
        file: &Path,
        report: &mut ImportReport,
    ) -> Result<Self, FormatError> {
        let mut all = Self {
            is_empty: categories.is_empty(),
            ..Self::default()
        };
        for (index, category) in categories {
            let place = Place::new(file, format!(": categories[{index}]"));
            if all.names.contains_key(&category.id) {
                report.lose(place.error(format!("its id {} is that of another one", category.id)))?;
                continue;
            }
            let name = category.name.clone().unwrap_or_else(|| {
                report.note(
                    "categories have no name: their ids stand for it",
                    place.error(&category.id),
                );
                category.id.to_string()
            });
            let skeleton = skeleton(&category, &place, report);
            if !skeleton.keypoints.is_empty() || !skeleton.edges.is_empty() {
                if all.skeletons.is_empty() {
                    all.first = skeleton.clone();
                }
                all.skeletons.insert(name.clone(), skeleton);
            }
            all.names.insert(category.id, name);
        }
        Ok(all)
    }

    /// The class of an annotation, or what is wrong.
    pub fn class_of(
        &self,
        annotation: &Annotation,
        place: &Place<'_>,
        report: &mut ImportReport,
    ) -> Result<String, String> {
        match &annotation.category {
            Some(id) => {
                match self.names.get(id) {
                    Some(name) => Ok(name.clone()),
                    None if self.is_empty => {
                        report.note("annotations have categories that the file does not name: their ids stand for them", place.error(id));
                        Ok(id.to_string())
                    }
                    None => Err(format!("there is no category with id {id}")),
                }
            }
            None if annotation.is_caption => Err("captions are not supported".to_owned()),
            None => Err("it has no `category_id`".to_owned()),
        }
    }

    /// What the dataset says of its classes.
    pub fn info(&self) -> CocoInfo {
        let is_of_all = self
            .names
            .values()
            .all(|name| self.skeletons.get(name) == Some(&self.first));
        CocoInfo {
            samples: 0,
            classes: self.names.values().cloned().collect(),
            keypoints: self.first.keypoints.clone(),
            skeleton: self.first.edges.clone(),
            skeletons: match is_of_all {
                true => BTreeMap::new(),
                false => self.skeletons.clone(),
            },
        }
    }
}

/// Lines are counted from 1 in the format, and from 0 where one of them has a 0.
fn skeleton(category: &Category, place: &Place<'_>, report: &mut ImportReport) -> Skeleton {
    let first = usize::from(category.skeleton.iter().flatten().all(|&end| end > 0));
    if first == 0 {
        report.note(
            "skeletons count keypoints from 0, which the format does from 1",
            place.error(&category.id),
        );
    }
    let count = category.keypoints.len();
    let mut edges = Vec::new();
    for &[from, to] in &category.skeleton {
        let (from, to) = (from - first, to - first);
        // Without names nobody knows how many points there are.
        if count == 0 || from.max(to) < count {
            edges.push([from, to]);
        } else {
            report.note(
                "lines of skeletons are left out: they lead to keypoints that there are not",
                place.error(&category.id),
            );
        }
    }
    Skeleton {
        keypoints: category.keypoints.clone(),
        edges,
    }
}
