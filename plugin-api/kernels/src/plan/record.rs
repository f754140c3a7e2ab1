//! Ranges as bytes in a file: `modelzoo byte ranges`, a version, and numbers and names one after the other, the least
//! byte first.

/// What a file begins with.
const START: &[u8; 20] = b"modelzoo byte ranges";

/// Of what follows, and of what the numbers mean to a plan.
const VERSION: u32 = 1;

/// Why bytes are no ranges.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangesError {
    /// Something else.
    #[error("these are no ranges of layers")]
    Start,
    /// Another version of this crate has written them.
    #[error("ranges of version {0}, of which this program knows {VERSION} only")]
    Version(u32),
    /// They end early, or go on.
    #[error("ranges of layers are cut off, or something follows them")]
    Length,
    /// A name that is no text.
    #[error("the name of a layer is not in UTF-8")]
    Name,
    /// Steps or means that cannot be.
    #[error("the range of layer `{0}` is none")]
    Range(String),
}

/// Writes a file.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new() -> Self {
        let mut bytes = START.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        Self(bytes)
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A number of things, each of which has a place in memory, so that 64 bits hold it.
    pub(super) fn count(&mut self, count: usize) {
        self.bytes(&(count as u64).to_le_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes(text.as_bytes());
    }

    pub(super) fn numbers(&mut self, numbers: &[f32]) {
        numbers
            .iter()
            .for_each(|number| self.bytes(&number.to_le_bytes()));
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads a file, of which no number is believed before the bytes are there.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, RangesError> {
        let mut reader = Self(bytes.strip_prefix(START).ok_or(RangesError::Start)?);
        match u32::from_le_bytes(reader.bytes()?) {
            VERSION => Ok(reader),
            other => Err(RangesError::Version(other)),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], RangesError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(RangesError::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn bytes<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], RangesError> {
        let taken = self.take(COUNT)?;
        taken.try_into().map_err(|_| RangesError::Length)
    }

    pub(super) fn count(&mut self) -> Result<usize, RangesError> {
        usize::try_from(u64::from_le_bytes(self.bytes()?)).map_err(|_| RangesError::Length)
    }

    pub(super) fn text(&mut self) -> Result<String, RangesError> {
        let length = self.count()?;
        let bytes = self.take(length)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| RangesError::Name)
    }

    pub(super) fn numbers(&mut self, count: usize) -> Result<Vec<f32>, RangesError> {
        let bytes = self.take(count.checked_mul(size_of::<f32>()).ok_or(RangesError::Length)?)?;
        let number = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
        Ok(bytes.as_chunks().0.iter().map(number).collect())
    }

    pub(super) fn finish(self) -> Result<(), RangesError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(RangesError::Length)
        }
    }
}
