//! Which frames of a video to take.

use std::{num::NonZeroU64, str::FromStr};

/// Which frames of a video to take: a stretch of it, and how many of that.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sampling {
    /// The stretch.
    pub frames: FrameRange,
    /// How many of it.
    pub rate: Rate,
}

/// How many frames of a stretch to take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rate {
    /// All.
    #[default]
    All,
    /// The first of the stretch, and from there each that is so many further.
    Every(NonZeroU64),
    /// The first of the stretch, and from there the first in each period of this many a second. The periods are counted
    /// from the video's beginning, so that the frames do not depend on the stretch. A video with fewer gives all.
    PerSecond(f64),
}

/// A stretch of frames, counted from 1, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRange {
    first: u64,
    last: Option<u64>,
}

/// Text is no stretch of frames.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no range of frames; write 10-20, 10- or 10, counting from 1")]
pub struct FrameRangeError(String);

impl Default for FrameRange {
    fn default() -> Self {
        Self { first: 1, last: None }
    }
}

impl FrameRange {
    /// From frame `first` to frame `last`, or to the end. `None` if that is no stretch, because it begins at 0 or after
    /// its end.
    pub fn new(first: u64, last: Option<u64>) -> Option<Self> {
        (first >= 1 && last.is_none_or(|last| last >= first)).then_some(Self { first, last })
    }

    /// The number of its first frame.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number of its last frame, where it does not go on to the end.
    pub fn last(&self) -> Option<u64> {
        self.last
    }
}

impl FromStr for FrameRange {
    type Err = FrameRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        match text.split_once('-') {
            None => number(text).and_then(|only| Self::new(only, Some(only))),
            Some((first, "")) => number(first).and_then(|first| Self::new(first, None)),
            Some((first, last)) => number(first)
                .zip(number(last))
                .and_then(|(first, last)| Self::new(first, Some(last))),
        }
        .ok_or_else(|| FrameRangeError(text.to_owned()))
    }
}

impl Sampling {
    /// How many frames a second of the video gives, on average.
    pub fn rate_of(&self, frame_rate: f64) -> f64 {
        match self.rate {
            Rate::All => frame_rate,
            Rate::Every(step) => frame_rate / step.get() as f64,
            Rate::PerSecond(rate) => rate.min(frame_rate),
        }
    }

    /// How many frames it gives of a video with so many, about: files tell their frames and times only roughly.
    /// `None` where that depends on a frame rate that is not known.
    pub fn count_of(&self, frames: u64, frame_rate: Option<f64>) -> Option<u64> {
        let last = self.frames.last.map_or(frames, |last| last.min(frames));
        let length = (last + 1).saturating_sub(self.frames.first);
        Some(match self.rate {
            Rate::All => length,
            Rate::Every(step) => length.div_ceil(step.get()),
            Rate::PerSecond(_) => {
                let frame_rate = frame_rate?;
                (length as f64 * self.rate_of(frame_rate) / frame_rate).ceil() as u64
            }
        })
    }

    /// FFmpeg's `select` expression, where not all frames are taken. Its `n` counts from 0.
    pub(super) fn select_expression(&self) -> Option<String> {
        let first = self.frames.first - 1;
        let stretch = match self.frames.last {
            Some(last) => format!("between(n,{first},{})", last - 1),
            None => format!("gte(n,{first})"),
        };
        match self.rate {
            Rate::All if self.frames == FrameRange::default() => None,
            Rate::All => Some(stretch),
            Rate::Every(step) => Some(format!("{stretch}*not(mod(n-{first},{step}))")),
            // Timestamps are rounded to the container's time base: a frame may stand a little before its time.
            Rate::PerSecond(rate) => Some(format!(
                "{stretch}*(isnan(prev_selected_t)+gt(floor((t-start_t)*{rate}+1e-3),floor((prev_selected_t-start_t)*{rate}+1e-3)))"
            )),
        }
    }

    /// How many frames there can be at most, so that decoding ends after the last one.
    pub(super) fn most(&self) -> Option<u64> {
        let length = self.frames.last? - self.frames.first + 1;
        match self.rate {
            Rate::All => Some(length),
            Rate::Every(step) => Some(length.div_ceil(step.get())),
            Rate::PerSecond(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_from_text() {
        let read = |text: &str| {
            text.parse::<FrameRange>()
                .ok()
                .map(|range| (range.first(), range.last()))
        };
        assert_eq!(read("10-20"), Some((10, Some(20))));
        assert_eq!(read("10-"), Some((10, None)));
        assert_eq!(read("7"), Some((7, Some(7))));
        for text in ["", "0", "0-3", "5-4", "-4", "a-b", "1-2-3", "1.5"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_frames_of_a_video_are_counted_beforehand() {
        let count = |text: &str, rate, frame_rate| {
            let frames = text.parse().unwrap();
            Sampling { frames, rate }.count_of(250, frame_rate)
        };
        let every_third = Rate::Every(NonZeroU64::new(3).unwrap());
        assert_eq!(Sampling::default().count_of(250, None), Some(250));
        assert_eq!(count("241-", Rate::All, None), Some(10));
        assert_eq!(count("241-999", every_third, None), Some(4));
        assert_eq!(count("251-", every_third, None), Some(0));
        assert_eq!(count("1-", Rate::PerSecond(2.0), Some(25.0)), Some(20));
        assert_eq!(count("1-", Rate::PerSecond(99.0), Some(25.0)), Some(250));
        assert_eq!(count("1-", Rate::PerSecond(2.0), None), None);
    }

    #[test]
    fn the_end_is_known_where_frames_are_counted() {
        let sampling = |text: &str, rate| Sampling {
            frames: text.parse().unwrap(),
            rate,
        };
        let every_third = Rate::Every(NonZeroU64::new(3).unwrap());
        assert_eq!(sampling("3-10", Rate::All).most(), Some(8));
        assert_eq!(sampling("3-10", every_third).most(), Some(3));
        assert_eq!(sampling("3-", every_third).most(), None);
        assert_eq!(sampling("3-10", Rate::PerSecond(1.0)).most(), None);
    }
}
