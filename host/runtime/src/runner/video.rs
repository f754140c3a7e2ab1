//! Videos that plugins pull frame by frame.

use super::table::ServiceReply;
use modelzoo_plugin_api::{
    Error, Frame, Result,
    message::{self, FrameHeader},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The frames of a video, in order.
pub type Frames = Box<dyn Iterator<Item = Result<Frame>> + Send>;

/// The videos that are open for a plugin, by number.
#[derive(Default)]
pub(super) struct Videos {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    last: u64,
    videos: HashMap<u64, Arc<Mutex<Frames>>>,
}

/// A video that is open for a plugin until this is dropped.
pub(super) struct OpenVideo<'a> {
    videos: &'a Videos,
    pub(super) number: u64,
}

impl Videos {
    /// Opens a video for the plugin.
    pub(super) fn open(&self, frames: Frames) -> OpenVideo<'_> {
        let mut open = lock(&self.open);
        open.last += 1;
        let number = open.last;
        open.videos.insert(number, Arc::new(Mutex::new(frames)));
        OpenVideo { videos: self, number }
    }

    /// The service [`NEXT_FRAME`](message::NEXT_FRAME): the next frame of video `number`.
    pub(super) fn next_frame(&self, number: u64) -> Result<ServiceReply> {
        let video = lock(&self.open).videos.get(&number).map(Arc::clone);
        let video = video.ok_or_else(|| Error::new(format!("there is no open video {number}")))?;
        let Some(frame) = lock(&video).next().transpose()? else {
            return Ok((message::encode(&None::<FrameHeader>)?, Vec::new()));
        };
        let image = frame.image()?;
        let header = FrameHeader {
            number: frame.number(),
            time: frame.time(),
            width: image.width(),
            height: image.height(),
        };
        Ok((message::encode(&Some(header))?, vec![image.pixels().to_vec()]))
    }
}

impl Drop for OpenVideo<'_> {
    fn drop(&mut self) {
        lock(&self.videos.open).videos.remove(&self.number);
    }
}

/// A decoder that panicked has left its video at some frame, which is as good as any other.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_pulled_in_order_until_the_video_is_closed() {
        let videos = Videos::default();
        let frames = (1..=2u8).map(|number| Frame::new(number.into(), 0.5, 1, 1, vec![number; 3]));
        let video = videos.open(Box::new(frames));
        for expected in 1..=2u8 {
            let (header, buffers) = videos.next_frame(video.number).unwrap();
            let header: Option<FrameHeader> = message::decode(&header).unwrap();
            assert_eq!(header.unwrap().number, u64::from(expected));
            assert_eq!(buffers, [[expected; 3]]);
        }
        let (header, buffers) = videos.next_frame(video.number).unwrap();
        assert_eq!(message::decode::<Option<FrameHeader>>(&header).unwrap(), None);
        assert!(buffers.is_empty());
        let number = video.number;
        drop(video);
        assert!(videos.next_frame(number).is_err());
    }
}
