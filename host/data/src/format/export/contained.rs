//! A writer whose faults cost one sample.

use super::{FormatError, RecordWriter, Summary};
use crate::{panics::contained, record::SampleRecord};

/// So many samples that were left out are named.
const NAMED: usize = 10;

/// Takes samples for another writer, and leaves out those that it panics on. Writers put a sample together before they
/// write it, so what they have written so far stays whole.
pub(super) struct Contained {
    writer: Box<dyn RecordWriter>,
    notes: Vec<String>,
    left_out: usize,
}

impl Contained {
    pub(super) fn new(writer: Box<dyn RecordWriter>) -> Self {
        Self {
            writer,
            notes: Vec::new(),
            left_out: 0,
        }
    }
}

impl RecordWriter for Contained {
    fn write(&mut self, record: &SampleRecord) -> Result<(), FormatError> {
        let writer = &mut self.writer;
        contained(|| writer.write(record)).unwrap_or_else(|fault| {
            self.left_out += 1;
            if self.left_out <= NAMED {
                self.notes.push(format!(
                    "{}: left out, because writing it met a fault of the program ({fault}): please report it with \
                     the labels",
                    record.filepath
                ));
            }
            Ok(())
        })
    }

    fn finish(self: Box<Self>) -> Result<Summary, FormatError> {
        let mut summary = self.writer.finish()?;
        let unnamed = self.left_out.saturating_sub(NAMED);
        summary.notes.extend(self.notes);
        if unnamed > 0 {
            summary.notes.push(format!("and {unnamed} more were left out"));
        }
        Ok(summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics on every second sample.
    #[derive(Default)]
    struct Faulty {
        seen: u64,
        written: u64,
    }

    impl RecordWriter for Faulty {
        fn write(&mut self, _record: &SampleRecord) -> Result<(), FormatError> {
            self.seen += 1;
            assert!(self.seen % 2 == 1, "an even one");
            self.written += 1;
            Ok(())
        }

        fn finish(self: Box<Self>) -> Result<Summary, FormatError> {
            Ok(Summary {
                samples: self.written,
                ..Summary::default()
            })
        }
    }

    #[test]
    fn a_fault_costs_one_sample_and_is_told() {
        let mut writer = Box::new(Contained::new(Box::new(Faulty::default())));
        for name in ["/a.jpg", "/b.jpg", "/c.jpg"] {
            writer.write(&SampleRecord::image(name)).expect("contained");
        }
        let summary = writer.finish().expect("finishes");
        assert_eq!(summary.samples, 2);
        assert_eq!(summary.notes.len(), 1);
        assert!(
            summary.notes[0].starts_with("/b.jpg: left out") && summary.notes[0].contains("an even one"),
            "{:?}",
            summary.notes
        );
    }
}
