//! Masks and maps in files of their own: FiftyOne's `output_dir` and `rel_dir`.

use super::{
    AtomicFile, OutputError,
    array_image::{map_to_png, mask_to_png},
};
use crate::label::Fields;
use modelzoo_plugin_api::label::{Detection, Label};
use std::{
    collections::HashMap,
    io::{self, Write},
    path::{Path, PathBuf},
};
use walkdir::WalkDir;

/// A folder into which masks and maps are written as PNG, named after their samples.
///
/// `0.jpg` gives `0.png`, and the next of the same name `0-2.png`, `0-3.png`, ...: counted over all labels, and over
/// the files that are already there, none of which is replaced.
#[derive(Debug)]
pub struct LabelImageFolder {
    folder: PathBuf,
    base: Option<PathBuf>,
    /// How many files of each name there are, by path below the folder.
    counts: HashMap<PathBuf, usize>,
}

impl LabelImageFolder {
    /// Makes the folder if need be and looks at what is in it. With `base`, files keep their samples' paths below it,
    /// folders included.
    pub fn create(folder: impl Into<PathBuf>, base: Option<PathBuf>) -> Result<Self, OutputError> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder).map_err(|source| OutputError::new(&folder, source))?;
        let depth = if base.is_some() { usize::MAX } else { 1 };
        let mut counts = HashMap::new();
        for entry in WalkDir::new(&folder).min_depth(1).max_depth(depth) {
            let entry = entry.map_err(|error| OutputError::new(&folder, error))?;
            if let (true, Ok(name)) = (entry.file_type().is_file(), entry.path().strip_prefix(&folder)) {
                *counts.entry(name.to_owned()).or_default() += 1;
            }
        }
        Ok(Self { folder, base, counts })
    }

    /// Writes the arrays of all of a sample's masks and maps to files and leaves their paths in the labels instead.
    pub fn move_arrays(&mut self, sample: &Path, fields: &mut Fields) -> Result<(), OutputError> {
        fields
            .labels_mut()
            .try_for_each(|label| self.move_arrays_of(sample, label))
    }

    fn move_arrays_of(&mut self, sample: &Path, label: &mut Label) -> Result<(), OutputError> {
        match label {
            Label::Segmentation(segmentation) => {
                if let Some(mask) = segmentation.mask.take() {
                    segmentation.mask_path = Some(self.write(sample, mask_to_png(&mask))?);
                }
            }
            Label::Heatmap(heatmap) => {
                if let Some(map) = heatmap.map.take() {
                    heatmap.map_path = Some(self.write(sample, map_to_png(&map, heatmap.range.take()))?);
                }
            }
            Label::Detection(detection) => self.move_mask(sample, detection)?,
            Label::Detections(all) => {
                all.detections
                    .iter_mut()
                    .try_for_each(|detection| self.move_mask(sample, detection))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn move_mask(&mut self, sample: &Path, detection: &mut Detection) -> Result<(), OutputError> {
        if let Some(mask) = detection.mask.take() {
            detection.mask_path = Some(self.write(sample, mask_to_png(&mask))?);
        }
        Ok(())
    }

    /// Writes one picture and gives its path.
    fn write(&mut self, sample: &Path, png: image::ImageResult<Vec<u8>>) -> Result<String, OutputError> {
        let name = self.next_name(sample);
        let path = self.folder.join(name);
        let png = png.map_err(|error| OutputError::new(&path, io::Error::other(error.to_string())))?;
        let mut file = AtomicFile::create(&path)?;
        file.write_all(&png)
            .map_err(|source| OutputError::new(&path, source))?;
        file.commit()?;
        Ok(path.to_string_lossy().into_owned())
    }

    /// A name below the folder that no file has yet.
    fn next_name(&mut self, sample: &Path) -> PathBuf {
        let below = self
            .base
            .as_deref()
            .and_then(|base| sample.strip_prefix(base).ok());
        let stem = match below {
            Some(below) => below.with_extension(""),
            None => PathBuf::from(sample.file_stem().unwrap_or_default()),
        };
        let numbered = |count: usize| {
            let mut name = stem.clone().into_os_string();
            if count > 1 {
                name.push(format!("-{count}"));
            }
            name.push(".png");
            PathBuf::from(name)
        };
        let first = numbered(1);
        let mut count = self.counts.get(&first).copied().unwrap_or(0) + 1;
        while count > 1 && self.counts.contains_key(&numbered(count)) {
            count += 1;
        }
        self.counts.insert(first, count);
        numbered(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Decoder;
    use modelzoo_plugin_api::{
        Array, Output,
        label::{Classification, Detections, Heatmap, Segmentation},
    };

    fn array() -> Array {
        Array::new([2, 3], vec![0u8, 1, 2, 3, 4, 5]).expect("fits")
    }

    fn fields(labels: Vec<(&str, Label)>) -> Fields {
        let labels = labels
            .into_iter()
            .map(|(name, label)| (name.to_owned(), label))
            .collect();
        Fields::from_output(Output::Labels(labels), "p").expect("valid")
    }

    fn segmentation() -> Fields {
        fields(vec![("mask", Segmentation::new(array()).into())])
    }

    fn path_of(fields: &Fields) -> String {
        let Some(Label::Segmentation(label)) = fields.sample.get("p_mask") else {
            panic!("a segmentation")
        };
        assert!(label.mask.is_none());
        let path = label.mask_path.clone().expect("a path");
        assert!(Path::new(&path).is_file());
        path
    }

    #[test]
    fn names_are_counted_and_nothing_is_replaced() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("1.png"), b"older").expect("writable");
        std::fs::write(folder.path().join("1-2.png"), b"older").expect("writable");
        let mut images = LabelImageFolder::create(folder.path(), None).expect("writable");
        let mut name = |sample: &str| {
            let mut fields = segmentation();
            images
                .move_arrays(Path::new(sample), &mut fields)
                .expect("writable");
            let path = path_of(&fields);
            Path::new(&path)
                .strip_prefix(folder.path())
                .expect("below the folder")
                .display()
                .to_string()
        };
        assert_eq!(
            ["a/0.jpg", "b/0.jpg", "0.png"].map(&mut name),
            ["0.png", "0-2.png", "0-3.png"]
        );
        assert_eq!(name("1.jpg"), "1-3.png");
        assert_eq!(
            std::fs::read(folder.path().join("1.png")).expect("readable"),
            b"older"
        );
    }

    #[test]
    fn folders_below_the_base_are_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut images = LabelImageFolder::create(folder.path(), Some("photos".into())).expect("writable");
        for (sample, expected) in [
            ("photos/a/0.jpg", "a/0.png"),
            ("photos/b/0.jpg", "b/0.png"),
            ("x/0.jpg", "0.png"),
        ] {
            let mut fields = segmentation();
            images
                .move_arrays(Path::new(sample), &mut fields)
                .expect("writable");
            assert_eq!(Path::new(&path_of(&fields)), folder.path().join(expected));
        }
    }

    #[test]
    fn every_array_moves_and_everything_else_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut images = LabelImageFolder::create(folder.path().join("new"), None).expect("writable");
        let detection = |masked: bool| {
            let detection = Detection::new("a", [0.0, 0.0, 1.0, 1.0]);
            if masked {
                detection.with_mask(array())
            } else {
                detection
            }
        };
        let mut fields = fields(vec![
            (
                "boxes",
                Detections::new(vec![detection(true), detection(false), detection(true)]).into(),
            ),
            ("class", Classification::new("a").into()),
            ("heat", Heatmap::new(array()).with_range(0.0, 5.0).into()),
        ]);
        images
            .move_arrays(Path::new("s.jpg"), &mut fields)
            .expect("writable");
        let Label::Detections(boxes) = &fields.sample["p_boxes"] else {
            panic!("detections")
        };
        let names = boxes
            .detections
            .iter()
            .map(|one| one.mask_path.as_deref().map(|path| path.rsplit('/').next()));
        assert_eq!(
            names.collect::<Vec<_>>(),
            [Some(Some("s.png")), None, Some(Some("s-2.png"))]
        );
        let Label::Heatmap(heat) = &fields.sample["p_heat"] else {
            panic!("a heat map")
        };
        assert!(heat.map.is_none() && heat.range.is_none());
        let picture = Decoder::default()
            .decode_path(heat.map_path.as_ref().expect("a path"))
            .expect("a picture");
        assert_eq!(
            picture
                .image
                .data()
                .chunks(3)
                .map(|pixel| pixel[0])
                .collect::<Vec<_>>(),
            [0, 51, 102, 153, 204, 255]
        );
    }
}
