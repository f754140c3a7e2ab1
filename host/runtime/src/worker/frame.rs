//! The form of what goes over a worker's sockets. Everything here is checked against a hostile sender.
//!
//! A frame is: the length of its message (4 bytes), the number of its buffers (4 bytes), the length of each buffer
//! (8 bytes each), all little-endian, and the message. The buffers themselves lie in the sender's shared memory, one
//! after the other, each at a multiple of [`ALIGNMENT`].

use crate::limits::{MAX_BUFFER_BYTES, MAX_BUFFERS, MAX_MESSAGE_BYTES};
use std::{io, ops::Range};

/// Buffers begin at multiples of this: a cache line, so that their numbers can be read in place.
const ALIGNMENT: usize = 64;

/// The first bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    /// How long the message is.
    pub(super) message_bytes: usize,
    /// How many buffers there are.
    pub(super) buffer_count: usize,
}

impl Prefix {
    /// How many bytes it takes.
    pub(super) const BYTES: usize = 8;

    /// Reads the first bytes of a frame.
    pub(super) fn parse(bytes: [u8; Self::BYTES]) -> io::Result<Self> {
        let [a, b, c, d, e, f, g, h] = bytes;
        let [message_bytes, buffer_count] =
            [[a, b, c, d], [e, f, g, h]].map(|number| u32::from_le_bytes(number) as usize);
        Self::new(message_bytes, buffer_count)
    }

    fn new(message_bytes: usize, buffer_count: usize) -> io::Result<Self> {
        if message_bytes > MAX_MESSAGE_BYTES {
            return Err(too_much(format!("a message of {message_bytes} bytes")));
        }
        if buffer_count > MAX_BUFFERS {
            return Err(too_much(format!("a message with {buffer_count} buffers")));
        }
        Ok(Self {
            message_bytes,
            buffer_count,
        })
    }
}

/// Joins a message and the lengths of its buffers to a frame.
pub(super) fn encode(message: &[u8], lengths: &[usize]) -> io::Result<Vec<u8>> {
    let prefix = Prefix::new(message.len(), lengths.len())?;
    let mut frame = Vec::with_capacity(Prefix::BYTES + 8 * lengths.len() + message.len());
    for number in [prefix.message_bytes, prefix.buffer_count] {
        // `Prefix::new` allows nothing that needs more than 32 bits.
        frame.extend((number as u32).to_le_bytes());
    }
    frame.extend(lengths.iter().flat_map(|&length| (length as u64).to_le_bytes()));
    frame.extend(message);
    Ok(frame)
}

/// Where each buffer lies in the shared memory, from the bytes that hold their lengths.
pub(super) fn parse_layout(lengths: &[u8]) -> io::Result<Vec<Range<usize>>> {
    let (lengths, _) = lengths.as_chunks::<8>();
    let lengths: Option<Vec<usize>> = lengths
        .iter()
        .map(|&bytes| usize::try_from(u64::from_le_bytes(bytes)).ok())
        .collect();
    layout(&lengths.ok_or_else(|| too_much("a buffer".to_owned()))?)
}

/// Where buffers of these lengths lie in the shared memory.
pub(super) fn layout(lengths: &[usize]) -> io::Result<Vec<Range<usize>>> {
    let mut end = 0usize;
    lengths
        .iter()
        .map(|&length| {
            let start = end.next_multiple_of(ALIGNMENT);
            end = start
                .checked_add(length)
                .filter(|&end| end <= MAX_BUFFER_BYTES)
                .ok_or_else(|| too_much(format!("a buffer of {length} bytes")))?;
            Ok(start..end)
        })
        .collect()
}

fn too_much(what: String) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{what} is more than can pass to or from a worker"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_frame_is_read_as_it_was_written(
            message in prop::collection::vec(any::<u8>(), 0..50),
            lengths in prop::collection::vec(0usize..1 << 24, 0..20),
        ) {
            let frame = encode(&message, &lengths).unwrap();
            let prefix = Prefix::parse(frame[..Prefix::BYTES].try_into().unwrap()).unwrap();
            prop_assert_eq!(prefix, Prefix { message_bytes: message.len(), buffer_count: lengths.len() });
            let (table, rest) = frame[Prefix::BYTES..].split_at(8 * lengths.len());
            prop_assert_eq!(rest, message);
            let layout = parse_layout(table).unwrap();
            prop_assert_eq!(layout.iter().map(Range::len).collect::<Vec<_>>(), lengths);
            prop_assert!(layout.windows(2).all(|pair| pair[0].end <= pair[1].start));
            prop_assert!(layout.iter().all(|range| range.start % ALIGNMENT == 0));
        }

        #[test]
        fn no_bytes_make_it_panic_or_exceed_the_limits(
            prefix: [u8; Prefix::BYTES],
            lengths in prop::collection::vec(any::<u64>(), 0..9),
        ) {
            if let Ok(prefix) = Prefix::parse(prefix) {
                prop_assert!(prefix.message_bytes <= MAX_MESSAGE_BYTES && prefix.buffer_count <= MAX_BUFFERS);
            }
            let bytes: Vec<u8> = lengths.iter().flat_map(|length| length.to_le_bytes()).collect();
            if let Ok(layout) = parse_layout(&bytes) {
                prop_assert_eq!(layout.len(), lengths.len());
                prop_assert!(layout.iter().all(|range| range.end <= MAX_BUFFER_BYTES));
            }
        }
    }

    #[test]
    fn lengths_that_overflow_together_are_refused() {
        assert!(layout(&[MAX_BUFFER_BYTES]).is_ok());
        assert!(layout(&[MAX_BUFFER_BYTES, 1]).is_err());
        assert!(layout(&[1, usize::MAX]).is_err());
    }
}
