//! JSON Lines.

use super::{FormatError, RecordWriter, SampleRecord, Summary};
use crate::output::JsonLinesWriter;
use std::path::Path;

pub(super) struct JsonLinesExport {
    lines: JsonLinesWriter,
    samples: u64,
}

impl JsonLinesExport {
    pub fn create(path: &Path) -> Result<Self, FormatError> {
        Ok(Self {
            lines: JsonLinesWriter::create(path)?,
            samples: 0,
        })
    }
}

impl RecordWriter for JsonLinesExport {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        self.lines.write(record)?;
        self.samples += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Summary, FormatError> {
        self.lines.finish()?;
        Ok(Summary {
            samples: self.samples,
            ..Summary::default()
        })
    }
}
