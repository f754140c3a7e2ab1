//! What inputs lead to.

use super::media_kind::MediaKind;
use modelzoo_storage::{is_url, name_of};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A file to work on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Where it is: as given, or below the folder that was given. In an archive or a table, what it is called there, below
    /// the path of that.
    pub path: PathBuf,
    /// Its name below the folder, the glob's fixed part or the list file's folder; for several files, below the
    /// folder they share. It has no root and no `..`, so it can be joined to an output folder.
    pub relative_path: PathBuf,
    /// What it holds, going by its name. Of a file that was named itself and has an unknown ending, its content decides;
    /// what is neither is taken for a picture.
    pub kind: MediaKind,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// It is read from its path.
    #[default]
    AtPath,
    /// It has come with its name, out of an archive or a table, and its path leads nowhere.
    Bytes(Arc<[u8]>),
}

/// Whether a file of this relative path is wanted.
pub(super) type Wanted = Arc<dyn Fn(&Path) -> bool + Send + Sync>;

/// Which files in archives and tables come with their contents.
#[derive(Clone)]
pub(super) enum Contents {
    All,
    /// Some: the others are somebody else's.
    Of(Wanted),
    None,
}

impl Contents {
    /// Whether that of the file with this relative path does.
    pub(super) fn are_wanted(&self, relative_path: &Path) -> bool {
        match self {
            Self::All => true,
            Self::Of(wanted) => wanted(relative_path),
            Self::None => false,
        }
    }

    /// Whether no file's does.
    pub(super) fn are_left_out(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::All => "All",
            Self::Of(_) => "Of(..)",
            Self::None => "None",
        })
    }
}

/// What a named file is, going by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A list of others.
    List,
    /// An archive of pictures and videos.
    Archive,
    /// A table with a column of them.
    Table,
    /// A picture, a video, or whatever it turns out to be.
    Media,
}

impl Named {
    pub(super) fn of(path: &Path) -> Self {
        let name = name_of(path).to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".txt"]) {
            Self::List
        } else if ends(&[".tar", ".tar.gz", ".tgz", ".tar.zst"]) {
            Self::Archive
        } else if ends(&[".parquet"]) {
            Self::Table
        } else {
            Self::Media
        }
    }
}

/// The kind of a file, going by its name; of a URL, by that of the file in it.
pub(super) fn kind_by_name(path: &Path) -> Option<MediaKind> {
    match is_url(path) {
        true => MediaKind::from_path(Path::new(&name_of(path))),
        false => MediaKind::from_path(path),
    }
}
