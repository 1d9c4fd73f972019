//! Spans for traces, apart from the log: nobody sees them but a collector of traces, and where there
//! is none they cost a look at one flag.
//!
//! No span holds a credential, or anything that a client wrote.

/// The target of every span that is meant for traces.
pub const SPANS: &str = "keystile::spans";

/// A span for traces.
macro_rules! span {
    ($name:literal $($fields:tt)*) => {
        ::tracing::info_span!(target: $crate::spans::SPANS, $name $($fields)*)
    };
}

pub(crate) use span;
