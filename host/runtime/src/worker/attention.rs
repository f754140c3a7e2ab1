//! How an end of a channel waits for the next message.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{
    os::{fd::AsFd as _, unix::net::UnixStream},
    thread,
    time::{Duration, Instant},
};

/// A message that comes sooner than this is worth looking for: to be woken takes as long, most of all on a virtual machine.
/// Longer than a short question and its answer take with both ends asleep, so that they come to look at all.
const MOMENT: Duration = Duration::from_micros(200);

const AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Looks at a socket for a moment instead of sleeping, as long as messages come that soon. While they take longer, which is
/// always so with a model that computes, no time is spent on it.
#[derive(Debug, Default)]
pub(super) struct Attention {
    is_worthwhile: bool,
}

impl Attention {
    /// Returns as soon as there is something to read, or when it is time to sleep.
    pub(super) fn look(&self, socket: &UnixStream, since: Instant) {
        while self.is_worthwhile && since.elapsed() < MOMENT {
            let mut looked_at = [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)];
            match poll(&mut looked_at, Some(&AT_ONCE)) {
                // Who has something to compute on this core goes first; it may be the other end.
                Ok(0) | Err(Errno::INTR) => thread::yield_now(),
                // Reading tells what is wrong, too.
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Notes that a message has come.
    pub(super) fn note(&mut self, since: Instant) {
        self.is_worthwhile = since.elapsed() < MOMENT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn it_looks_for_what_comes_soon_only() {
        let (one, mut other) = UnixStream::pair().unwrap();
        // A wait that begins later has not lasted yet, however slow this machine is.
        let later = Instant::now() + Duration::from_secs(60);
        let mut attention = Attention::default();
        attention.look(&one, later);
        assert!(Instant::now() < later, "nothing has come yet");
        attention.note(later);
        let since = Instant::now();
        attention.look(&one, since);
        assert!(since.elapsed() >= MOMENT, "the next one may come at once");
        attention.note(Instant::now() - MOMENT);
        attention.look(&one, later);
        assert!(Instant::now() < later, "the last one came late");
        attention.note(later);
        other.write_all(b"x").unwrap();
        attention.look(&one, later);
        assert!(Instant::now() < later, "it is there");
    }
}
