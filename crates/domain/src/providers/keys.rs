//! What providers of API keys and of personal access tokens have.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::{IdError, Lifetime, SecretFormat, TICKET_PARAMETER};

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
pub struct HeaderName(Arc<str>);

/// The name of a query parameter that may carry a key: letters, digits, `-`, `.`, `_` and `~`
/// (RFC 3986, section 2.3).
///
/// It may be one of our own all the same, see [`is_taken`](Self::is_taken): a name that was free
/// once can still be read when it is so no more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryName(Arc<str>);

impl HeaderName {
    /// The name in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for HeaderName {
    fn default() -> Self {
        Self("x-api-key".into())
    }
}

impl FromStr for HeaderName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let name = text.to_ascii_lowercase();
        if (1..=64).contains(&name.len()) && name.bytes().all(token) && !is_taken(&name) {
            Ok(Self(name.into()))
        } else {
            Err(IdError)
        }
    }
}

impl QueryName {
    /// The parameters of our own API, which carry no keys.
    pub const TAKEN: &[&str] = &[
        "action",
        "actor",
        "after",
        "by",
        "created_before",
        "credential",
        "cursor",
        "dry_run",
        "enabled",
        "expired",
        "expires",
        "expires_before",
        "expiring_days",
        "external_id",
        "identities",
        "is_service_account",
        "kind",
        "limit",
        "name",
        "older_than_days",
        "page",
        "provider",
        "reason",
        "request_id",
        "role_id",
        "since",
        "sort",
        "target_id",
        "target_kind",
        "tokens",
        "unseen_import",
        "until",
        "unused_days",
        "unused_since",
        "used",
        "username",
        "wait",
    ];

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a parameter of our own API has the name, or that of tickets: a key in it could not be
    /// told from what belongs there.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        *self.0 == *TICKET_PARAMETER || Self::TAKEN.contains(&self.as_str())
    }
}

impl Default for QueryName {
    fn default() -> Self {
        Self("apiKey".into())
    }
}

impl FromStr for QueryName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.into()))
        } else {
            Err(IdError)
        }
    }
}

/// Servers that speak CGI read `_` as `-`.
fn is_taken(header: &str) -> bool {
    let header = header.replace('_', "-");
    TAKEN.contains(&header.as_str())
        || TAKEN_FAMILIES.iter().any(|family| header.starts_with(family))
}

/// Headers that mean something else already.
const TAKEN: [&str; 45] = [
    "accept",
    "authorization",
    "baggage",
    "cache-control",
    "cf-connecting-ip",
    "client-ip",
    "connection",
    "cookie",
    "date",
    "dpop",
    "early-data",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "idempotency-key",
    "keep-alive",
    "last-event-id",
    "max-forwards",
    "origin",
    "pragma",
    "prefer",
    "priority",
    "range",
    "referer",
    "set-cookie",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "user-agent",
    "via",
    "www-authenticate",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-real-ip",
    "x-request-id",
    "x-rewrite-url",
];

/// Beginnings of headers that mean something else already.
const TAKEN_FAMILIES: [&str; 10] = [
    "accept-",
    "access-control-",
    "content-",
    "if-",
    "proxy-",
    "sec-",
    "x-envoy-",
    "x-forwarded-",
    "x-keystile-",
    "x-original-",
];

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
            "Cache-Control",
            "connection",
            "Content-Length",
            "Content-MD5",
            "Cookie",
            "forwarded",
            "HOST",
            "Proxy-Authorization",
            "proxy-connection",
            "TE",
            "Transfer-Encoding",
            "Upgrade",
            "X-Forwarded-For",
            "True-Client-IP",
            "X-Client-IP",
            "x_forwarded_for",
            "X-HTTP-Method",
            "X-Original-URI",
            "X-Request-Id",
            "x_request-id",
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
    fn a_query_parameter_that_means_something_else_carries_no_key() {
        let is_taken = |name: &str| name.parse::<QueryName>().unwrap().is_taken();
        assert!(["ticket", "dry_run", "limit"].into_iter().all(is_taken));
        assert!(!["apiKey", "Ticket", "tickets", "limits"].into_iter().any(is_taken));
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
