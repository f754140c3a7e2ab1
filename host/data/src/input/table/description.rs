//! What a table says of itself, in Thrift's compact protocol: gone through before the library sees it, because it counts
//! the elements of a list of booleans that it does not know, of which a few bytes can announce billions.
//!
//! Source: <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.

use std::io::{self, Read};

/// So deep do the library and this go.
const MOST_LEVELS: u32 = 64;
/// A longer description of a page has nobody written: its longest parts are a smallest and a largest value.
pub(super) const MOST_OF_A_PAGE: u64 = 64 << 20;

/// Why a description is gone through no further.
enum Halt {
    /// It is none. The library finds so, too, and says what is wrong.
    Malformed,
    /// No table says such a thing of itself.
    Refused(&'static str),
    /// It cannot be read.
    Io(io::Error),
}

const TOO_LONG: Halt = Halt::Refused("it describes itself with more bytes than any table");

/// Makes sure that the description at the beginning of `input` has no more than `most` bytes and can be read in a time that
/// fits its length. Gives what was read of it.
///
/// # Errors
/// It cannot be read, or should not be.
pub(super) fn check(input: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut walk = Walk {
        input,
        most,
        read: Vec::new(),
    };
    match walk.structure(MOST_LEVELS) {
        Ok(()) | Err(Halt::Malformed) => Ok(walk.read),
        Err(Halt::Refused(problem)) => Err(io::Error::new(io::ErrorKind::InvalidData, problem)),
        Err(Halt::Io(error)) => Err(error),
    }
}

struct Walk<R> {
    input: R,
    most: u64,
    read: Vec<u8>,
}

impl<R: Read> Walk<R> {
    fn pass(&mut self, bytes: u64) -> Result<(), Halt> {
        if (self.read.len() as u64).saturating_add(bytes) > self.most {
            return Err(TOO_LONG);
        }
        let passed = (&mut self.input)
            .take(bytes)
            .read_to_end(&mut self.read)
            .map_err(Halt::Io)?;
        if (passed as u64) < bytes {
            return Err(Halt::Malformed);
        }
        Ok(())
    }

    // By itself, as most of what is gone through is single bytes.
    fn byte(&mut self) -> Result<u8, Halt> {
        if self.read.len() as u64 >= self.most {
            return Err(TOO_LONG);
        }
        let mut byte = [0];
        match self.input.read_exact(&mut byte) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Halt::Malformed),
            Err(error) => Err(Halt::Io(error)),
            Ok(()) => {
                self.read.extend(byte);
                Ok(byte[0])
            }
        }
    }

    /// A number of seven bits a byte, the lowest first.
    fn number(&mut self) -> Result<u64, Halt> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Halt::Malformed)
    }

    /// Fields up to the end of the structure.
    fn structure(&mut self, levels: u32) -> Result<(), Halt> {
        loop {
            let header = self.byte()?;
            let kind = header & 0x0f;
            if kind == 0 {
                return Ok(());
            }
            if header >> 4 == 0 {
                // The number of the field, where it is not told by the distance from the last one.
                self.number()?;
            }
            // A field that is true or false is its own value.
            if kind > 2 {
                self.value(kind, levels)?;
            }
        }
    }

    fn value(&mut self, kind: u8, levels: u32) -> Result<(), Halt> {
        let levels = levels.checked_sub(1).ok_or(Halt::Malformed)?;
        match kind {
            3 => self.pass(1),
            4..=6 => self.number().map(drop),
            7 => self.pass(8),
            8 => {
                let length = self.number()?;
                self.pass(length)
            }
            9 | 10 => self.list(levels),
            11 => self.map(levels),
            12 => self.structure(levels),
            13 => self.pass(16),
            _ => Err(Halt::Malformed),
        }
    }

    fn list(&mut self, levels: u32) -> Result<(), Halt> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.number()?,
            count => u64::from(count),
        };
        self.elements(count, &[header & 0x0f], levels)
    }

    fn map(&mut self, levels: u32) -> Result<(), Halt> {
        let count = self.number()?;
        if count == 0 {
            return Ok(());
        }
        let kinds = self.byte()?;
        self.elements(count, &[kinds >> 4, kinds & 0x0f], levels)
    }

    /// So many times values of these kinds, each of which takes a byte at least.
    fn elements(&mut self, count: u64, kinds: &[u8], levels: u32) -> Result<(), Halt> {
        if count > 0 && kinds.contains(&0) {
            return Err(Halt::Malformed);
        }
        if count > 0 && kinds.iter().all(|kind| matches!(kind, 1 | 2)) {
            return Err(Halt::Refused(
                "it describes itself by a list of booleans, as no table does",
            ));
        }
        for _ in 0..count {
            for &kind in kinds {
                // The library takes a boolean for none of a map's bytes.
                if kind > 2 {
                    self.value(kind, levels)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn checked(bytes: &[u8]) -> Result<usize, String> {
        check(bytes, MOST_OF_A_PAGE)
            .map(|read| read.len())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_description_is_gone_through_to_its_end() {
        // Field 1: 300. Field 2: "ab". Field 3: true. Field 4: a list of two structures with a byte each. Field 40: a map from
        // text to booleans. Field 41: a double.
        let fields: &[&[u8]] = &[
            &[0x15, 0xac, 0x02],
            &[0x18, 2, b'a', b'b'],
            &[0x11],
            &[0x19, 0x2c, 0x13, 7, 0, 0x13, 8, 0],
            &[0x0b, 80, 1, 0x82, 1, b'k'],
            &[0x17, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0],
        ];
        let whole = fields.concat();
        let mut more = whole.clone();
        more.extend(b"the page");
        assert_eq!(checked(&more), Ok(whole.len()));
        // What is cut off is left to the library.
        assert_eq!(checked(&whole[..10]), Ok(10));
    }

    #[test]
    fn what_a_few_bytes_make_endless_is_refused() {
        let list = [0x19, 0xf2, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
        assert!(checked(&list).unwrap_err().contains("a list of booleans"));
        let map = [0x1b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x22, 0];
        assert!(checked(&map).unwrap_err().contains("a list of booleans"));
        let text = [0x18, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
        assert!(checked(&text).unwrap_err().contains("more bytes than any table"));
        // Elements of no kind.
        assert_eq!(checked(&[0x19, 0xf0, 0xff, 0xff, 0xff, 0xff, 0x07, 0]), Ok(7));
        assert_eq!(checked(&[0x1b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x02, 0]), Ok(7));
        // Nested without end, and no longer than what is there.
        assert_eq!(checked(&[0x1c; 1000]), Ok(65));
        assert_eq!(checked(&[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0]), Ok(8));
    }

    proptest! {
        #[test]
        fn any_bytes_are_gone_through_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(read) = check(bytes.as_slice(), 150) {
                prop_assert!(bytes.starts_with(&read));
            }
        }
    }
}
