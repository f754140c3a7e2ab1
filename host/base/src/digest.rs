//! SHA-256 digests: how the store, the lock and the downloader name content.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::{
    fmt,
    io::{self, Read},
    path::Path,
    str::FromStr,
};

/// How much of a file is read at once while it is hashed.
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// A SHA-256 digest. Written as 64 lower-case hexadecimal digits; a `sha256:` prefix is understood on reading.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of all that `reader` still gives.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_reader(mut reader: impl Read) -> io::Result<Self> {
        let mut hasher = Sha256Hasher::default();
        let mut buffer = vec![0; READ_BUFFER_BYTES];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(hasher.finish()),
                Ok(count) => hasher.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The digest of the file at `path`.
    ///
    /// # Errors
    /// It cannot be read; the error names the path.
    pub fn of_file(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::of_reader(fs_err::File::open(path.as_ref())?)
    }

    /// The 32 bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve hexadecimal digits, for people to read.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sha256Digest({self})")
    }
}

/// A text that is no SHA-256 digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no SHA-256 digest: expected 64 hexadecimal digits")]
pub struct ParseDigestError {
    text: String,
}

impl FromStr for Sha256Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let refused = || ParseDigestError {
            text: text.chars().take(80).collect(),
        };
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| refused())?;
        Ok(Self(bytes))
    }
}

impl Serialize for Sha256Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A digest in the making, for content that arrives in pieces.
#[derive(Clone, Debug, Default)]
pub struct Sha256Hasher(Sha256);

impl Sha256Hasher {
    /// Takes in the next piece.
    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes);
    }

    /// The digest of all pieces so far.
    pub fn finish(self) -> Sha256Digest {
        Sha256Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hashes_as_the_standard_says() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sha256Digest::of("abc").to_string(), abc);
        assert_eq!(
            Sha256Digest::of_reader(&b"abc"[..]).unwrap(),
            abc.parse().unwrap()
        );
        assert_eq!(Sha256Digest::of("abc").short(), "ba7816bf8f01");
    }

    #[test]
    fn refuses_what_is_no_digest() {
        for text in [
            "",
            "abc",
            "sha256:",
            &"g".repeat(64),
            &"a".repeat(63),
            &"é".repeat(32),
        ] {
            assert!(text.parse::<Sha256Digest>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(bytes: [u8; 32], upper: bool) {
            let digest = Sha256Digest(bytes);
            let text = if upper { digest.to_string().to_uppercase() } else { format!("sha256:{digest}") };
            prop_assert_eq!(text.parse::<Sha256Digest>().unwrap(), digest);
        }
    }
}
