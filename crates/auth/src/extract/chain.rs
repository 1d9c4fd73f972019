//! The order of the places, and the rule that one request has one credential.

use keystile_domain::{Carrier, CredentialText, HeaderName, TICKET_PARAMETER};

use super::query::{Pair, pairs};
use super::{Ambiguity, Extraction, Extractor, Malformed, Place};
use crate::RequestView;

/// The places where a credential is looked for, in order.
///
/// A malformed credential ends the search like a good one: it never falls through to the next
/// place. Two credentials in one request are ambiguous even if they are equal, and even if one of
/// them is malformed.
///
/// The default has the places of Keystile's own defaults: `X-API-Key`, then `Authorization:
/// Bearer`.
#[derive(Clone, Debug)]
pub struct Chain {
    places: Vec<Place>,
    ambiguity: Ambiguity,
}

/// A well-formed credential that a request shows, not yet looked up.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct Presented {
    /// What the holder has.
    pub text: CredentialText,
    /// Where it stood.
    pub place: Place,
}

/// Why a request is refused before any look-up. It never holds a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "a caller must have an answer to each")]
pub enum Refusal {
    /// More than one credential: a bad request (RFC 6750, section 3.1: `invalid_request`).
    #[error("the request has more than one credential")]
    Ambiguous,
    /// A text that cannot be a credential: no valid credential (`invalid_token`).
    #[error("the credential {0}")]
    Malformed(Malformed),
}

impl Chain {
    /// A chain of these places, in the order given. Providers may share a place: named twice, it
    /// is looked at once.
    #[must_use]
    pub fn new(places: impl IntoIterator<Item = Place>) -> Self {
        let mut chain = Self { places: Vec::new(), ambiguity: Ambiguity::default() };
        for place in places {
            if !chain.places.contains(&place) {
                chain.places.push(place);
            }
        }
        chain
    }

    /// The places, in order.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The same chain with another answer to two credentials in one request.
    #[must_use]
    pub fn with_ambiguity(self, ambiguity: Ambiguity) -> Self {
        Self { ambiguity, ..self }
    }

    /// Finds the one credential of a request; `None` if it shows none.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] if what it shows cannot be understood as one credential.
    pub fn extract(&self, request: &impl RequestView) -> Result<Option<Presented>, Refusal> {
        let mut shown =
            self.places.iter().filter_map(|place| match place.extract(request, self.ambiguity) {
                Extraction::Absent => None,
                Extraction::Ambiguous => Some(Err(Refusal::Ambiguous)),
                Extraction::Found(text) => Some(Ok(Presented { text, place: place.clone() })),
                Extraction::Malformed(malformed) => Some(Err(Refusal::Malformed(malformed))),
            });
        let first = shown.next().transpose();
        if self.ambiguity == Ambiguity::Refuse && shown.next().is_some() {
            return Err(Refusal::Ambiguous);
        }
        first
    }

    /// The query without every parameter in which a credential may stand, the tickets too. What is
    /// left stays as it was written.
    ///
    /// For every text that a query goes into: a log, a trace, an error, the request to whoever
    /// serves the client.
    #[must_use]
    pub fn without_credentials(&self, query: &str) -> String {
        let is_kept = |pair: &Pair<'_>| {
            let queries = self.places.iter().filter(|place| place.carrier() == Carrier::Query);
            let mut names = queries.map(Place::name).chain([TICKET_PARAMETER]);
            !names.any(|name| pair.is_named(name))
        };
        pairs(query).filter(is_kept).map(|pair| pair.whole).collect::<Vec<_>>().join("&")
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new([HeaderName::default().into(), Place::BEARER])
    }
}

impl Presented {
    /// The kind of place where it stood.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        self.place.carrier()
    }
}

#[cfg(test)]
mod tests;
