//! FFmpeg's programs: their names, what they may take, and what their versions understand.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Decodes.
pub(crate) const FFMPEG: &str = "ffmpeg";

/// Tells what is in a file.
pub(crate) const FFPROBE: &str = "ffprobe";

/// What a program's own data may take beside its frames: tables of contents, threads.
const BASE_MEMORY: u64 = 3 << 30;

/// How many frames in full colour a program may hold: decoders keep some to refer to, on every core a few.
const FRAMES_IN_MEMORY: u64 = 64;

/// How many bytes a program may take that works on frames of this size.
pub(crate) fn memory_for((width, height): (u32, u32)) -> u64 {
    BASE_MEMORY + FRAMES_IN_MEMORY * 3 * u64::from(width) * u64::from(height)
}

/// The options by which every decoded frame comes out once, whatever its time: FFmpeg 5.1 gave them a new name, which
/// is the only one from version 8 on.
pub(crate) fn every_frame_once() -> [&'static str; 2] {
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

/// The last thing that FFmpeg said, without the file's name, which the caller adds.
pub(crate) fn last_line(text: &str, path: &Path) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or("no reason given");
    let name = format!("file:{}: ", path.display());
    line.strip_prefix(&name).unwrap_or(line).to_owned()
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
