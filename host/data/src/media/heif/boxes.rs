//! Boxes, of which files in ISO's base media format consist (ISO/IEC 14496-12, 4.2), and numbers in them.

use crate::media::error::DecodeError;
use std::borrow::Cow;

/// Four letters that name a box, a kind of item or a brand.
pub(super) type Name = [u8; 4];

/// Why a file could not be understood; its format's name is added on the way up.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// The file ends before what it says is in it.
    Truncated,
    /// It breaks the rules.
    Corrupt(Cow<'static, str>),
    /// Pictures of this kind (in the plural) are not read.
    Unsupported(String),
}

impl Fault {
    pub fn corrupt(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Corrupt(message.into())
    }

    /// The fault as an error about a file of this format and length.
    pub fn of(self, format: &'static str, size_bytes: usize) -> DecodeError {
        match self {
            Self::Truncated => DecodeError::Truncated {
                format,
                size_bytes: size_bytes as u64,
            },
            Self::Corrupt(message) => DecodeError::corrupt(format, message),
            Self::Unsupported(kind) => DecodeError::unsupported(format!("{format} pictures {kind}")),
        }
    }
}

/// A name as text, whatever its bytes are.
pub(super) fn text(name: Name) -> String {
    name.escape_ascii().to_string()
}

/// A box.
#[derive(Clone, Copy, Debug)]
pub(super) struct IsoBox<'a> {
    pub name: Name,
    pub content: &'a [u8],
    /// The bytes that it says are in it are not all there.
    pub is_cut: bool,
}

/// The boxes that stand one behind the other; the last one may be cut, and what is too short for a box is none.
pub(super) fn boxes(bytes: &[u8]) -> impl Iterator<Item = IsoBox<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let mut reader = Reader(rest);
        let (size, name) = (reader.u32().ok()?, reader.name().ok()?);
        let size = match size {
            // Up to the end.
            0 => rest.len() as u64,
            1 => reader.u64().ok()?,
            size => u64::from(size),
        };
        let head = rest.len() - reader.0.len();
        let length = usize::try_from(size).unwrap_or(usize::MAX);
        let end = length.min(rest.len());
        // A box that is shorter than its own head has no content, and its end cannot be known.
        let content = rest.get(head..end).unwrap_or_default();
        let is_cut = length > rest.len() || length < head;
        rest = if is_cut { &[] } else { &rest[end..] };
        Some(IsoBox {
            name,
            content,
            is_cut,
        })
    })
}

/// Takes numbers from the front of bytes, big-endian; where there are too few, the box breaks the rules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(Fault::corrupt("a box is too short for what is in it"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8, Fault> {
        self.array().map(u8::from_be_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_be_bytes)
    }

    pub fn name(&mut self) -> Result<Name, Fault> {
        self.array()
    }

    /// A number of so many bytes, up to 8; 0 where there are none.
    pub fn number(&mut self, bytes: usize) -> Result<u64, Fault> {
        let digits = self.take(bytes)?;
        Ok(digits
            .iter()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// An item's number, which has 16 or 32 bits.
    pub fn item(&mut self, is_wide: bool) -> Result<u32, Fault> {
        self.number(if is_wide { 4 } else { 2 }).map(|id| id as u32)
    }

    /// What a full box begins with: its version and its flags.
    pub fn version_and_flags(&mut self) -> Result<(u8, u32), Fault> {
        let [version, flags @ ..] = self.array::<4>()?;
        Ok((
            version,
            flags.iter().fold(0, |all, &byte| all << 8 | u32::from(byte)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_walked_and_the_last_may_be_cut() {
        let bytes = [
            &b"\0\0\0\x0aabcdxy"[..],
            b"\0\0\0\x01long\0\0\0\0\0\0\0\x11z",
            b"\0\0\0\xfflast..",
        ]
        .concat();
        let found: Vec<_> = boxes(&bytes)
            .map(|found| (text(found.name), found.content.to_vec(), found.is_cut))
            .collect();
        assert_eq!(
            found,
            [
                ("abcd".to_owned(), b"xy".to_vec(), false),
                ("long".to_owned(), b"z".to_vec(), false),
                ("last".to_owned(), b"..".to_vec(), true),
            ]
        );
        // To the end; shorter than its head; no box at all.
        assert_eq!(
            boxes(b"\0\0\0\0rest12").next().map(|found| found.content),
            Some(&b"12"[..])
        );
        assert_eq!(boxes(b"\0\0\0\x04bad!\0\0\0\x08next").count(), 1);
        assert_eq!(
            boxes(b"\0\0\0\x01huge\xff\xff\xff\xff\xff\xff\xff\xff").count(),
            1
        );
        assert_eq!(boxes(b"\0\0\0").count(), 0);
    }
}
