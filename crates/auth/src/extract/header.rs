//! A credential in a header of its own, such as `X-API-Key`.

use keystile_domain::HeaderName;

use super::{Ambiguity, Extraction, Extractor, read_plain, settle};
use crate::RequestView;

/// Finds a credential that is the whole value of a header.
///
/// An empty value is malformed, not absent. So is one with white space in it: that is how
/// intermediaries join repeated lines (`a, b`; RFC 9110, section 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderExtractor {
    name: HeaderName,
}

impl HeaderExtractor {
    /// Looks into the header `name`.
    #[must_use]
    pub fn new(name: HeaderName) -> Self {
        Self { name }
    }

    /// The header that it looks into.
    #[must_use]
    pub fn name(&self) -> &HeaderName {
        &self.name
    }
}

impl Extractor for HeaderExtractor {
    fn extract(&self, request: &impl RequestView, ambiguity: Ambiguity) -> Extraction {
        settle(request.headers(self.name.as_str()), ambiguity, read_plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Malformed;
    use crate::testing::FakeRequest;

    fn extract(request: &FakeRequest) -> Extraction {
        HeaderExtractor::new(HeaderName::default()).extract(request, Ambiguity::Refuse)
    }

    #[test]
    fn a_key_is_found_whatever_the_case_of_the_header() {
        for name in ["X-API-Key", "x-api-key", "X-Api-KEY"] {
            match extract(&FakeRequest::new().header(name, "ks_key")) {
                Extraction::Found(secret) => assert_eq!(secret.expose(), "ks_key"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_underscore_is_no_hyphen() {
        let request = FakeRequest::new().header("X_API_Key", "ks_key");
        assert!(matches!(extract(&request), Extraction::Absent));
    }

    #[test]
    fn a_value_that_cannot_be_a_key_is_malformed() {
        for (value, why) in [
            (b"".as_slice(), Malformed::Empty),
            (b" ", Malformed::Characters),
            (b" ks_key", Malformed::Characters),
            (b"ks_key\t", Malformed::Characters),
            (b"ks_a, ks_b", Malformed::Characters),
            (b"ks_\x00", Malformed::Characters),
            (b"ks_\x7f", Malformed::Characters),
            (b"ks_\xff", Malformed::Characters),
            ("ks_ä".as_bytes(), Malformed::Characters),
            (&[b'a'; 513], Malformed::Length),
        ] {
            match extract(&FakeRequest::new().header("x-api-key", value)) {
                Extraction::Malformed(malformed) => assert_eq!(malformed, why, "{value:?}"),
                other => panic!("{value:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_longest_key_is_found() {
        let request = FakeRequest::new().header("x-api-key", [b'a'; 512]);
        assert!(matches!(extract(&request), Extraction::Found(_)));
    }

    #[test]
    fn a_repeated_header_is_ambiguous_even_with_one_value() {
        let request = FakeRequest::new().header("X-API-Key", "ks_a").header("x-api-key", "ks_a");
        assert!(matches!(extract(&request), Extraction::Ambiguous));
    }
}
