//! JSON Lines, as this program writes them.

use super::{FormatError, ImportReport, Place, Sink, sample::read_sample};
use crate::format::non_finite::open_json;
use std::{
    io::{BufRead as _, Read as _},
    path::Path,
};

/// The length in bytes of the longest line that is read: a file that is none of lines is not taken into memory whole.
const LONGEST_LINE: u64 = 1 << 30;

/// Reads a sample from each line of a file. Paths stay as they stand there; empty lines are passed over, and lines that
/// are no samples reported. Returns how many samples there are.
///
/// # Errors
/// When the file cannot be read.
pub fn import_json_lines(file: &Path, report: &mut ImportReport, sink: Sink<'_>) -> Result<u64, FormatError> {
    let mut lines = open_json(file)?;
    let (mut line, mut number, mut count) = (Vec::new(), 0u64, 0);
    loop {
        line.clear();
        let length = lines
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .map_err(|source| FormatError::read(file, source))?;
        if length == 0 {
            return Ok(count);
        }
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = Place::new(file, format!(":{number}"));
        match serde_json::from_slice(&line) {
            Ok(value) => {
                if let Some(record) = read_sample(value, &place, report)? {
                    sink(record, &place, report)?;
                    count += 1;
                }
            }
            Err(error) => {
                let place = Place::new(file, format!(":{number}:{}", error.column()));
                report.lose(place.error("this is no JSON"))?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paths of the samples, and what was left out.
    fn read(content: &str) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, content).unwrap();
        let (mut paths, mut report) = (Vec::new(), ImportReport::lenient());
        import_json_lines(&path, &mut report, &mut |record, _, _| {
            paths.push(record.filepath);
            Ok(())
        })
        .unwrap();
        let name = path.to_str().unwrap();
        let losses = report.finish().0;
        let named = losses.named().iter().map(|line| line.replace(name, "a.jsonl"));
        (paths, named.collect())
    }

    #[test]
    fn lines_are_samples_and_errors_name_theirs() {
        assert_eq!(read("{\"filepath\":\"a\"}\n\n{\"filepath\":\"b\"}").0, ["a", "b"]);
        let (paths, losses) = read("{\"filepath\":\"a\"}\n{\"x\":1}\n{\"filepath\":\n{\"filepath\":\"d\"}");
        assert_eq!(paths, ["a", "d"]);
        assert_eq!(
            losses,
            [
                "a.jsonl:2: the sample has no `filepath`",
                "a.jsonl:3:0: this is no JSON"
            ]
        );
    }
}
