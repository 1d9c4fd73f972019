//! What may be reached through a gateway: the endpoint rules of a role.
//!
//! A module of its own because rules about paths share nothing with permissions but the stars,
//! and those mean something else here: `**` may also stand for nothing.

mod path;

use std::collections::BTreeSet;

use self::path::PathPattern;
pub use self::path::RequestPath;

/// One rule of a role: these methods, on the paths of this pattern.
///
/// In a path `*` stands for one segment that is not empty, and `**` at the end for any rest, the
/// empty one too: `/billing/**` opens `/billing`, `/billing/` and all below. A slash at the end
/// counts: `/billing` does not open `/billing/`. Case counts as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRule {
    methods: Methods,
    path: PathPattern,
}

impl EndpointRule {
    /// Reads the two parts of a rule.
    ///
    /// `methods` is `["*"]` alone for any, or 1 to 32 methods (RFC 9110 section 9.1) in upper
    /// case; `GET` includes `HEAD`. `path` has at most 512 bytes and is written as it stands in a
    /// request: percent-encoded, without query.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] says what neither part can mean.
    pub fn new(methods: &[String], path: &str) -> Result<Self, EndpointError> {
        Ok(Self { methods: Methods::new(methods)?, path: PathPattern::parse(path)? })
    }

    /// The rule that opens every endpoint.
    #[must_use]
    pub fn everything() -> Self {
        Self { methods: Methods::Any, path: PathPattern::everything() }
    }

    /// Whether this rule opens the endpoint.
    #[must_use]
    pub fn allows(&self, asked: &Endpoint) -> bool {
        self.methods.include(&asked.method) && self.path.matches(&asked.path)
    }

    /// The methods, sorted, or `["*"]`.
    #[must_use]
    pub fn methods(&self) -> Vec<String> {
        match &self.methods {
            Methods::Any => vec![ANY_METHOD.to_owned()],
            Methods::Of(methods) => methods.iter().cloned().collect(),
        }
    }

    /// The path pattern as it was given.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// What a rule has to name so that it opens an endpoint that this one opens: `GET` for a `HEAD`
    /// that `GET` includes, `*` for a method that no rule can name.
    pub(crate) fn method_for<'a>(&self, asked: &'a Endpoint) -> &'a str {
        match &self.methods {
            Methods::Any if !is_rule_method(&asked.method) => ANY_METHOD,
            Methods::Of(methods) if !methods.contains(&asked.method) => "GET",
            _ => &asked.method,
        }
    }

    /// Whether the rule names the method, or names any.
    pub(crate) fn names(&self, method: &str) -> bool {
        match &self.methods {
            Methods::Any => true,
            Methods::Of(methods) => methods.contains(method),
        }
    }
}

/// The endpoint that a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    method: String,
    path: RequestPath,
}

impl Endpoint {
    /// Reads the method and the target of a request; see [`RequestPath::parse`].
    ///
    /// Methods are case-sensitive (RFC 9110 section 9.1): `get` is not `GET`, and only a rule for
    /// any method allows it.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] says why this is an endpoint that no rule can open.
    pub fn new(method: &str, target: &str) -> Result<Self, EndpointError> {
        if !is_token(method) {
            return Err(EndpointError::Method);
        }
        Ok(Self { method: method.to_owned(), path: RequestPath::parse(target)? })
    }

    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    pub(crate) fn path(&self) -> &RequestPath {
        &self.path
    }
}

/// Why a rule or an endpoint cannot be read.
///
/// For an endpoint this is a refusal: a path that an upstream might read in another way than
/// Keystile is allowed by no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// A character that no path has, or that upstreams disagree about even when it is encoded.
    #[error(
        "a path is visible ASCII, without `\\`, `;`, an encoded `/`, `?` or `#`, or control characters"
    )]
    Character,
    /// A segment `.` or `..`, encoded or not.
    #[error("a path has no `.` or `..` segments")]
    DotSegment,
    /// An escape that decodes to another escape.
    #[error("a path is percent-encoded once, not twice")]
    DoubleEncoding,
    /// A `//`.
    #[error("a path has no empty segments but the last")]
    EmptySegment,
    /// A `%` without two hexadecimal digits, or octets that are not UTF-8.
    #[error("the percent-encoding of a path stands for UTF-8")]
    Encoding,
    /// A fragment, which no request sends.
    #[error("a path has no fragment")]
    Fragment,
    /// A method that is none, or, in a rule, not in upper case.
    #[error("a method is 1 to 32 characters of a token, in a rule in upper case, or `*` alone")]
    Method,
    /// No method at all, or more than 32.
    #[error("a rule has 1 to 32 methods")]
    MethodCount,
    /// A path that does not begin with `/`.
    #[error("a path begins with `/`")]
    NotAbsolute,
    /// A pattern of more than 512 bytes.
    #[error("the path of a rule has at most 512 bytes")]
    TooLong,
    /// A star within a segment, or `**` before the last.
    #[error(
        "in the path of a rule `*` is a whole segment, and `**` the last; write %2A for a star"
    )]
    Wildcard,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Methods {
    Any,
    Of(BTreeSet<String>),
}

impl Methods {
    fn new(methods: &[String]) -> Result<Self, EndpointError> {
        match methods {
            [any] if any == ANY_METHOD => Ok(Self::Any),
            _ if !(1..=MAX_METHODS).contains(&methods.len()) => Err(EndpointError::MethodCount),
            _ if methods.iter().all(|method| is_rule_method(method)) => {
                Ok(Self::Of(methods.iter().cloned().collect()))
            }
            _ => Err(EndpointError::Method),
        }
    }

    fn include(&self, asked: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Of(methods) => {
                methods.contains(asked) || (asked == "HEAD" && methods.contains("GET"))
            }
        }
    }
}

/// A `*` is a character of a token, but whoever writes `GE*` means a pattern; and a method in
/// lower case would be a rule that opens nothing.
pub(crate) fn is_rule_method(method: &str) -> bool {
    is_token(method) && !method.bytes().any(|b| b == b'*' || b.is_ascii_lowercase())
}

/// RFC 9110 section 5.6.2, bounded.
fn is_token(text: &str) -> bool {
    let is_tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..=MAX_METHOD_BYTES).contains(&text.len()) && text.bytes().all(is_tchar)
}

/// What a rule names in place of methods, to open a path for each.
pub(crate) const ANY_METHOD: &str = "*";

const MAX_METHODS: usize = 32;
const MAX_METHOD_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(methods: &[&str]) -> Result<EndpointRule, EndpointError> {
        EndpointRule::new(&methods.iter().map(ToString::to_string).collect::<Vec<_>>(), "/a")
    }

    fn allows(methods: &[&str], asked: &str) -> bool {
        rule(methods).unwrap().allows(&Endpoint::new(asked, "/a").unwrap())
    }

    #[test]
    fn get_includes_head_and_nothing_else() {
        assert!(allows(&["GET"], "GET"));
        assert!(allows(&["GET"], "HEAD"));
        assert!(!allows(&["GET"], "POST"));
        assert!(!allows(&["HEAD"], "GET"));
        assert!(!allows(&["POST"], "HEAD"));
    }

    #[test]
    fn a_star_is_every_method_and_case_counts() {
        for method in ["GET", "PURGE", "M-SEARCH", "get"] {
            assert!(allows(&["*"], method), "{method}");
        }
        assert!(!allows(&["GET", "POST"], "get"));
    }

    #[test]
    fn a_rule_is_both_method_and_path() {
        let rule = rule(&["GET"]).unwrap();
        assert!(!rule.allows(&Endpoint::new("GET", "/b").unwrap()));
        assert!(!rule.allows(&Endpoint::new("PUT", "/a").unwrap()));
    }

    #[test]
    fn the_rule_for_everything_is_what_it_looks_like() {
        let everything = EndpointRule::everything();
        let spelled = EndpointRule::new(&everything.methods(), everything.path());
        assert_eq!(spelled, Ok(everything));
    }

    #[test]
    fn the_parts_come_back_sorted_and_once() {
        let rule = rule(&["POST", "GET", "POST"]).unwrap();
        assert_eq!(rule.methods(), ["GET", "POST"]);
        assert_eq!(rule.path(), "/a");
    }

    #[test]
    fn methods_that_could_never_match_are_refused() {
        for method in ["", "get", "Get", "GET ", "GE*", "G,T", "É", "A\0", &"A".repeat(33)] {
            assert_eq!(rule(&[method]), Err(EndpointError::Method), "{method:?}");
        }
        assert_eq!(rule(&["GET", "*"]), Err(EndpointError::Method));
        assert_eq!(rule(&[]), Err(EndpointError::MethodCount));
        assert_eq!(rule(&["A"; 33]), Err(EndpointError::MethodCount));
    }

    #[test]
    fn an_asked_method_is_a_token() {
        for method in ["", "GET /", "GET\r\n", "GÉT"] {
            assert_eq!(Endpoint::new(method, "/a"), Err(EndpointError::Method), "{method:?}");
        }
    }
}
