//! Folders of pictures, each with `expected.json`: what Pillow gives for each file.

use modelzoo_data::media::Decoder;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, path::PathBuf};

/// The facts and the pixels of a picture.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Expected {
    mime_type: String,
    width: u32,
    height: u32,
    num_channels: u8,
    sha256: String,
}

/// A folder of pictures.
pub struct Pictures(pub &'static str);

impl Pictures {
    /// Where it is.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(self.0)
    }

    /// What Pillow gives, by the names of the files.
    pub fn expected(&self) -> BTreeMap<String, Expected> {
        let json = std::fs::read(self.folder().join("expected.json")).expect("expected.json is there");
        serde_json::from_slice(&json).expect("expected.json is valid")
    }

    /// The bytes of a picture.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder().join(name)).expect("the picture is there")
    }

    /// Makes sure that every picture decodes to what Pillow gives, without a warning.
    pub fn assert_equal(&self) {
        let mut different = Vec::new();
        for (name, expected) in self.expected() {
            let decoded = match Decoder::default().decode_path(self.folder().join(&name)) {
                Ok(decoded) => decoded,
                Err(error) => {
                    different.push(error.to_string());
                    continue;
                }
            };
            let sha256 = Sha256::digest(decoded.image.data())
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let found = Expected {
                mime_type: decoded.metadata.mime_type,
                width: decoded.image.width(),
                height: decoded.image.height(),
                num_channels: decoded.metadata.num_channels,
                sha256,
            };
            if found != expected {
                different.push(format!("{name}: {found:?}, not {expected:?}"));
            }
            assert_eq!(decoded.warning, None, "{name}");
        }
        assert!(different.is_empty(), "{}", different.join("\n"));
    }

    /// Makes sure that reading the facts alone gives those of decoding.
    pub fn assert_facts_alone_are_equal(&self) {
        for name in self.expected().keys() {
            let bytes = self.read(name);
            let full = Decoder::default().decode_bytes(&bytes).expect("decodes").metadata;
            let facts = Decoder::default()
                .read_metadata_bytes(&bytes)
                .expect("has a header");
            assert_eq!(facts, full, "{name}");
            assert_eq!(full.size_bytes, bytes.len() as u64, "{name}");
        }
    }
}
