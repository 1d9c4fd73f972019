//! What providers of API keys and of personal access tokens have.

use std::str::FromStr;
use std::time::Duration;

use crate::{IdError, Lifetime, SecretFormat};

/// How keys look, how long they live, and where they may stand in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct KeySettings {
    /// How new keys look.
    pub format: SecretFormat,
    /// `default_expiry_minutes`; `None`: for ever.
    pub default_expiry_minutes: Option<u32>,
    /// `max_expiry_minutes`; `None`: for ever.
    pub max_expiry_minutes: Option<u32>,
    /// The header that may carry a key.
    pub header_name: HeaderName,
    /// Whether `Authorization: Bearer` may carry one.
    pub accept_bearer: bool,
    /// Whether the query string may carry one.
    pub allow_query_string: bool,
    /// The query parameter that may carry one.
    pub query_parameter_name: QueryName,
    /// Whether administrators may make tokens for other people.
    pub admin_may_create: bool,
}

impl KeySettings {
    /// How long new keys live.
    #[must_use]
    pub fn lifetime(&self) -> Lifetime {
        let minutes = |minutes: u32| Duration::from_secs(60 * u64::from(minutes));
        Lifetime {
            default: self.default_expiry_minutes.map(minutes),
            max: self.max_expiry_minutes.map(minutes),
        }
    }
}

/// The name of a request header that may carry a key: a token of 1 to 64 characters (RFC 9110,
/// section 5.1) in lower case.
///
/// A header that HTTP, proxies or Keystile read in a way of their own is refused: a key in it would
/// be passed on, logged, or taken for something else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

/// The name of a query parameter: letters, digits, `-`, `.`, `_` and `~` (RFC 3986, section 2.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryName(String);

impl HeaderName {
    /// The name in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for HeaderName {
    fn default() -> Self {
        Self("x-api-key".to_owned())
    }
}

impl FromStr for HeaderName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let name = text.to_ascii_lowercase();
        if (1..=64).contains(&name.len()) && name.bytes().all(token) && !is_taken(&name) {
            Ok(Self(name))
        } else {
            Err(IdError)
        }
    }
}

impl QueryName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for QueryName {
    fn default() -> Self {
        Self("apiKey".to_owned())
    }
}

impl FromStr for QueryName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError)
        }
    }
}

fn is_taken(header: &str) -> bool {
    TAKEN.contains(&header) || TAKEN_FAMILIES.iter().any(|family| header.starts_with(family))
}

/// Headers that mean something else already.
const TAKEN: [&str; 25] = [
    "accept",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "idempotency-key",
    "keep-alive",
    "origin",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-http-method-override",
    "x-real-ip",
    "x-request-id",
];

/// Beginnings of headers that mean something else already.
const TAKEN_FAMILIES: [&str; 7] =
    ["accept-", "if-", "proxy-", "sec-", "x-forwarded-", "x-keystile-", "x-original-"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_header_is_a_token_without_case() {
        for (text, name) in [
            ("X-API-Key", "x-api-key"),
            ("apikey", "apikey"),
            ("X_Api.Key!", "x_api.key!"),
            ("x-authorization", "x-authorization"),
            ("hostname", "hostname"),
        ] {
            assert_eq!(text.parse::<HeaderName>().unwrap().as_str(), name);
        }
        let longest = "x".repeat(64);
        assert_eq!(longest.parse::<HeaderName>().unwrap().as_str(), longest);
        for text in ["", " ", "x api", "x:", "x\r\n", "x\0", "é", "\u{212a}ey", &"x".repeat(65)] {
            assert_eq!(text.parse::<HeaderName>(), Err(IdError), "{text:?}");
        }
    }

    #[test]
    fn a_header_that_means_something_else_carries_no_key() {
        for name in [
            "Authorization",
            "connection",
            "Content-Length",
            "Cookie",
            "forwarded",
            "HOST",
            "Proxy-Authorization",
            "proxy-connection",
            "TE",
            "Transfer-Encoding",
            "Upgrade",
            "X-Forwarded-For",
            "X-Original-URI",
            "X-Request-Id",
        ] {
            assert_eq!(name.parse::<HeaderName>(), Err(IdError), "{name}");
        }
    }

    #[test]
    fn the_name_of_a_query_parameter_keeps_its_case_and_needs_no_encoding() {
        for text in ["apiKey", "api_key", "k", "a-b.c~d", &"x".repeat(64)] {
            assert_eq!(text.parse::<QueryName>().unwrap().as_str(), text);
        }
        for text in ["", "a b", "a=b", "a&b", "a%20", "a+b", "a[]", "é", "a\0", &"x".repeat(65)] {
            assert_eq!(text.parse::<QueryName>(), Err(IdError), "{text:?}");
        }
    }

    #[test]
    fn the_default_names_are_names() {
        let (header, query) = (HeaderName::default(), QueryName::default());
        assert_eq!(header.as_str().parse(), Ok(header));
        assert_eq!(query.as_str().parse(), Ok(query));
    }

    #[test]
    fn minutes_of_the_settings_are_minutes_of_a_life() {
        let format = SecretFormat {
            prefix: "ks_".parse().unwrap(),
            encoding: Default::default(),
            key_length: Default::default(),
        };
        let settings = KeySettings {
            format,
            default_expiry_minutes: Some(90),
            max_expiry_minutes: Some(u32::MAX),
            header_name: HeaderName::default(),
            accept_bearer: true,
            allow_query_string: false,
            query_parameter_name: QueryName::default(),
            admin_may_create: false,
        };
        let lifetime = settings.lifetime();
        assert_eq!(lifetime.default, Some(Duration::from_secs(90 * 60)));
        assert_eq!(lifetime.max, Some(Duration::from_secs(257_698_037_700)));

        let for_ever =
            KeySettings { default_expiry_minutes: None, max_expiry_minutes: None, ..settings };
        assert_eq!(for_ever.lifetime(), Lifetime::default());
    }
}
