//! NaN and the infinities as Python's `json` writes and reads them: bare words, which JSON itself lacks.
//!
//! FiftyOne's files have them so. Labels as JSON have MongoDB's spelling, `{"$numberDouble": "NaN"}`: it is translated on
//! the way out and in.

use super::FormatError;
use crate::input::open_text;
use serde::Serialize;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

/// The words, and what stands for them in this program's JSON.
const WORDS: [(&[u8], &[u8]); 3] = [
    (b"NaN", br#"{"$numberDouble":"NaN"}"#),
    (b"Infinity", br#"{"$numberDouble":"Infinity"}"#),
    (b"-Infinity", br#"{"$numberDouble":"-Infinity"}"#),
];

const CHUNK: usize = 1 << 16;

/// Writes `value` as JSON with bare words.
pub(super) fn write_json(mut writer: impl Write, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(value)?;
    let mut rest = json.as_slice();
    // In a text the quotes would be escaped, so these bytes are never part of one.
    while let Some(at) = find(rest, br#"{"$numberDouble":"#) {
        let Some((word, spelling)) = WORDS
            .iter()
            .find(|(_, spelling)| rest[at..].starts_with(spelling))
        else {
            break;
        };
        writer.write_all(&rest[..at])?;
        writer.write_all(word)?;
        rest = &rest[at + spelling.len()..];
    }
    writer.write_all(rest)
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// Opens a JSON file that may have bare words.
pub(super) fn open_json(path: &Path) -> Result<impl BufRead, FormatError> {
    let text = open_text(path).map_err(|source| FormatError::read(path, source))?;
    Ok(BufReader::with_capacity(CHUNK, Bare::new(text)))
}

/// JSON without bare words, from JSON with them.
struct Bare<R> {
    inner: R,
    place: Place,
    /// The beginning of what may be a word.
    word: Vec<u8>,
    /// What is translated and not yet taken.
    ready: Vec<u8>,
    taken: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Outside,
    Text,
    Escape,
}

impl<R: Read> Bare<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            place: Place::Outside,
            word: Vec::new(),
            ready: Vec::new(),
            taken: 0,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        let mut chunk = [0; CHUNK];
        while self.ready.is_empty() {
            let length = self.inner.read(&mut chunk)?;
            if length == 0 {
                self.ready.append(&mut self.word);
                break;
            }
            for &byte in &chunk[..length] {
                self.translate(byte);
            }
        }
        Ok(())
    }

    fn translate(&mut self, byte: u8) {
        self.place = match (self.place, byte) {
            (Place::Outside, b'"') => Place::Text,
            (Place::Outside, _) => {
                self.outside(byte);
                return;
            }
            (Place::Text, b'\\') => Place::Escape,
            (Place::Text, b'"') => Place::Outside,
            (Place::Text | Place::Escape, _) => Place::Text,
        };
        self.ready.append(&mut self.word);
        self.ready.push(byte);
    }

    fn outside(&mut self, byte: u8) {
        self.word.push(byte);
        let is_begun = |word: &[u8]| WORDS.iter().any(|(whole, _)| whole.starts_with(word));
        if let Some((_, spelling)) = WORDS.iter().find(|(whole, _)| *whole == self.word) {
            self.word.clear();
            self.ready.extend_from_slice(spelling);
        } else if !is_begun(&self.word) {
            // The byte may still begin a word.
            self.word.pop();
            self.ready.append(&mut self.word);
            if is_begun(&[byte]) {
                self.word.push(byte);
            } else {
                self.ready.push(byte);
            }
        }
    }
}

impl<R: Read> Read for Bare<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.fill()?;
        }
        let length = (&self.ready[self.taken..]).read(buffer)?;
        self.taken += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(text: &str) -> Result<Value, String> {
        serde_json::from_reader(Bare::new(text.as_bytes())).map_err(|error| error.to_string())
    }

    fn written(value: &Value) -> String {
        let mut text = Vec::new();
        write_json(&mut text, value).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn bare_words_are_translated_both_ways() {
        let value = json!([
            {"$numberDouble": "NaN"}, -1, {"$numberDouble": "-Infinity"}, "NaN", "\"Infinity\\", "{\"$numberDouble\":\"NaN\"}",
            {"$numberDouble": "Infinity"}, "\\"
        ]);
        let text = r#"[NaN,-1,-Infinity,"NaN","\"Infinity\\","{\"$numberDouble\":\"NaN\"}",Infinity,"\\"]"#;
        assert_eq!(written(&value), text);
        assert_eq!(read(text).unwrap(), value);
    }

    #[test]
    fn other_words_are_still_refused() {
        for text in ["NaNa", "Infinite", "-Inf", "Na", "[1, nan]", "NNaN"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn json_without_words_passes_as_it_is(values in prop::collection::vec((any::<f64>(), ".*"), 0..9)) {
            let value = json!(values);
            let text = value.to_string();
            prop_assert_eq!(&written(&value), &text);
            let mut passed = String::new();
            Bare::new(text.as_bytes()).read_to_string(&mut passed).unwrap();
            prop_assert_eq!(passed, text);
        }
    }
}
