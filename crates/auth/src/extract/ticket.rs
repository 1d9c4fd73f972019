//! A ticket in the query string: not a credential of a provider, but what was made with one.

use keystile_domain::TICKET_PARAMETER;

use super::query::extract_parameter;
use super::{Ambiguity, Extraction, Extractor};
use crate::RequestView;

/// Finds a ticket in the query parameter `ticket`.
///
/// It reads as a [`QueryExtractor`](super::QueryExtractor) does. What it finds is worth something
/// to the server alone that issued it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tickets have one place")]
pub struct TicketExtractor;

impl Extractor for TicketExtractor {
    fn extract(&self, request: &impl RequestView, ambiguity: Ambiguity) -> Extraction {
        extract_parameter(request, TICKET_PARAMETER, ambiguity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeRequest;

    #[test]
    fn a_ticket_stands_in_its_parameter_alone() {
        let extract = |query: &str| {
            TicketExtractor.extract(&FakeRequest::new().query(query), Ambiguity::Refuse)
        };
        for query in ["ticket=ks_tk_a", "a=b&%74icket=ks%5Ftk_a"] {
            match extract(query) {
                Extraction::Found(text) => assert_eq!(text.expose(), "ks_tk_a", "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
        assert!(matches!(extract("Ticket=ks_tk_a&tickets=ks_tk_a"), Extraction::Absent));
        assert!(matches!(extract("ticket"), Extraction::Malformed(_)));
        assert!(matches!(extract("ticket=a&ticket=a"), Extraction::Ambiguous));
    }
}
