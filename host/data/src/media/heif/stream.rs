//! Coded items, written one behind the other as a decoder wants them: as a stream of pictures that stand alone.

use super::boxes::{Fault, Reader};

/// How an item is coded; both streams are what FFmpeg reads, AV1 in IVF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Hevc,
    Av1,
}

/// A stream of pictures.
#[derive(Debug)]
pub(super) struct Stream {
    coding: Coding,
    bytes: Vec<u8>,
    count: u32,
}

/// What stands before each unit of HEVC (ISO/IEC 23008-2, annex B).
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Where the parameter sets begin in `hvcC` (ISO/IEC 14496-15, 8.3.3.1).
const PARAMETER_SETS: usize = 22;

/// Where the units begin in `av1C` (AV1-ISOBMFF, 2.3.3).
const CONFIGURATION_UNITS: usize = 4;

/// An AV1 unit that begins a sequence (AV1, 6.2.2).
const SEQUENCE_HEADER: u8 = 1;

impl Stream {
    pub fn new(coding: Coding, (width, height): (u32, u32)) -> Self {
        let bytes = match coding {
            Coding::Hevc => Vec::new(),
            Coding::Av1 => ivf_header(width, height).to_vec(),
        };
        Self {
            coding,
            bytes,
            count: 0,
        }
    }

    /// Adds a picture: what the decoder has to know, and its data.
    pub fn push(&mut self, configuration: &[u8], data: &[u8]) -> Result<(), Fault> {
        match self.coding {
            Coding::Hevc => self.push_hevc(configuration, data)?,
            Coding::Av1 => self.push_av1(configuration, data)?,
        }
        self.count += 1;
        Ok(())
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How its pictures are coded, and the stream.
    pub fn into_parts(self) -> (Coding, Vec<u8>) {
        (self.coding, self.bytes)
    }

    fn push_hevc(&mut self, configuration: &[u8], data: &[u8]) -> Result<(), Fault> {
        let mut sets = Reader(configuration);
        let fixed = sets.take(PARAMETER_SETS)?;
        let length_size = usize::from(fixed[PARAMETER_SETS - 1] & 3) + 1;
        for _ in 0..sets.u8()? {
            let _kind = sets.u8()?;
            for _ in 0..sets.u16()? {
                let length = sets.u16()?;
                self.push_unit(sets.take(usize::from(length))?);
            }
        }
        let mut units = Reader(data);
        while !units.0.is_empty() {
            let length = units.number(length_size)?;
            let unit = units.take(usize::try_from(length).unwrap_or(usize::MAX));
            self.push_unit(unit.map_err(|_| Fault::corrupt("a unit of its data is cut"))?);
        }
        Ok(())
    }

    fn push_unit(&mut self, unit: &[u8]) {
        self.bytes.extend(START_CODE);
        self.bytes.extend(unit);
    }

    /// The header of the sequence may stand in the configuration alone.
    fn push_av1(&mut self, configuration: &[u8], data: &[u8]) -> Result<(), Fault> {
        let has_header = units(data).any(|kind| kind == SEQUENCE_HEADER);
        let before = configuration.get(CONFIGURATION_UNITS..).filter(|_| !has_header);
        let before = before.unwrap_or_default();
        let length = u32::try_from(before.len() + data.len());
        let length = length.map_err(|_| Fault::Unsupported("of more than 4 GB".to_owned()))?;
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(u64::from(self.count).to_le_bytes());
        self.bytes.extend(before);
        self.bytes.extend(data);
        Ok(())
    }
}

fn ivf_header(width: u32, height: u32) -> [u8; 32] {
    let mut header = [0; 32];
    header[..8].copy_from_slice(b"DKIF\0\0\x20\0");
    header[8..12].copy_from_slice(b"AV01");
    // The sequence says the size again, and counts.
    header[12..14].copy_from_slice(&(width as u16).to_le_bytes());
    header[14..16].copy_from_slice(&(height as u16).to_le_bytes());
    // A frame a second.
    header[16] = 1;
    header[20] = 1;
    header
}

/// The kinds of the units that stand one behind the other (AV1, 5.3), up to one that is cut.
fn units(data: &[u8]) -> impl Iterator<Item = u8> {
    let mut reader = Reader(data);
    std::iter::from_fn(move || {
        let first = reader.u8().ok()?;
        let (has_extension, has_size) = (first & 4 != 0, first & 2 != 0);
        if has_extension {
            reader.u8().ok()?;
        }
        let length = match has_size {
            true => leb128(&mut reader)?,
            false => reader.0.len(),
        };
        reader.take(length).ok()?;
        Some(first >> 3 & 15)
    })
}

fn leb128(reader: &mut Reader<'_>) -> Option<usize> {
    let mut value = 0_u64;
    for place in 0..8 {
        let byte = reader.u8().ok()?;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return usize::try_from(value).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hevc_gets_start_codes_and_its_parameter_sets() {
        let mut configuration = vec![0; PARAMETER_SETS];
        configuration[21] = 1;
        configuration.extend(b"\x01\x20\0\x01\0\x03vps");
        let mut stream = Stream::new(Coding::Hevc, (8, 8));
        stream
            .push(&configuration, b"\0\x02ab\0\x01c")
            .expect("it is whole");
        assert_eq!(
            stream.into_parts(),
            (Coding::Hevc, b"\0\0\0\x01vps\0\0\0\x01ab\0\0\0\x01c".to_vec())
        );
        let mut stream = Stream::new(Coding::Hevc, (8, 8));
        assert!(stream.push(&configuration, b"\0\x09ab").is_err());
        assert!(stream.push(&configuration[..20], b"").is_err());
    }

    #[test]
    fn av1_gets_its_sequence_header_once() {
        let configuration = b"\x81\0\0\0\x0a\x01h";
        let frame = |data: &[u8]| {
            let mut stream = Stream::new(Coding::Av1, (8, 8));
            stream.push(configuration, data).expect("it is whole");
            stream.into_parts().1[32 + 12..].to_vec()
        };
        assert_eq!(frame(b"\x32\x01f"), b"\x0a\x01h\x32\x01f");
        assert_eq!(frame(b"\x0a\x01s\x32\x01f"), b"\x0a\x01s\x32\x01f");
        assert_eq!(frame(b"\x32\xff\xff"), b"\x0a\x01h\x32\xff\xff");
    }
}
