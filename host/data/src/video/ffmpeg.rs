//! Starting FFmpeg's programs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Decodes.
pub(super) const FFMPEG: &str = "ffmpeg";

/// Tells what is in a file.
pub(super) const FFPROBE: &str = "ffprobe";

/// Begins a command on one local file: a video may name others (playlists do), and none of them is fetched from a
/// network.
pub(super) fn command(program: &str, options: &[&str], video: &Path) -> Command {
    // Without the protocol's name a path such as `a:b.mp4` would be taken for one.
    let mut input = std::ffi::OsString::from("file:");
    input.push(video);
    let mut command = Command::new(program);
    command
        .args(options)
        .args(["-protocol_whitelist", "file", "-i"])
        .arg(input)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// The options by which every decoded frame comes out once, whatever its time: FFmpeg 5.1 gave them a new name, which
/// is the only one from version 8 on.
pub(super) fn every_frame_once() -> [&'static str; 2] {
    static IS_OLD: OnceLock<bool> = OnceLock::new();
    let is_old = *IS_OLD.get_or_init(|| {
        let version = Command::new(FFMPEG).arg("-version").stdin(Stdio::null()).output();
        version.is_ok_and(|version| is_before_5_1(&String::from_utf8_lossy(&version.stdout)))
    });
    [if is_old { "-vsync" } else { "-fps_mode" }, "passthrough"]
}

/// Reads the first line of `ffmpeg -version`. Versions without numbers are builds of the current source.
fn is_before_5_1(text: &str) -> bool {
    let version = text.strip_prefix("ffmpeg version ").unwrap_or_default();
    let mut numbers = version
        .trim_start_matches('n')
        .split(|character: char| !character.is_ascii_digit())
        .map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), minor) => (major, minor.unwrap_or(0)) < (5, 1),
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_before_5_1;

    #[test]
    fn versions_are_told_apart() {
        for old in ["4.4.2-0ubuntu0.22.04.1", "n4.3", "5.0.1", "3.4.8-0"] {
            assert!(is_before_5_1(&format!("ffmpeg version {old} Copyright")), "{old}");
        }
        for new in [
            "5.1.9-0+deb12u1",
            "n6.0",
            "7.1",
            "8.0",
            "10.0",
            "N-112233-gabcdef",
            "git-2024",
        ] {
            assert!(
                !is_before_5_1(&format!("ffmpeg version {new} Copyright")),
                "{new}"
            );
        }
    }
}
