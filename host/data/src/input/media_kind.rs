//! Pictures and videos, told apart by the endings of their names.

use crate::media::ImageFormat;
use std::path::Path;

/// Endings of video files, lower case, without the dot.
const VIDEO_EXTENSIONS: [&str; 38] = [
    "mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "wmv", "flv", "ts", "mts", "3gp", "ogv", "3g2",
    "asf", "av1", "divx", "dv", "f4v", "h264", "h265", "hevc", "264", "265", "ivf", "m1v", "m2ts", "m2v",
    "mjpeg", "mjpg", "mxf", "nut", "ogm", "qt", "rm", "vob", "y4m",
];

/// What a file holds, going by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A video.
    Video,
}

impl MediaKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Image, Self::Video];

    /// Goes by the name's ending, in any case; `None` when it is of neither kind.
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|kind| kind.extensions().contains(&extension.as_str()))
    }

    /// The endings of such files, lower case, without the dot.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Image => &ImageFormat::EXTENSIONS,
            Self::Video => &VIDEO_EXTENSIONS,
        }
    }

    /// "pictures" or "videos".
    pub fn plural(self) -> &'static str {
        match self {
            Self::Image => "pictures",
            Self::Video => "videos",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides_in_any_case() {
        assert_eq!(MediaKind::from_path(Path::new("a/b.JPG")), Some(MediaKind::Image));
        assert_eq!(
            MediaKind::from_path(Path::new("clip.Mp4")),
            Some(MediaKind::Video)
        );
        assert_eq!(MediaKind::from_path(Path::new("notes.txt")), None);
        assert_eq!(MediaKind::from_path(Path::new("jpg")), None);
    }
}
