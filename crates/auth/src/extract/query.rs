//! A credential in the query string, for clients that cannot set a header.

use keystile_domain::{CredentialText, QueryName};
use percent_encoding::percent_decode_str;

use super::{Ambiguity, Extraction, Extractor, Malformed, read_plain, settle};
use crate::RequestView;

/// Finds a credential that is the value of a query parameter.
///
/// Name and value are percent-decoded exactly once (RFC 3986, section 2.4). A `+` is malformed: a
/// form means a space by it, a URI means `+`, and a key must not depend on who reads it. A
/// parameter without a value is malformed, not absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryExtractor {
    name: QueryName,
}

impl QueryExtractor {
    /// Looks into the parameter `name`, whose case matters.
    #[must_use]
    pub fn new(name: QueryName) -> Self {
        Self { name }
    }

    /// The parameter that it looks into.
    #[must_use]
    pub fn name(&self) -> &QueryName {
        &self.name
    }
}

impl Extractor for QueryExtractor {
    fn extract(&self, request: &impl RequestView, ambiguity: Ambiguity) -> Extraction {
        extract_parameter(request, self.name.as_str(), ambiguity)
    }
}

/// What stands in the parameter `name`.
pub(super) fn extract_parameter(
    request: &impl RequestView,
    name: &str,
    ambiguity: Ambiguity,
) -> Extraction {
    let values = pairs(request.query()).filter(|pair| pair.is_named(name)).map(|pair| pair.value);
    settle(values, ambiguity, read_encoded)
}

/// One parameter, still encoded.
pub(super) struct Pair<'q> {
    pub(super) whole: &'q str,
    name: &'q str,
    value: &'q str,
}

/// The parameters of a query, in order.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = Pair<'_>> {
    query.split('&').map(|whole| {
        let (name, value) = whole.split_once('=').unwrap_or((whole, ""));
        Pair { whole, name, value }
    })
}

impl Pair<'_> {
    /// Whether its name, decoded, is this one.
    pub(super) fn is_named(&self, name: &str) -> bool {
        percent_decode_str(self.name).eq(name.bytes())
    }
}

fn read_encoded(value: &str) -> Result<CredentialText, Malformed> {
    if value.len() > MAX_ENCODED_BYTES {
        return Err(Malformed::Length);
    }
    if value.contains('+') {
        return Err(Malformed::Characters);
    }
    if !is_percent_encoded(value) {
        return Err(Malformed::PercentEncoding);
    }
    read_plain(&percent_decode_str(value).collect::<Vec<u8>>())
}

/// Whether every `%` begins an escape; the decoder would let the others stand.
fn is_percent_encoded(value: &str) -> bool {
    value
        .as_bytes()
        .split(|byte| *byte == b'%')
        .skip(1)
        .all(|after| matches!(after, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

/// The longest secret, 512 bytes, with every byte escaped.
const MAX_ENCODED_BYTES: usize = 3 * 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeRequest;

    fn extract(query: &str) -> Extraction {
        let request = FakeRequest::new().query(query);
        QueryExtractor::new(QueryName::default()).extract(&request, Ambiguity::Refuse)
    }

    #[test]
    fn a_key_is_found_among_other_parameters_and_decoded_once() {
        for (query, expected) in [
            ("apiKey=ks_key", "ks_key"),
            ("a=1&apiKey=ks_key&b", "ks_key"),
            ("&&apiKey=ks_key", "ks_key"),
            ("api%4Bey=ks_key", "ks_key"),
            ("apiKey=ks%5Fkey", "ks_key"),
            ("apiKey=ks%255Fkey", "ks%5Fkey"),
            ("apiKey=a%2Bb", "a+b"),
            ("apiKey=a=b==", "a=b=="),
        ] {
            match extract(query) {
                Extraction::Found(secret) => assert_eq!(secret.expose(), expected, "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }

    #[test]
    fn another_parameter_is_no_credential() {
        for query in
            ["", "apikey=a", "APIKEY=a", "xapiKey=a", "apiKey2=a", "a=apiKey", "api%254Bey=a"]
        {
            assert!(matches!(extract(query), Extraction::Absent), "{query}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_a_key_is_malformed() {
        let long = format!("apiKey={}", "a".repeat(513));
        let long_escaped = format!("apiKey={}", "%61".repeat(513));
        for (query, why) in [
            ("apiKey", Malformed::Empty),
            ("apiKey=", Malformed::Empty),
            ("apiKey=&a=b", Malformed::Empty),
            ("apiKey=a+b", Malformed::Characters),
            ("apiKey=a%20b", Malformed::Characters),
            ("apiKey=a%00", Malformed::Characters),
            ("apiKey=a%0D%0Ab", Malformed::Characters),
            ("apiKey=%C3%A4", Malformed::Characters),
            ("apiKey=%FF", Malformed::Characters),
            ("apiKey=ä", Malformed::Characters),
            ("apiKey=%", Malformed::PercentEncoding),
            ("apiKey=a%5", Malformed::PercentEncoding),
            ("apiKey=%5G", Malformed::PercentEncoding),
            ("apiKey=%%35", Malformed::PercentEncoding),
            (&long, Malformed::Length),
            (&long_escaped, Malformed::Length),
        ] {
            match extract(query) {
                Extraction::Malformed(malformed) => assert_eq!(malformed, why, "{query}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_longest_key_is_found_however_it_is_written() {
        for value in ["a".repeat(512), "%61".repeat(512)] {
            assert!(matches!(extract(&format!("apiKey={value}")), Extraction::Found(_)));
        }
    }

    #[test]
    fn a_repeated_parameter_is_ambiguous_however_its_name_is_written() {
        for query in
            ["apiKey=a&apiKey=a", "apiKey=a&api%4Bey=b", "apiKey=a&apiKey", "apiKey&apiKey"]
        {
            assert!(matches!(extract(query), Extraction::Ambiguous), "{query}");
        }
    }
}
