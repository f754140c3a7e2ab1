//! The form of what goes over a worker's sockets. Everything here is checked against a hostile sender.
//!
//! A frame is: the length of its message (4 bytes), the number of its buffers (4 bytes), the start and the length of each
//! buffer (8 bytes each), all little-endian, and the message. The buffers themselves lie in the sender's shared memory,
//! from these starts on.

use crate::limits::{MAX_BUFFER_BYTES, MAX_BUFFERS, MAX_MESSAGE_BYTES};
use std::{io, ops::Range};

/// How many bytes say where a buffer lies.
pub(super) const PLACE_BYTES: usize = 16;

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

/// Joins a message and the places of its buffers to a frame.
pub(super) fn encode(message: &[u8], places: &[Range<usize>]) -> io::Result<Vec<u8>> {
    let prefix = Prefix::new(message.len(), places.len())?;
    check_lengths(places.iter().map(Range::len))?;
    let mut frame = Vec::with_capacity(Prefix::BYTES + PLACE_BYTES * places.len() + message.len());
    for number in [prefix.message_bytes, prefix.buffer_count] {
        // `Prefix::new` allows nothing that needs more than 32 bits.
        frame.extend((number as u32).to_le_bytes());
    }
    for place in places {
        for number in [place.start, place.len()] {
            frame.extend((number as u64).to_le_bytes());
        }
    }
    frame.extend(message);
    Ok(frame)
}

/// Where the buffers lie in the shared memory, from the bytes that say so.
pub(super) fn parse_places(bytes: &[u8]) -> io::Result<Vec<Range<usize>>> {
    let (places, _) = bytes.as_chunks::<PLACE_BYTES>();
    let place = |bytes: &[u8; PLACE_BYTES]| {
        let (numbers, _) = bytes.as_chunks::<8>();
        let number = |index: usize| usize::try_from(u64::from_le_bytes(numbers[index])).ok();
        let start = number(0)?;
        Some(start..start.checked_add(number(1)?)?)
    };
    let places: Option<Vec<Range<usize>>> = places.iter().map(place).collect();
    let places = places.ok_or_else(|| too_much("a buffer".to_owned()))?;
    check_lengths(places.iter().map(Range::len))?;
    Ok(places)
}

/// Whether buffers of these lengths may stand beside one message.
pub(super) fn check_lengths(lengths: impl IntoIterator<Item = usize>) -> io::Result<()> {
    lengths
        .into_iter()
        .try_fold(0usize, |sum, length| {
            sum.checked_add(length)
                .filter(|&sum| sum <= MAX_BUFFER_BYTES)
                .ok_or_else(|| too_much(format!("a buffer of {length} bytes")))
        })
        .map(drop)
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
            places in prop::collection::vec((any::<u32>(), 0usize..1 << 24), 0..20),
        ) {
            let places: Vec<Range<usize>> =
                places.into_iter().map(|(start, length)| start as usize..start as usize + length).collect();
            let frame = encode(&message, &places).unwrap();
            let prefix = Prefix::parse(frame[..Prefix::BYTES].try_into().unwrap()).unwrap();
            prop_assert_eq!(prefix, Prefix { message_bytes: message.len(), buffer_count: places.len() });
            let (table, rest) = frame[Prefix::BYTES..].split_at(PLACE_BYTES * places.len());
            prop_assert_eq!(rest, message);
            prop_assert_eq!(parse_places(table).unwrap(), places);
        }

        #[test]
        fn no_bytes_make_it_panic_or_exceed_the_limits(
            prefix: [u8; Prefix::BYTES],
            numbers in prop::collection::vec(any::<u64>(), 0..18),
        ) {
            if let Ok(prefix) = Prefix::parse(prefix) {
                prop_assert!(prefix.message_bytes <= MAX_MESSAGE_BYTES && prefix.buffer_count <= MAX_BUFFERS);
            }
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            if let Ok(places) = parse_places(&bytes) {
                prop_assert_eq!(places.len(), numbers.len() / 2);
                prop_assert!(places.iter().map(Range::len).sum::<usize>() <= MAX_BUFFER_BYTES);
            }
        }
    }

    #[test]
    fn lengths_that_overflow_together_are_refused() {
        assert!(check_lengths([MAX_BUFFER_BYTES]).is_ok());
        assert!(check_lengths([MAX_BUFFER_BYTES, 1]).is_err());
        assert!(check_lengths([1, usize::MAX]).is_err());
    }

    #[test]
    fn a_place_that_ends_nowhere_is_refused() {
        let bytes: Vec<u8> = [u64::MAX, 1]
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        assert!(parse_places(&bytes).is_err());
    }
}
