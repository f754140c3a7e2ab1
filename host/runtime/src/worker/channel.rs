//! One end of a socket pair between host and worker: messages, with bulk data in shared memory beside them.
//!
//! What is sent and what is received go through halves of their own, so that one thread can send while another one
//! receives.

use super::{
    attention::Attention,
    frame::{self, PLACE_BYTES, Prefix},
    memory::IncomingMemory,
};
use crate::shared_memory::{SharedMemory, SharedPlace};
use modelzoo_plugin_api::message;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
        SendFlags, recvmsg, sendmsg,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    net::Shutdown,
    num::NonZeroUsize,
    ops::Range,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::Arc,
    time::Instant,
};

/// How often a waiting end asks whether it should go on waiting.
const PATIENCE_INTERVAL: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// Is asked now and then whether to go on waiting for the other end; an error ends the wait and is handed on. `None`
/// waits for ever.
pub(super) type Patience<'a> = Option<&'a dyn Fn() -> io::Result<()>>;

/// Where the buffers of a received message lie.
pub(super) type Places = Vec<Range<usize>>;

/// How many messages may be under way in one direction before the first of them is answered. The places of its buffers
/// are used again from the one after the next on.
pub(super) const UNDER_WAY: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// The halves of one end of a socket pair.
pub(super) fn channel(socket: UnixStream) -> io::Result<(Sender, Receiver)> {
    socket.set_nonblocking(true)?;
    let socket = Arc::new(socket);
    let sender = Sender {
        socket: Arc::clone(&socket),
        memory: None,
        is_known: false,
        places: Default::default(),
        next: 0,
    };
    let receiver = Receiver {
        socket,
        attention: Attention::default(),
        memory: IncomingMemory::default(),
    };
    Ok((sender, receiver))
}

/// Sends messages to the other end.
#[derive(Debug)]
pub(super) struct Sender {
    socket: Arc<UnixStream>,
    /// Where buffers lie. It is made for the first of them, where there is none yet.
    memory: Option<Arc<SharedMemory>>,
    /// Whether the other end has it.
    is_known: bool,
    /// What was copied for the messages that are under way.
    places: [Vec<SharedPlace>; UNDER_WAY.get()],
    /// Which of them are those of the next message.
    next: usize,
}

impl Sender {
    /// Sends with this memory: buffers that lie in it already are not copied.
    pub(super) fn with_memory(self, memory: Option<Arc<SharedMemory>>) -> Self {
        Self { memory, ..self }
    }

    /// Sends a message and the buffers beside it. The message before the last one must have been answered: what was copied
    /// for it is given up.
    pub(super) fn send(
        &mut self,
        message: &impl Serialize,
        buffers: &[&[u8]],
        patience: Patience<'_>,
    ) -> io::Result<()> {
        let next = self.advance();
        let (mut copies, mut ranges) = (Vec::new(), Vec::with_capacity(buffers.len()));
        for buffer in buffers {
            let range = if buffer.is_empty() {
                0..0
            } else {
                let memory = self.memory()?;
                match memory.place_of(buffer) {
                    Some(range) => range,
                    None => {
                        let place = memory.put(buffer)?;
                        let range = place.range();
                        copies.push(place);
                        range
                    }
                }
            };
            ranges.push(range);
        }
        self.places[next] = copies;
        let frame = encode(message, &ranges)?;
        let news = match &self.memory {
            Some(memory) if !self.is_known => Some(memory.descriptor()),
            _ => None,
        };
        write(&self.socket, &frame, news, patience)?;
        self.is_known = self.memory.is_some();
        Ok(())
    }

    /// Gives up what was copied for the message before the last one, and says which places are those of the next one.
    fn advance(&mut self) -> usize {
        let next = self.next;
        self.places[next].clear();
        self.next = (next + 1) % UNDER_WAY;
        next
    }

    fn memory(&mut self) -> io::Result<Arc<SharedMemory>> {
        let memory = match self.memory.take() {
            Some(memory) => memory,
            None => SharedMemory::new()?,
        };
        Ok(Arc::clone(self.memory.insert(memory)))
    }

    /// Sends a message without buffers, and a descriptor with it.
    pub(super) fn send_with(
        &mut self,
        message: &impl Serialize,
        descriptor: BorrowedFd<'_>,
        patience: Patience<'_>,
    ) -> io::Result<()> {
        self.advance();
        write(&self.socket, &encode(message, &[])?, Some(descriptor), patience)
    }

    /// Lets the other end see the end of what it is sent.
    pub(super) fn close(&self) {
        // An error means that it is closed already.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// Receives messages from the other end.
#[derive(Debug)]
pub(super) struct Receiver {
    socket: Arc<UnixStream>,
    attention: Attention,
    memory: IncomingMemory,
}

impl Receiver {
    /// Receives a message, and where the buffers beside it lie. The sender is not trusted: whatever it sends, the
    /// result is a message or an error.
    pub(super) fn receive<T: DeserializeOwned>(&mut self, patience: Patience<'_>) -> io::Result<(T, Places)> {
        let (message, places, memory) = self.receive_with(patience)?;
        if let Some(memory) = memory {
            self.memory.replace(memory);
        }
        Ok((message, places))
    }

    /// The same with the descriptor that came with the message, and is not taken for the memory of its buffers.
    pub(super) fn receive_with<T: DeserializeOwned>(
        &mut self,
        patience: Patience<'_>,
    ) -> io::Result<(T, Places, Option<OwnedFd>)> {
        let mut prefix = [0; Prefix::BYTES];
        let since = Instant::now();
        self.attention.look(&self.socket, since);
        let descriptor = read(&self.socket, &mut prefix, patience)?;
        self.attention.note(since);
        let prefix = Prefix::parse(prefix)?;
        let place_bytes = prefix.buffer_count * PLACE_BYTES;
        let mut rest = vec![0; place_bytes + prefix.message_bytes];
        read(&self.socket, &mut rest, patience)?;
        let (places, message) = rest.split_at(place_bytes);
        let places = frame::parse_places(places)?;
        let message = message::decode(message)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        Ok((message, places, descriptor))
    }

    /// Copies buffers of the last message out. Safe with any sender.
    pub(super) fn copy_buffers(&self, places: &[Range<usize>]) -> io::Result<Vec<Vec<u8>>> {
        self.memory.copy(places)
    }

    /// Shows buffers of the last message in place. Only for a sender that can be trusted.
    pub(super) fn map_buffers(&mut self, places: &[Range<usize>]) -> io::Result<Vec<&[u8]>> {
        self.memory.map(places)
    }
}

/// The frame of a message beside which there are buffers in these places.
fn encode(message: &impl Serialize, places: &[Range<usize>]) -> io::Result<Vec<u8>> {
    let message = message::encode(message).map_err(|error| io::Error::other(error.to_string()))?;
    frame::encode(&message, places)
}

/// Writes all of `bytes`; `descriptor` goes with the first of them.
fn write(
    socket: &UnixStream,
    mut bytes: &[u8],
    mut descriptor: Option<BorrowedFd<'_>>,
    patience: Patience<'_>,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = descriptor.map(|descriptor| [descriptor]);
        if let Some(descriptors) = &descriptors {
            ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
        }
        match sendmsg(
            socket,
            &[IoSlice::new(bytes)],
            &mut ancillary,
            SendFlags::NOSIGNAL,
        ) {
            Ok(count) => {
                bytes = &bytes[count..];
                descriptor = None;
            }
            Err(Errno::AGAIN) => wait(socket, PollFlags::OUT, patience)?,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Fills `bytes`; gives the descriptor that came with them.
fn read(socket: &UnixStream, bytes: &mut [u8], patience: Patience<'_>) -> io::Result<Option<OwnedFd>> {
    let (mut filled, mut descriptor) = (0, None);
    while filled < bytes.len() {
        // There is room for one descriptor: the system closes what more a hostile sender attaches.
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut target = [IoSliceMut::new(&mut bytes[filled..])];
        match recvmsg(socket, &mut target, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) if received.bytes == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(received) => {
                filled += received.bytes;
                for message in ancillary.drain() {
                    if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                        descriptor = descriptors.last().or(descriptor);
                    }
                }
            }
            Err(Errno::AGAIN) => wait(socket, PollFlags::IN, patience)?,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(descriptor)
}

/// Waits until the socket is ready, or the patience ends.
fn wait(socket: &UnixStream, flags: PollFlags, patience: Patience<'_>) -> io::Result<()> {
    let interval = patience.map(|_| &PATIENCE_INTERVAL);
    loop {
        match poll(&mut [PollFd::from_borrowed_fd(socket.as_fd(), flags)], interval) {
            Ok(0) => patience.map_or(Ok(()), |go_on| go_on())?,
            // Whoever was stopped meanwhile finds out first whether an answer has come.
            Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{cell::Cell, io::Write as _};

    /// What is sent to the one is received by the other.
    fn pair() -> (Sender, Receiver) {
        let (one, other) = UnixStream::pair().unwrap();
        (channel(one).unwrap().0, channel(other).unwrap().1)
    }

    /// Fails at once instead of waiting.
    const NEVER: Patience<'static> = Some(&|| Err(io::ErrorKind::TimedOut.into()));

    #[test]
    fn messages_and_buffers_arrive() {
        let (mut one, mut other) = pair();
        for round in 0..3u8 {
            let pixels = vec![round; 100_000 << round];
            one.send(&("predict", round), &[&pixels, b"", b"tail"], NEVER)
                .unwrap();
            let ((method, number), places): ((String, u8), _) = other.receive(NEVER).unwrap();
            assert_eq!((method.as_str(), number), ("predict", round));
            assert_eq!(other.copy_buffers(&places).unwrap(), [&pixels[..], b"", b"tail"]);
            assert_eq!(other.map_buffers(&places).unwrap(), [&pixels[..], b"", b"tail"]);
        }
    }

    #[test]
    fn two_messages_may_be_under_way() {
        let (mut one, mut other) = pair();
        for round in (0..6).step_by(UNDER_WAY.get()) {
            for number in round..round + UNDER_WAY.get() as u8 {
                one.send(&number, &[&[number; 9]], NEVER).unwrap();
            }
            for number in round..round + UNDER_WAY.get() as u8 {
                let (received, places): (u8, _) = other.receive(NEVER).unwrap();
                assert_eq!(received, number);
                assert_eq!(other.copy_buffers(&places).unwrap(), [[number; 9]]);
            }
        }
    }

    #[test]
    fn what_lies_in_the_memory_already_is_not_copied() {
        let (one, mut other) = pair();
        let memory = SharedMemory::new().unwrap();
        let mut one = one.with_memory(Some(Arc::clone(&memory)));
        let mut pixels = memory.take(3).unwrap();
        pixels.copy_from_slice(b"one");
        for _ in 0..3 {
            one.send(&"here", &[&pixels, b"copied"], NEVER).unwrap();
            let (_, places): (String, _) = other.receive(NEVER).unwrap();
            assert_eq!(places[0], memory.place_of(&pixels).unwrap());
            assert_eq!(other.map_buffers(&places).unwrap(), [&b"one"[..], b"copied"]);
        }
    }

    #[test]
    fn a_descriptor_that_comes_with_a_message_is_not_its_memory() {
        let (mut one, mut other) = pair();
        let file = tempfile::tempfile().unwrap();
        one.send_with(&"here", file.as_fd(), NEVER).unwrap();
        let (received, _, descriptor): (String, _, _) = other.receive_with(NEVER).unwrap();
        assert_eq!((received.as_str(), descriptor.is_some()), ("here", true));
        one.send(&"pixels", &[b"two"], NEVER).unwrap();
        let (_, places): (String, _) = other.receive(NEVER).unwrap();
        assert_eq!(other.copy_buffers(&places).unwrap(), [b"two"]);
    }

    #[test]
    fn a_message_longer_than_the_sockets_buffer_arrives() {
        let (mut one, mut other) = pair();
        let text = "long".repeat(1 << 20);
        std::thread::scope(|scope| {
            scope.spawn(|| one.send(&text, &[], None).unwrap());
            let (received, _): (String, _) = other.receive(None).unwrap();
            assert!(received == text);
        });
    }

    #[test]
    fn the_wait_ends_with_the_patience_and_with_the_other_end() {
        let (one, mut other) = pair();
        let asked = Cell::new(0);
        let twice = || {
            asked.set(asked.get() + 1);
            if asked.get() == 2 {
                Err(io::ErrorKind::TimedOut.into())
            } else {
                Ok(())
            }
        };
        let error = other.receive::<String>(Some(&twice)).unwrap_err();
        assert_eq!((error.kind(), asked.get()), (io::ErrorKind::TimedOut, 2));
        drop(one);
        let error = other.receive::<String>(None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    proptest! {
        #[test]
        fn whatever_a_stranger_writes_is_a_message_or_an_error(
            message_bytes in 0u32..40,
            buffers in 0u32..4,
            rest in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let (mut stranger, socket) = UnixStream::pair().unwrap();
            for number in [message_bytes, buffers] {
                stranger.write_all(&number.to_le_bytes()).unwrap();
            }
            stranger.write_all(&rest).unwrap();
            drop(stranger);
            let (_, mut receiver) = channel(socket).unwrap();
            if let Ok((_, places)) = receiver.receive::<Vec<u8>>(None) {
                // No memory came: only empty buffers can be there.
                let is_empty = places.iter().all(Range::is_empty);
                prop_assert_eq!(receiver.copy_buffers(&places).is_ok(), is_empty);
            }
        }
    }
}
