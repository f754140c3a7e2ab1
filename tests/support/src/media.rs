//! Pictures and videos for tests, made as they are needed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Writes a PNG of one grey value.
pub fn grey(path: &Path, width: u32, height: u32, value: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb([value; 3]));
    picture.save(path).unwrap();
}

/// A folder of four pictures, `a.png` to `d.png`, of which the first two are bright.
pub fn pictures(folder: PathBuf) -> PathBuf {
    for (name, value) in [("a", 250), ("b", 200), ("c", 50), ("d", 10)] {
        grey(&folder.join(format!("{name}.png")), 8, 6, value);
    }
    folder
}

/// Writes a video without loss, 40 x 24 pixels, ten frames a second, of so many frames; those from number `bright` on
/// are white, those before black.
pub fn video(path: &Path, frames: u32, bright: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let source = format!(
        "color=size=40x24:rate=10:duration={},format=yuv444p,geq=lum='if(lt(N,{}),16,235)':cb=128:cr=128",
        f64::from(frames) / 10.0,
        bright - 1,
    );
    let status = Command::new("ffmpeg")
        .args([
            "-loglevel",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            &source,
            "-c:v",
            "ffv1",
        ])
        .arg(path)
        .status()
        .expect("ffmpeg is installed");
    assert!(status.success());
}
