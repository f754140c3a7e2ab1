//! Where in a file something stands, and where the files are that it names.

use super::FormatError;
use crate::record::{path_to_text, text_to_path};
use std::path::{Path, PathBuf};

/// Where in a file something stands.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    file: &'a Path,
    /// Beginning with a colon; empty for the whole file.
    at: String,
}

impl<'a> Place<'a> {
    /// A place in `file`; `at` begins with a colon, or is empty for the whole file.
    pub(super) fn new(file: &'a Path, at: impl Into<String>) -> Self {
        Self { file, at: at.into() }
    }

    /// What is wrong there.
    pub(super) fn error(&self, problem: impl ToString) -> FormatError {
        FormatError::content(self.file, self.at.clone(), problem)
    }
}

/// `named` as a file in `folder` has it: relative paths are relative to the folder. Paths of Windows are followed where
/// that leads to a file.
pub(super) fn beside(folder: &Path, named: &str) -> Result<String, FormatError> {
    let mut path = folder.join(text_to_path(named));
    if named.contains('\\') && !path.exists() {
        let turned = folder.join(named.replace('\\', "/"));
        if turned.exists() {
            path = turned;
        }
    }
    let path = std::path::absolute(&path).map_err(|source| FormatError::read(&path, source))?;
    Ok(path_to_text(&path))
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What folders of pictures are called that lie beside a file of labels.
const USUAL_NAMES: [&str; 3] = ["data", "images", "JPEGImages"];

/// What folders of labels are called that lie beside one of pictures.
const LABEL_FOLDERS: [&str; 2] = ["annotations", "labels"];

/// Where the pictures may be that a file of labels names.
#[derive(Debug)]
pub(super) struct PictureFolders {
    /// Never empty.
    folders: Vec<PathBuf>,
    /// Where the last picture was found, which is where the next one is.
    last: usize,
}

impl PictureFolders {
    /// The folder that the user has named; or else the file's own, the usual ones beside it, and, where it lies in a folder
    /// of labels, those beside that: also the one that the file's name ends in, `train2017` of `instances_train2017.json`.
    pub fn new(labels: &Path, images: Option<&Path>) -> Self {
        let folders = match images {
            Some(images) => vec![images.to_owned()],
            None => {
                let own = folder_of(labels);
                let stem = labels
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                let split = stem.rsplit('_').next().unwrap_or_default().to_owned();
                let beside = |root: &Path| {
                    let images = root.join("images");
                    let usual = USUAL_NAMES.iter().map(|name| root.join(name));
                    let usual = usual.chain([root.join(&split), images.join(&split)]);
                    usual.filter(|folder| folder.is_dir()).collect::<Vec<_>>()
                };
                let absolute = std::path::absolute(&own).unwrap_or_else(|_| own.clone());
                let is_of_labels = absolute
                    .file_name()
                    .is_some_and(|name| LABEL_FOLDERS.iter().any(|known| name.eq_ignore_ascii_case(known)));
                let above = absolute.parent().filter(|_| is_of_labels);
                let above = above.map(|above| [beside(above), vec![above.to_owned()]].concat());
                [vec![own.clone()], beside(&own), above.unwrap_or_default()].concat()
            }
        };
        Self { folders, last: 0 }
    }

    /// The file of this name, in the first folder that has it.
    pub fn look_for(&mut self, named: &str) -> Result<Option<String>, FormatError> {
        for place in std::iter::once(self.last).chain(0..self.folders.len()) {
            let path = beside(&self.folders[place], named)?;
            if !named.is_empty() && text_to_path(&path).is_file() {
                self.last = place;
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// The same; where there is no such file, it would be in the first folder.
    pub fn find(&mut self, named: &str) -> Result<String, FormatError> {
        match self.look_for(named)? {
            Some(found) => Ok(found),
            None => beside(&self.folders[0], named),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_looked_for_where_programs_put_them() {
        let root = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        for name in [
            "annotations/instances_val2017.json",
            "val2017/a.jpg",
            "images/b.jpg",
            "labels.json",
            "data/c.jpg",
        ] {
            make(name);
        }
        let find = |labels: &str, named: &str| {
            let mut folders = PictureFolders::new(&root.path().join(labels), None);
            let found = PathBuf::from(folders.find(named).unwrap());
            found
                .strip_prefix(root.path())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        let split = "annotations/instances_val2017.json";
        assert_eq!(find(split, "a.jpg"), "val2017/a.jpg");
        assert_eq!(find(split, "b.jpg"), "images/b.jpg");
        assert_eq!(find(split, "none.jpg"), "annotations/none.jpg");
        assert_eq!(find("labels.json", "c.jpg"), "data/c.jpg");
        assert_eq!(find("labels.json", "val2017/a.jpg"), "val2017/a.jpg");
    }
}
