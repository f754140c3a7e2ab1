//! Starting FFmpeg's programs on a video file.

use crate::ffmpeg::{FfmpegError, program};
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// The formats that are read, as FFmpeg calls them: those that hold a video in the one file. FFmpeg knows more, which it
/// finds by content whatever a file is called: playlists (`hls`, `dash`, `concat`, `imf`), which name other files and may
/// have no end, and text that it draws (`tty`, subtitles).
const FORMATS: &str = "4xm,anm,apng,asf,asf_o,av1,avi,avs2,avs3,bethsoftvid,bfi,bink,c93,cavsvideo,cdxl,cine,dfa,dhav,\
dirac,dnxhd,dsicin,dv,dxa,ea,evc,film_cpk,flic,flv,gdv,gif,gxf,h261,h263,h264,hevc,hnm,idcin,ifv,ingenient,ipmovie,\
ipu,iv8,ivf,jpeg_pipe,jv,kux,live_flv,lmlm4,lvf,lxf,m4v,matroska,mjpeg,mjpeg_2000,mm,moflex,mods,mov,mpeg,mpegts,mpegtsraw,\
mpegvideo,mpjpeg,mtv,mv,mvi,mxf,nsv,nut,nuv,obu,ogg,paf,pmp,psxstr,pva,r3d,rl2,rm,roq,sdr2,siff,smjpeg,smk,swf,thp,\
tiertexseq,txd,ty,vc1,vc1test,vividas,vivo,vmd,vvc,wc3movie,webm,wsvqa,wtv,xmv,yop,yuv4mpegpipe";

/// Begins a command on one local file, which opens no other: no playlist is read, and nothing is fetched from a network.
///
/// # Errors
/// When the program is not installed.
pub(super) fn command(name: &'static str, options: &[&str], video: &Path) -> Result<Command, FfmpegError> {
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
