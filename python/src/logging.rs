//! The library's log, handed to Python's `logging` under the loggers `modelzoo` and `modelzoo.*`.

use pyo3::{Python, types::PyAnyMethods as _};
use std::{
    fmt::{self, Write as _},
    sync::atomic::{AtomicU32, Ordering},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Registry,
    layer::{Context, Layer, SubscriberExt as _},
};

/// What `logging` calls a warning.
const WARNING: u32 = 30;

/// The least level that somebody listens for, in `logging`'s numbers.
static LEVEL: AtomicU32 = AtomicU32::new(WARNING);

/// Begins to hand the log on, unless something else in this process takes it already.
pub fn begin() {
    let subscriber = Registry::default().with(PythonLogging);
    // A second subscriber in one process is refused: the log then goes where it went before.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Looks at which level `logging` listens now; the library asks no more often than it is used, as asking takes the
/// interpreter's lock.
pub fn look_at_level(py: Python<'_>) {
    let level = py
        .import("logging")
        .and_then(|logging| logging.call_method1("getLogger", ("modelzoo",)))
        .and_then(|logger| logger.call_method0("getEffectiveLevel"))
        .and_then(|level| level.extract());
    LEVEL.store(level.unwrap_or(WARNING), Ordering::Relaxed);
}

/// A level in `logging`'s numbers; it has none below `DEBUG`.
fn number(level: &Level) -> u32 {
    match *level {
        Level::ERROR => 40,
        Level::WARN => WARNING,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

struct PythonLogging;

impl<S: Subscriber> Layer<S> for PythonLogging {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (level, target) = (number(event.metadata().level()), event.metadata().target());
        if level < LEVEL.load(Ordering::Relaxed) || !target.starts_with("modelzoo") {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let name = format!("modelzoo.{}", area(target));
        // Where Python is ending there is nobody left to tell, and nowhere to say that telling failed.
        let _ = Python::try_attach(|py| {
            py.import("logging")?
                .call_method1("getLogger", (name,))?
                .call_method1("log", (level, "%s", line.text))
                .map(drop)
        });
    }
}

/// The part of the library that says it: `sources` of `modelzoo_sources::download`.
fn area(target: &str) -> &str {
    let name = target.split("::").next().unwrap_or(target);
    name.strip_prefix("modelzoo_").unwrap_or("library")
}

/// An event as one line: its message, then what else it says as `name=value`.
#[derive(Default)]
struct Line {
    text: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let before = std::mem::take(&mut self.text);
        // Writing to a text cannot fail.
        let _ = match (field.name(), before.as_str()) {
            ("message", "") => write!(self.text, "{value:?}"),
            ("message", facts) => write!(self.text, "{value:?} {facts}"),
            (name, "") => write!(self.text, "{name}={value:?}"),
            (name, facts) => write!(self.text, "{facts} {name}={value:?}"),
        };
    }
}
