//! What is logged, and how it looks.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

use super::effective::Effective;
use super::problem::Rule;

/// The settings of the log.
#[derive(Debug)]
pub struct Log {
    /// Which events are written.
    pub filter: EnvFilter,
    /// How they are written.
    pub format: LogFormat,
}

/// How an event of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object in each line, for machines.
    Json,
    /// Compact text, for people.
    Text,
}

impl Log {
    /// Reads the settings of the log.
    pub fn read(effective: &mut Effective) -> Option<Self> {
        let filter = effective.parse("log", filter);
        let format = effective.parse("log_format", str::parse);
        Some(Self { filter: filter?, format: format? })
    }
}

impl FromStr for LogFormat {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(Rule("must be text or json")),
        }
    }
}

/// Reads `debug` or `info,keystile_storage=debug`.
///
/// A level without a module is for Keystile's own code: other code is heard up to `info` unless it
/// is named, since what it writes at `debug` (statements with their parameters, say) was not written
/// with our secrets in mind.
fn filter(text: &str) -> Result<EnvFilter, Rule> {
    let (levels, modules): (Vec<_>, Vec<_>) =
        text.split(',').map(str::trim).partition(|item| level(item).is_some());
    let mut filter = EnvFilter::default().add_directive(LevelFilter::OFF.into());
    for level in levels.into_iter().filter_map(level) {
        filter = filter
            .add_directive(level.min(LevelFilter::INFO).into())
            .add_directive(directive(&format!("{OWN_MODULES}={level}"))?);
    }
    for module in modules {
        // The crate takes a word for a module with everything: `log = "inof"` would log it all.
        if !module.contains(['=', '[']) {
            return Err(MUST_BE_LEVEL);
        }
        filter = filter.add_directive(directive(module)?);
    }
    Ok(filter)
}

fn level(text: &str) -> Option<LevelFilter> {
    let named = ["off", "error", "warn", "info", "debug", "trace"].contains(&text);
    text.parse().ok().filter(|_| named)
}

fn directive(text: &str) -> Result<Directive, Rule> {
    text.parse().ok().ok_or(MUST_BE_LEVEL)
}

/// Every crate of ours begins with it, and a directive is for all modules that begin with its name.
const OWN_MODULES: &str = "keystile";

const MUST_BE_LEVEL: Rule =
    Rule("must be off, error, warn, info, debug or trace, and after commas module=level");
