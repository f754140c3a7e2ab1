//! A folder of annotated pictures.

use crate::{
    media::RgbImage,
    output::{AtomicFile, OutputError},
};
use image::{ImageEncoder, codecs::png::PngEncoder};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

const JPEG_QUALITY: i32 = 90;

/// Where annotated copies of pictures go, under the pictures' own relative names.
#[derive(Clone, Debug)]
pub struct AnnotationFolder {
    root: PathBuf,
}

impl AnnotationFolder {
    /// Copies go below `root`, which is made when it is needed.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where the copy of the picture with this relative name goes: the same name, with `.jpg` added to names that end
    /// neither as a JPEG's nor as a PNG's.
    pub fn path_of(&self, relative_path: &Path) -> PathBuf {
        let path = self.root.join(relative_path);
        match Format::of(&path) {
            Some(_) => path,
            None => {
                let mut name = path.into_os_string();
                name.push(".jpg");
                name.into()
            }
        }
    }

    /// Where the copy of the video with this relative name goes: the same name, with `.mp4` added to names that do not
    /// end so.
    ///
    /// # Errors
    /// When that is `original`, the video itself.
    pub fn video_path_of(&self, relative_path: &Path, original: &Path) -> Result<PathBuf, OutputError> {
        let mut path = self.root.join(relative_path);
        let is_mp4 = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("mp4"));
        if !is_mp4 {
            path.as_mut_os_string().push(".mp4");
        }
        check_other_than(&path, original)?;
        Ok(path)
    }

    /// Saves a picture as PNG where its name says so, else as JPEG. A copy that is already there is replaced.
    ///
    /// # Errors
    /// When the file cannot be written, or is `original`, the picture itself.
    pub fn save(
        &self,
        relative_path: &Path,
        image: &RgbImage,
        original: &Path,
    ) -> Result<PathBuf, OutputError> {
        let path = self.path_of(relative_path);
        check_other_than(&path, original)?;
        let encoded = encode(image, Format::of(&path).unwrap_or(Format::Jpeg));
        let bytes = encoded.map_err(|source| OutputError::new(&path, source))?;
        let mut file = AtomicFile::create(&path)?;
        file.write_all(&bytes)
            .map_err(|source| OutputError::new(&path, source))?;
        file.commit()?;
        Ok(path)
    }
}

/// Fails when a copy would take the place of what it is a copy of.
fn check_other_than(copy: &Path, original: &Path) -> Result<(), OutputError> {
    let is_same = copy
        .canonicalize()
        .is_ok_and(|copy| original.canonicalize().is_ok_and(|original| copy == original));
    if is_same {
        let message = "this is the file itself; choose another folder for the annotated copies";
        return Err(OutputError::new(
            copy,
            io::Error::new(io::ErrorKind::AlreadyExists, message),
        ));
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Jpeg,
    Png,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" | "jpe" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }
}

fn encode(image: &RgbImage, format: Format) -> io::Result<Vec<u8>> {
    match format {
        Format::Jpeg => encode_jpeg(image).map_err(io::Error::other),
        Format::Png => {
            let mut bytes = Vec::new();
            let encoder = PngEncoder::new(&mut bytes);
            encoder
                .write_image(
                    image.data(),
                    image.width(),
                    image.height(),
                    image::ExtendedColorType::Rgb8,
                )
                .map_err(io::Error::other)?;
            Ok(bytes)
        }
    }
}

fn encode_jpeg(image: &RgbImage) -> turbojpeg::Result<Vec<u8>> {
    let mut compressor = turbojpeg::Compressor::new()?;
    compressor.set_quality(JPEG_QUALITY)?;
    // Full colour resolution keeps thin coloured lines and small letters sharp.
    compressor.set_subsamp(turbojpeg::Subsamp::None)?;
    compressor.compress_to_vec(turbojpeg::Image {
        pixels: image.data(),
        width: image.width() as usize,
        pitch: image.width() as usize * 3,
        height: image.height() as usize,
        format: turbojpeg::PixelFormat::RGB,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Decoder;

    fn picture() -> RgbImage {
        RgbImage::from_raw(20, 10, (0..600).map(|value| (value / 3) as u8).collect()).expect("fits")
    }

    #[test]
    fn names_stay_and_say_the_format() {
        let folder = AnnotationFolder::new("out");
        for (name, expected) in [
            ("a/b.jpg", "out/a/b.jpg"),
            ("c.JPEG", "out/c.JPEG"),
            ("d.png", "out/d.png"),
            ("e.webp", "out/e.webp.jpg"),
            ("f", "out/f.jpg"),
        ] {
            assert_eq!(folder.path_of(Path::new(name)), Path::new(expected));
        }
    }

    #[test]
    fn copies_are_pictures_of_the_named_format() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let copies = AnnotationFolder::new(folder.path());
        for (name, mime_type) in [
            ("deep/a.jpg", "image/jpeg"),
            ("b.png", "image/png"),
            ("c.gif", "image/jpeg"),
        ] {
            let path = copies
                .save(Path::new(name), &picture(), Path::new("elsewhere.jpg"))
                .expect("writable");
            let decoded = Decoder::default().decode_path(&path).expect("a picture");
            assert_eq!(decoded.metadata.mime_type, mime_type);
            assert_eq!(decoded.image.size(), (20, 10));
            if mime_type == "image/png" {
                assert_eq!(decoded.image, picture());
            }
        }
    }

    #[test]
    fn the_picture_itself_is_never_replaced() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let original = folder.path().join("a.jpg");
        std::fs::write(&original, b"precious").expect("writable");
        let copies = AnnotationFolder::new(folder.path());
        let error = copies
            .save(Path::new("a.jpg"), &picture(), &original)
            .expect_err("the same file");
        let told = modelzoo_base::error::in_one_line(&error);
        assert!(told.contains("file itself"), "{told}");
        assert_eq!(std::fs::read(&original).expect("readable"), b"precious");
    }
}
