//! The formats that scrapers read: OpenMetrics 1.0, and the older text format of Prometheus, which
//! differs in what it says of families and in nothing else.

use std::collections::BTreeSet;
use std::fmt;

use actix_web::http::header::HeaderValue;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

/// A format that a scraper reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    OpenMetrics,
    Text,
}

impl Format {
    /// What a scraper that says `Accept` is shown.
    pub(super) fn accepted(accept: Option<&HeaderValue>) -> Self {
        let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Text }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// What a collector tells, in a format.
pub(super) fn text(collector: impl Collector, format: Format) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(collector));
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(match format {
        Format::OpenMetrics => text,
        Format::Text => older(&text),
    })
}

/// The older format calls a counter by the name of its samples, which end in `_total`, knows no
/// units, and has no end.
fn older(text: &str) -> String {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let counters: BTreeSet<_> = types.filter_map(|told| told.strip_suffix(" counter")).collect();
    let mut older = String::with_capacity(text.len());
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match [(); 4].map(|()| words.next()) {
            [Some("#"), Some(word @ ("HELP" | "TYPE")), Some(name), Some(told)] => {
                let total = if counters.contains(name) { "_total" } else { "" };
                older.extend(["# ", word, " ", name, total, " ", told, "\n"]);
            }
            [Some("#"), ..] => {}
            _ => older.extend([line, "\n"]),
        }
    }
    older
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_format_differs_in_what_it_says_of_families() {
        let open_metrics = "# HELP a_seconds How long.\n# TYPE a_seconds counter\n\
                            # UNIT a_seconds seconds\na_seconds_total{b=\"# TYPE x counter\"} 1\n\
                            # HELP g Now.\n# TYPE g gauge\ng 2\n# EOF\n";
        let text = "# HELP a_seconds_total How long.\n# TYPE a_seconds_total counter\n\
                    a_seconds_total{b=\"# TYPE x counter\"} 1\n\
                    # HELP g Now.\n# TYPE g gauge\ng 2\n";
        assert_eq!(older(open_metrics), text);
    }

    #[test]
    fn whoever_does_not_ask_for_open_metrics_is_shown_the_older_format() {
        for (accept, format) in [
            (None, Format::Text),
            (Some("*/*"), Format::Text),
            (Some("text/plain;version=0.0.4;q=0.5"), Format::Text),
            (Some("application/openmetrics-text;version=1.0.0,text/plain"), Format::OpenMetrics),
        ] {
            let accept = accept.map(HeaderValue::from_static);
            assert_eq!(Format::accepted(accept.as_ref()), format, "{accept:?}");
        }
    }
}
