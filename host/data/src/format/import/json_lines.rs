//! JSON Lines, as this program writes them.

use std::io::BufRead as _;
use std::path::Path;

use super::{FormatError, SampleRecord, Sink};
use crate::format::non_finite::open_json;

/// Reads a sample from each line of a file. Paths stay as they stand there; empty lines are passed over. Returns how
/// many there are.
///
/// # Errors
/// When the file cannot be read or a line is no sample; it is named.
pub fn import_json_lines(file: &Path, sink: Sink<'_>) -> Result<u64, FormatError> {
    let mut lines = open_json(file)?;
    let (mut line, mut number, mut count) = (Vec::new(), 0u64, 0);
    loop {
        line.clear();
        let length = lines
            .read_until(b'\n', &mut line)
            .map_err(|source| FormatError::read(file, source))?;
        if length == 0 {
            return Ok(count);
        }
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = || format!(":{number}");
        let value = serde_json::from_slice(&line).map_err(|error| {
            FormatError::content(file, format!(":{number}:{}", error.column()), "this is no JSON")
        })?;
        sink(SampleRecord::from_json(value).map_err(|error| FormatError::content(file, place(), error))?)?;
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, content).unwrap();
        let mut paths = Vec::new();
        import_json_lines(&path, &mut |record| {
            paths.push(record.filepath);
            Ok(())
        })
        .map(|_| paths)
        .map_err(|error| error.to_string().replace(path.to_str().unwrap(), "a.jsonl"))
    }

    #[test]
    fn lines_are_samples_and_errors_name_theirs() {
        assert_eq!(
            read("{\"filepath\":\"a\"}\n\n{\"filepath\":\"b\"}").unwrap(),
            ["a", "b"]
        );
        assert_eq!(
            read("{\"filepath\":\"a\"}\n{\"x\":1}\n").unwrap_err(),
            "a.jsonl:2: the sample has no `filepath`"
        );
        assert_eq!(
            read("{\"filepath\":\n").unwrap_err(),
            "a.jsonl:1:0: this is no JSON"
        );
    }
}
