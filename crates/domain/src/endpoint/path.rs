//! Paths, asked and granted: one reader for both, because a rule means nothing unless a request
//! is read the same way.
//!
//! Gateways, frameworks and file systems disagree about dots, double slashes, parameters,
//! backslashes and what is decoded when. Where they can disagree, there is no path here, only an
//! error.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::EndpointError;

/// The path of a request, percent-decoded once.
///
/// An empty last segment is kept: `/a/` is not `/a`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath(
    /// The decoded segments joined by `/`, which no decoded segment contains.
    String,
);

impl RequestPath {
    /// Reads a request target in origin form (RFC 9112 section 3.2.1); the query is dropped.
    ///
    /// Every target that can be read in two ways is refused: with `#`, `//`, a dot segment, a
    /// backslash or a `;`, with an encoded `/`, `?` or `#`, with control characters, and with an
    /// encoding that is invalid, not UTF-8, or itself encoded.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] says which of these it is.
    pub fn parse(target: &str) -> Result<Self, EndpointError> {
        if target.contains('#') {
            return Err(EndpointError::Fragment);
        }
        let path = target.split_once('?').map_or(target, |(path, _query)| path);
        let segments = raw_segments(path)?.map(decode).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(segments.join("/")))
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

/// The path of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathPattern {
    /// What was given, for whoever reads the rule.
    text: String,
    fixed: Vec<Segment>,
    /// Whether any rest may follow.
    rest: bool,
}

impl PathPattern {
    pub(super) fn parse(text: &str) -> Result<Self, EndpointError> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(EndpointError::TooLong);
        }
        let (fixed, rest) = match text.strip_suffix(REST) {
            Some("") => return Ok(Self::everything()),
            Some(fixed) => (fixed, true),
            None => (text, false),
        };
        if rest && fixed.ends_with('/') {
            return Err(EndpointError::EmptySegment);
        }
        let fixed = raw_segments(fixed)?.map(Segment::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), fixed, rest })
    }

    pub(super) fn everything() -> Self {
        Self { text: REST.to_owned(), fixed: vec![], rest: true }
    }

    pub(super) fn matches(&self, asked: &RequestPath) -> bool {
        let mut asked = asked.segments();
        self.fixed.iter().all(|fixed| asked.next().is_some_and(|asked| fixed.matches(asked)))
            && (self.rest || asked.next().is_none())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Exactly(String),
    One,
}

impl Segment {
    fn parse(raw: &str) -> Result<Self, EndpointError> {
        match raw {
            "*" => Ok(Self::One),
            _ if raw.contains('*') => Err(EndpointError::Wildcard),
            _ => Ok(Self::Exactly(decode(raw)?.into_owned())),
        }
    }

    fn matches(&self, asked: &str) -> bool {
        match self {
            Self::Exactly(text) => text == asked,
            Self::One => !asked.is_empty(),
        }
    }
}

/// The segments of an absolute path, as they stand; only the last may be empty.
fn raw_segments(path: &str) -> Result<impl Iterator<Item = &str>, EndpointError> {
    let relative = path.strip_prefix('/').ok_or(EndpointError::NotAbsolute)?;
    if path.contains("//") {
        return Err(EndpointError::EmptySegment);
    }
    Ok(relative.split('/'))
}

fn decode(raw: &str) -> Result<Cow<'_, str>, EndpointError> {
    // Raw octets beyond ASCII are not allowed in a target, and are Latin-1 to some and UTF-8 to
    // others.
    if !raw.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(EndpointError::Character);
    }
    if !escapes(raw).all(|valid| valid) {
        return Err(EndpointError::Encoding);
    }
    let decoded = percent_decode_str(raw).decode_utf8().ok().ok_or(EndpointError::Encoding)?;
    if matches!(&*decoded, "." | "..") {
        return Err(EndpointError::DotSegment);
    }
    if decoded.contains(|c: char| c.is_control() || AMBIGUOUS.contains(&c)) {
        return Err(EndpointError::Character);
    }
    // An upstream that decodes once more would see another path than the one judged here.
    if escapes(&decoded).any(|valid| valid) {
        return Err(EndpointError::DoubleEncoding);
    }
    Ok(decoded)
}

/// For each `%` whether it begins a valid escape.
fn escapes(text: &str) -> impl Iterator<Item = bool> {
    text.split('%').skip(1).map(|after| {
        let digits = after.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.count() == 2
    })
}

const REST: &str = "/**";
const AMBIGUOUS: [char; 5] = ['/', '\\', ';', '?', '#'];
const MAX_PATTERN_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use EndpointError::*;
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, target: &str) -> bool {
        PathPattern::parse(pattern).unwrap().matches(&RequestPath::parse(target).unwrap())
    }

    #[test]
    fn patterns_open_what_they_say() {
        for (pattern, target, expected) in [
            ("/", "/", true),
            ("/", "/a", false),
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a", "/A", false),
            ("/a", "/ab", false),
            ("/a/", "/a/", true),
            ("/a/", "/a", false),
            ("/a/*", "/a/b", true),
            ("/a/*", "/a/b/", false),
            ("/a/*", "/a/b/c", false),
            ("/a/*", "/a/", false),
            ("/a/*", "/a", false),
            ("/*/b", "/a/b", true),
            ("/*", "/", false),
            ("/a/**", "/a", true),
            ("/a/**", "/a/", true),
            ("/a/**", "/a/b/c/", true),
            ("/a/**", "/ab", false),
            ("/a/*/**", "/a", false),
            ("/a/*/**", "/a/b", true),
            ("/**", "/", true),
            ("/**", "/a/b", true),
            ("/billing/v1/**", "/billing/v1/invoices?page=2&next=/../x", true),
        ] {
            assert_eq!(matches(pattern, target), expected, "{pattern} {target}");
        }
    }

    #[test]
    fn encoding_makes_no_difference_and_is_undone_once() {
        assert!(matches("/caf%C3%A9/a b".replace(' ', "%20").as_str(), "/caf%c3%a9/%61%20b"));
        assert!(matches("/a%2A", "/a*"), "an encoded star is a star, not a wildcard");
        assert!(!matches("/%2A", "/a"));
        assert!(matches("/50%25", "/50%25"));
    }

    #[test]
    fn what_upstreams_read_in_different_ways_is_no_path() {
        let cases = [
            (NotAbsolute, &["", "a", "*", "?/a", "http://h/a", "%2Fa", "\\a"][..]),
            (Fragment, &["/a#", "/#/b", "/a?b#c", "#"]),
            (EmptySegment, &["//", "//a", "/a//b", "/a//", "///"]),
            (DotSegment, &["/.", "/..", "/a/./b", "/a/../b", "/a/..", "/%2e", "/a/%2E%2e/b"]),
            (DotSegment, &["/.%2e/b", "/a/%2e./b", "/..?x"]),
            (Character, &["/a%2fb", "/a%2Fb", "/%2f", "/..%2fb", "/a%5cb", "/a%5C..", "/a\\b"]),
            (Character, &["/a;b", "/..;/b", "/a;v=1/b", "/a%3bb", "/a%3Fb", "/a%23b", "/%23"]),
            (Character, &["/a%00", "/a%00.json", "/%0d%0ax", "/%7f", "/%c2%80", "/%09", "/a\0"]),
            (Character, &["/a b", "/a\tb", "/é", "/a\u{2215}b"]),
            (Encoding, &["/%", "/a%", "/%4", "/%zz", "/%4g", "/%+1", "/%u002e", "/%%32e"]),
            (Encoding, &["/%ff", "/%c0%ae%c0%ae/b", "/%c0%af", "/%ed%a0%80", "/%e2%28%a1"]),
            (DoubleEncoding, &["/%252e%252e/a", "/%252f", "/%25%32%66", "/%25252f", "/a%2561"]),
        ];
        for (error, targets) in cases {
            for target in targets {
                assert_eq!(RequestPath::parse(target), Err(error), "{target:?}");
            }
        }
    }

    #[test]
    fn patterns_that_would_not_mean_what_they_say_are_refused() {
        let longest = format!("/{}", "a".repeat(511));
        assert!(PathPattern::parse(&longest).is_ok());
        for (pattern, error) in [
            ("", NotAbsolute),
            ("**", NotAbsolute),
            ("a/**", NotAbsolute),
            ("/a*", Wildcard),
            ("/**/a", Wildcard),
            ("/a**", Wildcard),
            ("/***", Wildcard),
            ("/**/", Wildcard),
            ("/**/**", Wildcard),
            ("/a//**", EmptySegment),
            ("//**", EmptySegment),
            ("/a//b", EmptySegment),
            ("/a?b", Character),
            ("/a#b", Character),
            ("/../a", DotSegment),
            ("/a%2Fb", Character),
            ("/a%", Encoding),
            (&format!("{longest}a"), TooLong),
        ] {
            assert_eq!(PathPattern::parse(pattern), Err(error), "{pattern}");
        }
    }

    /// Decodes until nothing changes, and follows dots and slashes of both kinds: what the most
    /// eager upstream might do.
    fn read_eagerly(path: &str) -> String {
        let mut text = path.to_owned();
        loop {
            let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
            if decoded == text {
                break;
            }
            text = decoded;
        }
        let mut segments = Vec::new();
        for segment in text.split(['/', '\\']).map(|s| s.split([';', '?', '#']).next().unwrap()) {
            match segment {
                "" | "." => {}
                ".." => drop(segments.pop()),
                segment => segments.push(segment),
            }
        }
        segments.join("/")
    }

    proptest! {
        #[test]
        fn no_path_that_is_read_leads_an_upstream_out_of_its_rule(
            parts in prop::collection::vec(
                prop::sample::select(
                    &["/", "a", ".", "%2e", "%2f", "%25", "2e", "2f", "\\", ";", "%3f", "%"][..],
                ),
                0..10,
            ),
        ) {
            let target = format!("/open/{}", parts.concat());
            if let Ok(path) = RequestPath::parse(&target) {
                prop_assert!(PathPattern::parse("/open/**").unwrap().matches(&path));
                let eager = read_eagerly(&target);
                prop_assert!(eager == "open" || eager.starts_with("open/"), "{} {}", target, eager);
            }
        }

        #[test]
        fn whatever_is_read_is_matched_by_its_own_text_and_by_everything(
            target in "/[a-c%2./]{0,12}|.*",
        ) {
            if let Ok(path) = RequestPath::parse(&target) {
                prop_assert!(PathPattern::everything().matches(&path));
                let text = target.split('?').next().unwrap().replace('*', "%2A");
                prop_assert!(PathPattern::parse(&text).is_ok_and(|pattern| pattern.matches(&path)));
            }
        }
    }
}
