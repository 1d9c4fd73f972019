//! The log: events of the whole process, one line each, to standard error.
//!
//! Standard output belongs to what a person asked for; a log there would mix with it. Spans are no
//! part of it: `traces` sends them elsewhere, if that was asked for.
//!
//! - `json` and, below, text are its two formats
//! - `lines` writes it, beside what the server does

mod json;
mod lines;
mod traces;

use std::fmt::{self, Debug};
use std::io::{self, IsTerminal};

use anyhow::Context;
use keystile_service::SPANS;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{JsonFields, Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, registry};

use crate::settings::{Log, LogFormat};

use json::Json;

pub use lines::LastLines;
pub use traces::Traces;

/// Starts the log of this process, and its traces, if there are any. The last lines are written
/// when what it returns is dropped.
///
/// # Errors
/// There is a log already.
pub fn init(log: Log, traces: Option<&Traces>) -> anyhow::Result<LastLines> {
    let (lines, last_lines) = lines::begin(io::stderr())?;
    let log = layer(log, io::stderr().is_terminal(), lines);
    let layers = [Some(log), traces.map(|traces| traces.layer().boxed())];
    let layers: Vec<_> = layers.into_iter().flatten().collect();
    registry().with(layers).try_init().context("the log cannot be started")?;
    Ok(last_lines)
}

fn layer<W>(log: Log, terminal: bool, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = log.filter.and(filter_fn(|told| told.target() != SPANS));
    let builder = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        // It would tell of a broken standard error on standard error, and panic.
        .log_internal_errors(false);
    // Colours are the default, except where NO_COLOR says otherwise: only ever taken away here.
    let builder = if terminal { builder } else { builder.with_ansi(false) };
    match log.format {
        LogFormat::Json => {
            let builder = builder.fmt_fields(JsonFields::new()).event_format(Json);
            builder.with_filter(filter).boxed()
        }
        LogFormat::Text => {
            let fields = debug_fn(field).delimited(" ");
            builder.compact().fmt_fields(fields).with_filter(filter).boxed()
        }
    }
}

/// Writes one field of text so that it stays in its line: a name with a line end in it would
/// otherwise forge a line of the log. JSON escapes by itself.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    match field.name() {
        // What the `log` crate says about the event's place, which is written already.
        name if name.starts_with("log.") => return Ok(()),
        "message" => {}
        name => write!(writer, "{name}=")?,
    }
    for character in format!("{value:?}").chars() {
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            write!(writer, "{}", character.escape_default())?;
        } else {
            writer.write_char(character)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a log of this level and format says while `events` happen.
    fn logged(level: &str, format: LogFormat, events: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let log = Log { filter: level.parse().unwrap(), format };
        let layer = layer(log, false, move || writer.clone());
        tracing::subscriber::with_default(registry().with(layer), events);
        String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn an_event_in_json_is_one_object_in_one_line() {
        let log = logged("info", LogFormat::Json, || {
            tracing::info_span!("request", request.id = "7").in_scope(|| {
                tracing::info!(key.name = "CI\nforged \u{1b}[31mline", "key created");
            });
        });
        assert_eq!(log.matches('\n').count(), 1, "{log}");
        assert!(!log.contains('\u{1b}'));
        let event: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(event["message"], "key created");
        assert_eq!(event["key.name"], "CI\nforged \u{1b}[31mline");
        assert_eq!(event["span"]["request.id"], "7");
    }

    #[test]
    fn a_field_in_json_has_the_type_of_its_value() {
        let log = logged("info", LogFormat::Json, || {
            tracing::info!(a = true, b = -1_i64, c = 1_u64, d = "\"\\\u{7f}\u{2028}é", e = ?Some("x"));
            tracing::info!(log.target = "elsewhere", log.line = 7, "y");
        });
        let events: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [first, second] = events.as_slice() else { panic!("{log}") };
        assert_eq!(first["a"], true);
        assert_eq!(first["b"], -1);
        assert_eq!(first["c"], 1);
        assert_eq!(first["d"], "\"\\\u{7f}\u{2028}é");
        assert_eq!(first["e"], "Some(\"x\")");
        assert_eq!(first["level"], "INFO");
        assert_eq!(first["target"], module_path!());
        assert!(first["timestamp"].as_str().unwrap().ends_with('Z'), "{log}");
        assert_eq!(second["target"], "elsewhere");
        assert_eq!(second["log.line"], serde_json::Value::Null);
    }

    #[test]
    fn an_event_in_text_is_one_line_without_escapes() {
        let log = logged("info", LogFormat::Text, || {
            let name = "CI\r\nforged \u{1b}[31mline\u{2028}";
            let span = tracing::info_span!("request", name.display = %name);
            span.in_scope(
                || tracing::info!(name, name.debug = ?name, key = %name, "{name} created"),
            );
        });
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(!log.contains(['\r', '\u{1b}', '\u{2028}']));
        assert_eq!(log.matches("forged").count(), 5, "{log}");
    }

    #[test]
    fn a_span_for_traces_is_no_part_of_the_log() {
        let log = logged("trace", LogFormat::Json, || {
            let span = tracing::info_span!(target: SPANS, "request", a = "b");
            assert!(span.is_disabled());
            span.in_scope(|| tracing::info!("one request"));
        });
        let event: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(event["span"], serde_json::Value::Null);
    }

    #[test]
    fn an_event_below_the_level_is_not_written() {
        let log = logged("info", LogFormat::Text, || {
            tracing::debug!("one request");
            tracing::warn!("one warning");
        });
        assert!(!log.contains("one request"));
        assert!(log.contains("one warning"));
    }
}
