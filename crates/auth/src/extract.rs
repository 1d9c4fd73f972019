//! Finding the credential in a request: what one place says, and the places themselves.
//!
//! An extractor knows one place and answers for it alone; [`Chain`](crate::Chain) knows the
//! order, and that one request has one credential.

mod bearer;
mod chain;
mod header;
mod place;
mod query;
mod ticket;

use keystile_domain::{CredentialText, Secret, SecretError};

pub use bearer::BearerExtractor;
pub use chain::{Chain, Presented, Refusal};
pub use header::HeaderExtractor;
pub use place::Place;
pub use query::QueryExtractor;
pub use ticket::TicketExtractor;

use crate::RequestView;

/// Looks for a credential at one place of a request.
pub trait Extractor {
    /// Says what stands there.
    fn extract(&self, request: &impl RequestView, ambiguity: Ambiguity) -> Extraction;
}

/// What stands at one place. Only [`Absent`](Self::Absent) lets a chain go on to the next.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must have an answer to each")]
pub enum Extraction {
    /// Nothing that is meant as a credential of ours.
    Absent,
    /// More than one value.
    Ambiguous,
    /// A well-formed credential, not yet looked up.
    Found(CredentialText),
    /// Something that is meant as a credential and cannot be one.
    Malformed(Malformed),
}

/// What to do with a request that shows more than one credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one either picks or does not")]
pub enum Ambiguity {
    /// Refuse it: two parties that read the same request would see two callers (RFC 6750,
    /// section 2, forbids it).
    #[default]
    Refuse,
    /// Let the first one decide, malformed or not. For embedders whose clients cannot be changed.
    TakeFirst,
}

/// Why a value cannot be a credential. It never holds the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// It has characters that the place does not allow.
    #[error("has characters that no credential has")]
    Characters,
    /// The place is there, with nothing in it.
    #[error("is empty")]
    Empty,
    /// It is longer than any credential.
    #[error("is too long")]
    Length,
    /// A `%` is not followed by two hexadecimal digits.
    #[error("is not percent-encoded correctly")]
    PercentEncoding,
}

/// Reduces the values of one place to what stands there.
fn settle<'a, V: 'a + ?Sized>(
    mut values: impl Iterator<Item = &'a V>,
    ambiguity: Ambiguity,
    read: impl FnOnce(&V) -> Result<CredentialText, Malformed>,
) -> Extraction {
    let Some(first) = values.next() else { return Extraction::Absent };
    if ambiguity == Ambiguity::Refuse && values.next().is_some() {
        return Extraction::Ambiguous;
    }
    match read(first) {
        Ok(text) => Extraction::Found(text),
        Err(malformed) => Extraction::Malformed(malformed),
    }
}

/// Reads a secret that stands as it is.
fn read_plain(value: &[u8]) -> Result<CredentialText, Malformed> {
    if value.is_empty() {
        return Err(Malformed::Empty);
    }
    let text = str::from_utf8(value).or(Err(Malformed::Characters))?;
    Secret::parse(text).map(CredentialText::Secret).map_err(|error| match error {
        SecretError::Length => Malformed::Length,
        _ => Malformed::Characters,
    })
}
