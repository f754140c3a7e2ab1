//! FFmpeg's programs as processes of their own, which decode videos and coded pictures.
//!
//! Where the system can shut them in (`modelzoo_sandbox`), they reach no network, no other program and no file but those
//! that are opened for them. They have a limit on memory, are ended when they give no sign of life, and end with this
//! program.

mod error;
mod log;
mod pictures;
mod process;
mod programs;
mod shelter;

pub use error::FfmpegError;
pub(crate) use log::{FrameInfo, Log, Summary};
pub(crate) use pictures::{PictureLimits, StreamFormat, decode_pictures};
pub(crate) use process::{Process, SILENCE_LIMIT, spawn_for_good};
pub(crate) use programs::{FFMPEG, FFPROBE, every_frame_once, last_line, memory_for};
pub(crate) use shelter::program;
pub use shelter::shut_ffmpeg_in;
