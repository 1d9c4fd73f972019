//! The places where a credential may stand, as one closed type: a chain without boxes.

use keystile_domain::{Carrier, HeaderName, QueryName, TICKET_PARAMETER};

use super::{
    Ambiguity, BearerExtractor, Extraction, Extractor, HeaderExtractor, QueryExtractor,
    TicketExtractor,
};
use crate::RequestView;

/// One place where a credential may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// `Authorization: Bearer`.
    Bearer(BearerExtractor),
    /// A header of its own.
    Header(HeaderExtractor),
    /// A query parameter.
    Query(QueryExtractor),
    /// The query parameter of tickets.
    Ticket(TicketExtractor),
}

impl Place {
    /// `Authorization: Bearer`.
    pub const BEARER: Self = Self::Bearer(BearerExtractor);

    /// The query parameter of tickets.
    pub const TICKET: Self = Self::Ticket(TicketExtractor);

    /// The kind of place, which is what a provider allows or not.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        match self {
            Self::Bearer(_) => Carrier::Bearer,
            Self::Header(_) => Carrier::Header,
            Self::Query(_) => Carrier::Query,
            Self::Ticket(_) => Carrier::Ticket,
        }
    }

    /// The name of the header, in lower case, or of the query parameter.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Bearer(_) => "authorization",
            Self::Header(header) => header.name().as_str(),
            Self::Query(query) => query.name().as_str(),
            Self::Ticket(_) => TICKET_PARAMETER,
        }
    }
}

impl From<HeaderName> for Place {
    fn from(name: HeaderName) -> Self {
        Self::Header(HeaderExtractor::new(name))
    }
}

impl From<QueryName> for Place {
    fn from(name: QueryName) -> Self {
        Self::Query(QueryExtractor::new(name))
    }
}

impl Extractor for Place {
    fn extract(&self, request: &impl RequestView, ambiguity: Ambiguity) -> Extraction {
        match self {
            Self::Bearer(bearer) => bearer.extract(request, ambiguity),
            Self::Header(header) => header.extract(request, ambiguity),
            Self::Query(query) => query.extract(request, ambiguity),
            Self::Ticket(ticket) => ticket.extract(request, ambiguity),
        }
    }
}
