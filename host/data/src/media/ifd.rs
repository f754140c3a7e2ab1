//! The structure that TIFF and EXIF are built of: directories of tagged values (IFD), in either byte order, with
//! offsets of 32 bits (TIFF 6.0) or 64 (BigTIFF).
//!
//! Reading is lenient. A value that lies outside of the file is left out, and so is what a cut directory lacks; a
//! reader asks for what it needs and says itself what is missing.

use std::collections::BTreeMap;

/// Numbers of tags.
pub(super) mod tag {
    /// Which way up the picture is.
    pub const ORIENTATION: u16 = 274;
    /// A packet of XMP.
    pub const XMP: u16 = 700;
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    pub(super) fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }
}

/// Bytes that begin as TIFF and EXIF do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Structure<'a> {
    bytes: &'a [u8],
    order: ByteOrder,
    is_big: bool,
}

impl<'a> Structure<'a> {
    /// `None` where the first bytes are not those of such a structure.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let order = match bytes.get(..2)? {
            b"II" => ByteOrder::Little,
            b"MM" => ByteOrder::Big,
            _ => return None,
        };
        let is_big = match order.u16(*bytes[2..].first_chunk()?) {
            42 => false,
            // A fixed 8 says how long offsets are.
            43 => (order.u16(*bytes.get(4..)?.first_chunk()?) == 8).then_some(true)?,
            _ => return None,
        };
        Some(Self { bytes, order, is_big })
    }

    pub(super) fn order(&self) -> ByteOrder {
        self.order
    }

    /// All of the bytes, to which offsets refer.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the first directory is.
    pub(super) fn first(&self) -> Option<u64> {
        self.offset(if self.is_big { 8 } else { 4 })
    }

    /// The directory at an offset, as far as it is there; `None` where not even its length is.
    pub(super) fn directory(&self, offset: u64) -> Option<Directory<'a>> {
        let start = usize::try_from(offset).ok()?;
        let rest = self.bytes.get(start..)?;
        let (count, head, entry_size) = match self.is_big {
            true => (self.order.u64(*rest.first_chunk()?), 8, 20),
            false => (u64::from(self.order.u16(*rest.first_chunk()?)), 2, 12),
        };
        let entries = rest[head..]
            .chunks_exact(entry_size)
            .take(usize::try_from(count).unwrap_or(usize::MAX))
            .filter_map(|entry| self.entry(entry))
            .collect();
        let next = usize::try_from(count)
            .ok()
            .and_then(|count| count.checked_mul(entry_size)?.checked_add(start + head))
            .and_then(|end| self.offset(end))
            .filter(|&next| next != 0);
        Some(Directory { entries, next })
    }

    fn entry(&self, entry: &[u8]) -> Option<(u16, Entry<'a>)> {
        let tag = self.order.u16(*entry.first_chunk()?);
        let kind = Kind::of(self.order.u16(*entry[2..].first_chunk()?))?;
        let (count, place) = match self.is_big {
            true => (self.order.u64(*entry[4..].first_chunk()?), 12),
            false => (u64::from(self.order.u32(*entry[4..].first_chunk()?)), 8),
        };
        let length = usize::try_from(count).ok()?.checked_mul(kind.size())?;
        // What is short stands in the entry itself.
        let start = match length <= entry.len() - place {
            true => (entry.as_ptr() as usize + place).checked_sub(self.bytes.as_ptr() as usize)?,
            false => usize::try_from(self.read_offset(&entry[place..])?).ok()?,
        };
        let data = self.bytes.get(start..start.checked_add(length)?)?;
        let order = self.order;
        Some((tag, Entry { kind, data, order }))
    }

    fn offset(&self, position: usize) -> Option<u64> {
        self.read_offset(self.bytes.get(position..)?)
    }

    fn read_offset(&self, bytes: &[u8]) -> Option<u64> {
        Some(match self.is_big {
            true => self.order.u64(*bytes.first_chunk()?),
            false => u64::from(self.order.u32(*bytes.first_chunk()?)),
        })
    }
}

/// Values by tag. Where a tag is there twice, the last one counts, as in Pillow.
#[derive(Clone, Debug)]
pub(super) struct Directory<'a> {
    entries: BTreeMap<u16, Entry<'a>>,
    next: Option<u64>,
}

impl<'a> Directory<'a> {
    pub(super) fn entry(&self, tag: u16) -> Option<&Entry<'a>> {
        self.entries.get(&tag)
    }

    /// Where the next one is.
    pub(super) fn next(&self) -> Option<u64> {
        self.next
    }
}

/// How the values of an entry are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Byte,
    Text,
    Short,
    Long,
    Rational,
    SignedByte,
    Undefined,
    SignedShort,
    SignedLong,
    SignedRational,
    Float,
    Double,
    Long8,
    SignedLong8,
}

impl Kind {
    fn of(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::Byte,
            2 => Self::Text,
            3 => Self::Short,
            4 | 13 => Self::Long,
            5 => Self::Rational,
            6 => Self::SignedByte,
            7 => Self::Undefined,
            8 => Self::SignedShort,
            9 => Self::SignedLong,
            10 => Self::SignedRational,
            11 => Self::Float,
            12 => Self::Double,
            16 | 18 => Self::Long8,
            17 => Self::SignedLong8,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::Byte | Self::Text | Self::SignedByte | Self::Undefined => 1,
            Self::Short | Self::SignedShort => 2,
            Self::Long | Self::SignedLong | Self::Float => 4,
            Self::Rational | Self::SignedRational | Self::Double | Self::Long8 | Self::SignedLong8 => 8,
        }
    }
}

/// The values of a tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    kind: Kind,
    data: &'a [u8],
    order: ByteOrder,
}

impl<'a> Entry<'a> {
    /// The values as they are stored.
    pub(super) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The first value, where it is a whole number of two bytes or more that is not negative.
    pub(super) fn first_unsigned(&self) -> Option<u64> {
        self.unsigned().next().flatten()
    }

    /// The values, `None` for those that are no such numbers.
    pub(super) fn unsigned(&self) -> impl Iterator<Item = Option<u64>> + use<'a> {
        let Self { kind, data, order } = *self;
        data.chunks_exact(kind.size()).map(move |value| match kind {
            Kind::Short => Some(u64::from(order.u16(*value.first_chunk()?))),
            Kind::SignedShort => u64::try_from(order.u16(*value.first_chunk()?).cast_signed()).ok(),
            Kind::Long => Some(u64::from(order.u32(*value.first_chunk()?))),
            Kind::SignedLong => u64::try_from(order.u32(*value.first_chunk()?).cast_signed()).ok(),
            Kind::Long8 => Some(order.u64(*value.first_chunk()?)),
            Kind::SignedLong8 => u64::try_from(order.u64(*value.first_chunk()?).cast_signed()).ok(),
            _ => None,
        })
    }

    /// The values as fractions, where they are stored as quotients or as floating-point numbers.
    pub(super) fn rationals(&self) -> impl Iterator<Item = f32> + use<'a> {
        let Self { kind, data, order } = *self;
        data.chunks_exact(kind.size()).filter_map(move |value| {
            let number = |start: usize| Some(order.u32(*value.get(start..)?.first_chunk()?));
            match kind {
                Kind::Rational => Some(number(0)? as f32 / number(4)? as f32),
                Kind::Float => Some(f32::from_bits(number(0)?)),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sizes_and_orders_are_read() {
        let classic = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x05\0\0\0\0\0\x09";
        let big = b"II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\
                    \x12\x01\x03\0\x02\0\0\0\0\0\0\0\x05\0\x07\0\0\0\0\0\x09\0\0\0\0\0\0\0";
        for (bytes, values) in [(&classic[..], vec![Some(5)]), (big, vec![Some(5), Some(7)])] {
            let structure = Structure::parse(bytes).expect("a structure");
            let directory = structure
                .directory(structure.first().expect("an offset"))
                .expect("a directory");
            let entry = directory.entry(tag::ORIENTATION).expect("an entry");
            assert_eq!(entry.unsigned().collect::<Vec<_>>(), values);
            assert_eq!(directory.next(), Some(9));
        }
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let bytes =
            b"MM\0\x2a\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x03\0\0\xff\0\x01\0\0\x04\0\0\0\x01\0\0\0\x40";
        let structure = Structure::parse(bytes).expect("a structure");
        let directory = structure.directory(8).expect("a directory");
        assert!(directory.entry(tag::ORIENTATION).is_none());
        assert_eq!(directory.entry(256).and_then(Entry::first_unsigned), Some(64));
        assert_eq!(directory.next(), None);
        assert!(structure.directory(u64::MAX).is_none());
        assert!(structure.directory(34).is_none());
    }
}
