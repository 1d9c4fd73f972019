//! What stands at the bottom of an error of the HTTP client: the one sentence that helps.

use std::error::Error as StdError;
use std::io;

/// Whether TLS is what failed.
pub(super) fn is_tls(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| cause.is::<rustls::Error>())
}

/// Whether what was answered to a handshake is no TLS at all: other bytes, or none.
pub(super) fn is_no_tls(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| {
        let ended = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
        matches!(cause.downcast_ref(), Some(rustls::Error::InvalidMessage(_)))
            || cause.downcast_ref().is_some_and(ended)
    })
}

/// The first cause of all.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    chain(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Everything that an error was caused by, itself first.
fn chain(error: &Cause) -> impl Iterator<Item = &Cause> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        // What an I/O error was made from is no source of it, but stands in its place.
        Some(error) => error.get_ref().map(|inner| -> &Cause { inner }),
        None => error.source(),
    })
}

type Cause = dyn StdError + 'static;
