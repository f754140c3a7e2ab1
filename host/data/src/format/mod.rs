//! The formats of other programs: what they call them, how they are written and read.

#[cfg(feature = "exporters")]
pub mod export;
pub mod import;

mod error;
#[cfg_attr(
    not(feature = "exporters"),
    allow(
        dead_code,
        unused_imports,
        reason = "exporters need all of it, importers a part"
    )
)]
mod non_finite;
#[cfg_attr(
    not(feature = "exporters"),
    allow(
        dead_code,
        unused_imports,
        reason = "exporters need all of it, importers a part"
    )
)]
mod notes;
#[cfg_attr(
    not(feature = "exporters"),
    allow(
        dead_code,
        unused_imports,
        reason = "exporters need all of it, importers a part"
    )
)]
mod shape;
#[cfg_attr(
    not(feature = "exporters"),
    allow(
        dead_code,
        unused_imports,
        reason = "exporters need all of it, importers a part"
    )
)]
mod visibility;

#[cfg(all(test, feature = "parquet"))]
mod tests;

use std::{path::Path, str::FromStr};

pub use error::FormatError;
pub use notes::Losses;

/// A format of files or folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// An object a line, a line a sample; keeps everything.
    JsonLines,
    /// A table of labels, a line each.
    Csv,
    /// A table of samples with nested columns, for DuckDB, pandas, Spark.
    Parquet,
    /// A COCO dataset: images, annotations (with `score`) and categories in one JSON file.
    Coco,
    /// COCO results: the list of annotations that `pycocotools` evaluates.
    CocoResults,
    /// A folder with a text file of boxes for each picture and `data.yaml`, for Ultralytics' programs.
    Yolo,
    /// A folder that FiftyOne opens as `FiftyOneDataset`; keeps everything.
    FiftyOne,
    /// A folder of Pascal VOC: an XML file for each picture.
    Voc,
    /// An XML file of CVAT's annotations of images.
    Cvat,
    /// Tasks with predictions for Label Studio, or those that it exports.
    LabelStudio,
    /// A matrix of one embedding a row.
    Npy,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::JsonLines,
        Self::Csv,
        Self::Parquet,
        Self::Coco,
        Self::CocoResults,
        Self::Yolo,
        Self::FiftyOne,
        Self::Voc,
        Self::Cvat,
        Self::LabelStudio,
        Self::Npy,
    ];

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Coco => "coco",
            Self::CocoResults => "coco-results",
            Self::Yolo => "yolo",
            Self::FiftyOne => "fiftyone",
            Self::Voc => "voc",
            Self::Cvat => "cvat",
            Self::LabelStudio => "label-studio",
            Self::Npy => "npy",
        }
    }

    /// Whether it can be imported.
    pub fn is_read(self) -> bool {
        !matches!(self, Self::Csv | Self::Parquet | Self::CocoResults | Self::Npy)
    }

    /// Whether what is at `path` in this format is a folder of pictures beside their labels, so that the pictures can be
    /// taken alone.
    pub fn has_bare_pictures(self, path: &Path) -> bool {
        path.is_dir() && self != Self::FiftyOne
    }

    /// Whether it can be written.
    pub fn is_written(self) -> bool {
        !matches!(self, Self::Voc | Self::Cvat)
    }

    /// Whether it holds labels (boxes, classes, ...), for whoever writes it.
    pub fn holds_labels(self) -> bool {
        self != Self::Npy && self.is_written()
    }

    /// Whether it holds embeddings.
    pub fn holds_embeddings(self) -> bool {
        matches!(self, Self::JsonLines | Self::Parquet | Self::FiftyOne | Self::Npy)
    }

    /// Whether it is written as a folder.
    pub fn is_folder(self) -> bool {
        matches!(self, Self::Yolo | Self::FiftyOne | Self::Voc)
    }

    /// Whether it is a file of rows, each of which stands by itself: a part of the samples gives a part of the rows.
    pub fn is_of_rows(self) -> bool {
        matches!(self, Self::JsonLines | Self::Csv | Self::Parquet | Self::Npy)
    }

    /// Whether classes are numbers in it.
    #[cfg(feature = "exporters")]
    fn numbers_classes(self) -> bool {
        matches!(self, Self::Coco | Self::CocoResults | Self::Yolo | Self::Csv)
    }

    /// The format that a file's ending names without doubt; JSON files may be of several formats.
    pub fn from_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            "npy" => Some(Self::Npy),
            _ => None,
        }
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| FormatError::UnknownFormat {
                name: name.to_owned(),
            })
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}
