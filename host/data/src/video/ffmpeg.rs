//! Starting FFmpeg's programs.

use super::{error::VideoReason, process::program};
use std::{
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Decodes.
pub(super) const FFMPEG: &str = "ffmpeg";

/// Tells what is in a file.
pub(super) const FFPROBE: &str = "ffprobe";

/// The formats that are read, as FFmpeg calls them: those that hold a video in the one file. FFmpeg knows more, which it
/// finds by content whatever a file is called: playlists (`hls`, `dash`, `concat`, `imf`), which name other files and may
/// have no end, and text that it draws (`tty`, subtitles).
const FORMATS: &str = "4xm,anm,apng,asf,asf_o,av1,avi,avs2,avs3,bethsoftvid,bfi,bink,c93,cavsvideo,cdxl,cine,dfa,dhav,\
dirac,dnxhd,dsicin,dv,dxa,ea,evc,film_cpk,flic,flv,gdv,gif,gxf,h261,h263,h264,hevc,hnm,idcin,ifv,ingenient,ipmovie,\
ipu,iv8,ivf,jpeg_pipe,jv,kux,live_flv,lmlm4,lvf,lxf,m4v,matroska,mjpeg,mjpeg_2000,mm,moflex,mods,mov,mpeg,mpegts,mpegtsraw,\
mpegvideo,mpjpeg,mtv,mv,mvi,mxf,nsv,nut,nuv,obu,ogg,paf,pmp,psxstr,pva,r3d,rl2,rm,roq,sdr2,siff,smjpeg,smk,swf,thp,\
tiertexseq,txd,ty,vc1,vc1test,vividas,vivo,vmd,vvc,wc3movie,webm,wsvqa,wtv,xmv,yop,yuv4mpegpipe";

/// What a program's own data may take beside its frames: tables of contents, threads.
const BASE_MEMORY: u64 = 3 << 30;

/// How many frames in full colour a program may hold: decoders keep some to refer to, on every core a few.
const FRAMES_IN_MEMORY: u64 = 64;

/// How many bytes a program may take that works on frames of this size.
pub(super) fn memory_for((width, height): (u32, u32)) -> u64 {
    BASE_MEMORY + FRAMES_IN_MEMORY * 3 * u64::from(width) * u64::from(height)
}

/// Begins a command on one local file, which opens no other: no playlist is read, and nothing is fetched from a network.
///
/// # Errors
/// When the program is not installed.
pub(super) fn command(name: &'static str, options: &[&str], video: &Path) -> Result<Command, VideoReason> {
    // Without the protocol's name a path such as `a:b.mp4` would be taken for one.
    let mut input = std::ffi::OsString::from("file:");
    input.push(video);
    let mut command = program(name, |least| match std::fs::canonicalize(video) {
        Ok(file) => least.with_read(file),
        // It has gone, as the program will find.
        Err(_) => least,
    })?;
    command
        .args(options)
        .args(["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i"])
        .arg(input)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    Ok(command)
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
