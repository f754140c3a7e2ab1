//! What the libraries tell through `tracing`, shown on standard error as everything else is.

use super::Terminal;
use crate::arguments::Global;
use std::fmt;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{DefaultFields, Writer},
    },
    registry::LookupSpan,
};

impl Terminal {
    /// Shows warnings, and more with `-v` (`MODELZOO_LOG` takes tracing's filter syntax).
    pub fn start_logging(&self, global: &Global) {
        let level = match (global.quiet, global.verbose) {
            (true, _) => "error",
            (false, 0) => "warn",
            (false, 1) => "info",
            (false, 2) => "debug",
            (false, _) => "trace",
        };
        let filter = EnvFilter::try_from_env("MODELZOO_LOG").unwrap_or_else(|_| {
            // Only this program's own crates: the libraries below tell a lot at these levels.
            EnvFilter::new(format!("modelzoo={level},modelzoo_sources={level},modelzoo_runtime={level},modelzoo_data={level},modelzoo_engine={level}"))
        });
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            // They would be told on standard error, which is what cannot be written.
            .log_internal_errors(false)
            .with_ansi(self.color)
            .event_format(Lines(self.clone()))
            .init();
    }
}

/// One line an event, in the form of all that the program tells: `warning: ...`.
struct Lines(Terminal);

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, DefaultFields> for Lines {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, DefaultFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (word, style) = match *event.metadata().level() {
            Level::ERROR => ("error:", "1;31"),
            Level::WARN => ("warning:", "1;33"),
            Level::INFO => ("info:", "1;32"),
            Level::DEBUG => ("debug:", "1;34"),
            Level::TRACE => ("trace:", "2"),
        };
        write!(writer, "{} ", self.0.paint(word, style))?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
