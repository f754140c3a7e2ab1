//! The ids of another COCO dataset, so that results can be compared with it.

use crate::format::{FormatError, non_finite::open_json};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::HashMap, path::Path};

#[derive(Deserialize)]
struct Dataset {
    images: Vec<Image>,
    #[serde(default)]
    categories: Vec<Value>,
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    file_name: String,
}

/// Ids by names.
#[derive(Debug)]
pub(super) struct Reference {
    /// By the whole file name, and by its last part.
    images: HashMap<String, u64>,
    category_ids: HashMap<String, u64>,
    categories: Vec<Value>,
}

impl Reference {
    pub fn read(path: &Path) -> Result<Self, FormatError> {
        let dataset: Dataset =
            serde_json::from_reader(open_json(path)?).map_err(|error| FormatError::json(path, error))?;
        let mut images = HashMap::new();
        for image in dataset.images {
            if let Some(name) = last_part(&image.file_name) {
                images.insert(name.to_owned(), image.id);
            }
            images.insert(image.file_name, image.id);
        }
        let id_of = |category: &Value| {
            let name = category.get("name")?.as_str()?.to_owned();
            Some((name, category.get("id")?.as_u64()?))
        };
        Ok(Self {
            images,
            category_ids: dataset.categories.iter().filter_map(id_of).collect(),
            categories: dataset.categories,
        })
    }

    /// The id of the picture of this path, or else of the one of its file's name.
    pub fn image(&self, filepath: &str) -> Option<u64> {
        let by_name = || self.images.get(last_part(filepath)?);
        self.images.get(filepath).or_else(by_name).copied()
    }

    pub fn category(&self, name: &str) -> Option<u64> {
        self.category_ids.get(name).copied()
    }

    pub fn categories(&self) -> &[Value] {
        &self.categories
    }
}

fn last_part(path: &str) -> Option<&str> {
    Path::new(path).file_name()?.to_str()
}
