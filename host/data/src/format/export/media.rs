//! The samples' own files in an exported folder.

use super::{FormatError, Media};
use crate::{input::MediaKind, output::OutputError};
use modelzoo_base::file::absolute;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

/// Gives files names of their own in one folder, and puts them there.
#[derive(Debug)]
pub(super) struct MediaFolder {
    folder: PathBuf,
    media: Media,
    /// How often each name was asked for, by the name's hash: a million names would be too much to keep.
    taken: HashMap<u64, u32>,
}

impl MediaFolder {
    /// Puts files into `folder`, which is made unless files are only referred to.
    pub fn create(folder: PathBuf, media: Media) -> Result<Self, FormatError> {
        if media != Media::Reference {
            std::fs::create_dir_all(&folder).map_err(|source| OutputError::new(&folder, source))?;
        }
        Ok(Self {
            folder,
            media,
            taken: HashMap::new(),
        })
    }

    /// A name for `file` that no other file has, ending differences aside: `cat.jpg`, then `cat-2.jpg`, as FiftyOne
    /// names files.
    pub fn name(&mut self, file: &Path) -> String {
        let stem = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let extension = match file.extension() {
            Some(extension) => format!(".{}", extension.to_string_lossy()),
            None => String::new(),
        };
        let mut unique = stem.clone();
        while let count @ 2.. = self.count(&unique) {
            unique = format!("{stem}-{count}");
        }
        unique + &extension
    }

    fn count(&mut self, stem: &str) -> u32 {
        let mut hasher = DefaultHasher::new();
        stem.hash(&mut hasher);
        let count = self.taken.entry(hasher.finish()).or_default();
        *count += 1;
        *count
    }

    /// Puts `file` into the folder under `name`; or gives in a line why it is not there. The paths of samples may come
    /// from strangers, and name what is no picture and nobody wants copied.
    ///
    /// # Errors
    /// When nothing more can be written to the folder.
    pub fn place(&self, file: &Path, name: &str) -> Result<Result<(), String>, FormatError> {
        if self.media == Media::Reference {
            return Ok(Ok(()));
        }
        let refusal = |problem: &str| Ok(Err(format!("{}: not copied: {problem}", file.display())));
        match MediaKind::of_content(file) {
            Err(error) => return refusal(&error.to_string()),
            Ok(None) => return refusal("the content is no picture or video"),
            Ok(Some(_)) => {}
        }
        let target = self.folder.join(name);
        let placed = match self.media {
            Media::Copy => std::fs::copy(file, &target).map(drop),
            _ => link(&absolute(file), &target),
        };
        match placed {
            Ok(()) => Ok(Ok(())),
            Err(error) if concerns_folder(&error) => Err(OutputError::new(target, error).into()),
            Err(error) => {
                // What came of it is no picture.
                let _ = std::fs::remove_file(target);
                refusal(&error.to_string())
            }
        }
    }
}

/// Whether an error of copying says that the folder takes no more, rather than that the file cannot be read.
fn concerns_folder(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
}

#[cfg(unix)]
fn link(file: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(file, target)
}

#[cfg(not(unix))]
fn link(file: &Path, target: &Path) -> io::Result<()> {
    // Symbolic links need a privilege on Windows; hard ones do not.
    std::fs::hard_link(file, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_whatever_the_ending() {
        let mut folder = MediaFolder::create("nowhere".into(), Media::Reference).unwrap();
        let mut name = |path: &str| folder.name(Path::new(path));
        assert_eq!(name("a/cat.jpg"), "cat.jpg");
        assert_eq!(name("b/cat.jpg"), "cat-2.jpg");
        assert_eq!(name("b/cat.png"), "cat-3.png");
        assert_eq!(name("b/cat-2.jpg"), "cat-2-2.jpg");
        assert_eq!(name("b/dog"), "dog");
    }
}
