//! Decodes a whole video and tells how many frames came, how fast, and how much memory it took.
//!
//!     cargo run --release -p modelzoo-data --example video_frames -- VIDEO [FRAMES_PER_SECOND]

use modelzoo_data::video::{Rate, Sampling, Video};
use std::{error::Error, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .ok_or("usage: video_frames VIDEO [FRAMES_PER_SECOND]")?;
    let rate = match arguments.next() {
        Some(rate) => Rate::PerSecond(rate.parse()?),
        None => Rate::All,
    };
    let start = Instant::now();
    let video = Video::open(path)?;
    println!("{:?}", video.metadata());
    let mut frames = video.frames(&Sampling {
        rate,
        ..Sampling::default()
    })?;
    let (mut count, mut last) = (0u64, None);
    for frame in frames.by_ref() {
        let frame = frame?;
        count += 1;
        last = Some((frame.number, frame.seconds));
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{count} frames, the last is {last:?}: {seconds:.1} s, {:.0} frames/s",
        count as f64 / seconds
    );
    if let Some(warning) = frames.ending().warning() {
        println!("{warning}");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(memory) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        println!("most memory: {}", memory.trim());
    }
    Ok(())
}
