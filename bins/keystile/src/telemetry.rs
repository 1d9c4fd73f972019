//! The log: events of the whole process, one line each, to standard error.
//!
//! Standard output belongs to what a person asked for; a log there would mix with it.

use std::fmt::{self, Debug};
use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing::Subscriber;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::{Log, LogFormat};

/// Starts the log of this process.
///
/// # Errors
/// There is a log already.
pub fn init(log: Log) -> anyhow::Result<()> {
    subscriber(log, io::stderr().is_terminal(), io::stderr)
        .try_init()
        .context("the log cannot be started")
}

fn subscriber<W>(log: Log, terminal: bool, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(log.filter)
        .with_writer(writer)
        // It would tell of a broken standard error on standard error, and panic.
        .log_internal_errors(false);
    // Colours are the default, except where NO_COLOR says otherwise: only ever taken away here.
    let builder = if terminal { builder } else { builder.with_ansi(false) };
    match log.format {
        LogFormat::Json => {
            Box::new(builder.json().flatten_event(true).with_span_list(false).finish())
        }
        LogFormat::Text => {
            Box::new(builder.compact().fmt_fields(debug_fn(field).delimited(" ")).finish())
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
        let subscriber = subscriber(log, false, move || writer.clone());
        tracing::subscriber::with_default(subscriber, events);
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
    fn an_event_below_the_level_is_not_written() {
        let log = logged("info", LogFormat::Text, || {
            tracing::debug!("one request");
            tracing::warn!("one warning");
        });
        assert!(!log.contains("one request"));
        assert!(log.contains("one warning"));
    }
}
