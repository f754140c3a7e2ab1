//! What `apply` and `embed` share: inputs, outputs, progress, the summary.

use crate::{
    arguments::InputArguments,
    exit::Exit,
    terminal::{Bar, Step, Terminal},
};
use modelzoo_data::{
    input::{Inputs, MediaKind},
    media::Decoder,
    output::{JsonLinesWriter, Record},
};
use modelzoo_engine::{LabeledItem, PipelineOptions, SinkError, Summary};
use modelzoo_plugin_api::ModelInfo;
use std::time::Instant;

/// So many failures are told one by one at the end; the results hold all of them.
const TOLD_FAILURES: usize = 10;

/// The pictures that the user named.
pub fn inputs(arguments: &InputArguments) -> anyhow::Result<Inputs> {
    Ok(Inputs::resolve(arguments.inputs(), &[MediaKind::Image])?)
}

/// How the pictures go through the model.
pub fn pipeline(arguments: &InputArguments, info: &ModelInfo) -> PipelineOptions {
    let mut options = PipelineOptions::for_model(info);
    options.batch_size = arguments.batch_size.unwrap_or(options.batch_size);
    options.workers = arguments.workers.unwrap_or(options.workers);
    options.decoder = arguments
        .max_pixels
        .map_or(options.decoder, |limit| Decoder::default().with_max_pixels(limit));
    options
}

/// Takes what the engine hands on: writes it, counts it, and remembers what failed.
pub struct Results {
    writer: JsonLinesWriter,
    bar: Bar,
    started: Instant,
    failures: Vec<String>,
}

impl Results {
    /// Results of `count` pictures, to the file that the user named or to standard output.
    pub fn new(
        arguments: &InputArguments,
        count: u64,
        label: &str,
        terminal: &Terminal,
    ) -> anyhow::Result<Self> {
        let writer = match &arguments.output {
            Some(path) => JsonLinesWriter::create(path)?,
            None => JsonLinesWriter::stdout(),
        };
        Ok(Self {
            writer,
            bar: terminal.bar(Step::Pictures, label, Some(count)),
            started: Instant::now(),
            failures: Vec::new(),
        })
    }

    /// Takes one picture's result.
    pub fn take(&mut self, item: &LabeledItem) -> Result<(), SinkError> {
        let error = item.result.as_ref().err().map(ToString::to_string);
        self.writer.write(&Record {
            filepath: &item.filepath,
            metadata: item.metadata.as_ref(),
            fields: item.result.as_ref().ok(),
            error: error.as_deref(),
        })?;
        self.failures
            .extend(error.map(|error| format!("{}: {error}", item.filepath.display())));
        self.bar.advance();
        Ok(())
    }

    /// Puts the results in their place and tells how it went.
    pub fn finish(self, summary: Summary, terminal: &Terminal) -> anyhow::Result<Exit> {
        self.writer.finish()?;
        drop(self.bar);
        let seconds = self.started.elapsed().as_secs_f64();
        let all = summary.done + summary.failed;
        let rate = all as f64 / seconds.max(1e-9);
        for failure in self.failures.iter().take(TOLD_FAILURES) {
            terminal.warn(failure);
        }
        if self.failures.len() > TOLD_FAILURES {
            terminal.warn(format!("and {} more", self.failures.len() - TOLD_FAILURES));
        }
        let failed = match summary.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        terminal.say(format!(
            "{} of {all} pictures{failed}, {seconds:.1} s, {rate:.1} a second",
            summary.done
        ));
        Ok(if summary.failed == 0 {
            Exit::Done
        } else {
            Exit::Partial
        })
    }
}
