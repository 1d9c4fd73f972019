//! A credential in `Authorization: Bearer` (RFC 6750, section 2.1).

use keystile_domain::{CredentialText, Jwt};

use super::{Ambiguity, Extraction, Extractor, Malformed, read_plain, settle};
use crate::RequestView;
use crate::token::is_token_byte;

/// Finds a credential with the scheme `Bearer`, in any case.
///
/// Other schemes are no credential of ours, but a value with no scheme at all is malformed, and a
/// repeated `Authorization` is ambiguous whatever its schemes. Between scheme and token stands one
/// space or more (RFC 9110, section 11.4, is wider here than RFC 6750), never a tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there is one Authorization header")]
pub struct BearerExtractor;

impl Extractor for BearerExtractor {
    fn extract(&self, request: &impl RequestView, ambiguity: Ambiguity) -> Extraction {
        let is_repeated = request.headers(AUTHORIZATION).nth(1).is_some();
        if is_repeated && ambiguity == Ambiguity::Refuse {
            return Extraction::Ambiguous;
        }
        settle(request.headers(AUTHORIZATION).filter_map(after_scheme), ambiguity, read_token)
    }
}

/// What follows the scheme, if the scheme is `Bearer` or missing.
fn after_scheme(value: &[u8]) -> Option<&[u8]> {
    let end = value.iter().position(|byte| !is_token_byte(*byte)).unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    (scheme.is_empty() || scheme.eq_ignore_ascii_case(b"bearer")).then_some(rest)
}

fn read_token(rest: &[u8]) -> Result<CredentialText, Malformed> {
    if rest.len() > MAX_BEARER_BYTES {
        return Err(Malformed::Length);
    }
    let rest = str::from_utf8(rest).or(Err(Malformed::Characters))?;
    let token = rest.trim_start_matches(' ');
    if token.is_empty() {
        return Err(Malformed::Empty);
    }
    if token.len() == rest.len() || !is_b64token(token) {
        return Err(Malformed::Characters);
    }
    match Jwt::parse(token) {
        Ok(jwt) => Ok(CredentialText::Jwt(jwt)),
        Err(_) if Jwt::is_shaped(token) => Err(Malformed::Length),
        Err(_) => read_plain(token.as_bytes()),
    }
}

/// RFC 6750, section 2.1.
fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    // With no branch for each character: a JWT has a thousand of them.
    let is_allowed = |byte: u8| {
        let is_mark = |mark: &u8| byte == *mark;
        byte.is_ascii_alphanumeric() | b"-._~+/".iter().fold(false, |any, mark| any | is_mark(mark))
    };
    !body.is_empty() && body.bytes().fold(true, |all, byte| all & is_allowed(byte))
}

const AUTHORIZATION: &str = "authorization";

/// Room for the longest JWT, and for some spaces before it.
const MAX_BEARER_BYTES: usize = Jwt::MAX_BYTES + 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeRequest;

    fn extract(value: impl AsRef<[u8]>) -> Extraction {
        let request = FakeRequest::new().header("Authorization", value);
        BearerExtractor.extract(&request, Ambiguity::Refuse)
    }

    #[test]
    fn a_token_is_found_behind_any_case_of_the_scheme_and_any_number_of_spaces() {
        for value in ["Bearer ks_key", "bearer ks_key", "BEARER ks_key", "Bearer   ks_key"] {
            match extract(value) {
                Extraction::Found(secret) => assert_eq!(secret.expose(), "ks_key", "{value}"),
                other => panic!("{value}: {other:?}"),
            }
        }
    }

    #[test]
    fn every_character_of_a_b64token_is_accepted() {
        assert!(matches!(extract("Bearer azAZ09-._~+/=="), Extraction::Found(_)));
    }

    #[test]
    fn another_scheme_is_no_credential_of_ours() {
        for value in ["Basic dTpw", "Bearerks_key", "Bearer2 x", "DPoP a.b.c", "ks_key", "Basic ä"]
        {
            assert!(matches!(extract(value), Extraction::Absent), "{value}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_a_token_is_malformed() {
        for (value, why) in [
            (b"".as_slice(), Malformed::Empty),
            (b"Bearer", Malformed::Empty),
            (b"Bearer  ", Malformed::Empty),
            (b" Bearer ks_key", Malformed::Characters),
            (b"Bearer\tks_key", Malformed::Characters),
            (b"Bearer \tks_key", Malformed::Characters),
            (b"Bearer ks_key\t", Malformed::Characters),
            (b"Bearer ks_key ", Malformed::Characters),
            (b"Bearer a b", Malformed::Characters),
            (b"Bearer a, Bearer b", Malformed::Characters),
            (b"Bearer a,b", Malformed::Characters),
            (b"Bearer,a", Malformed::Characters),
            (b"Bearer \"a\"", Malformed::Characters),
            (b"Bearer =", Malformed::Characters),
            (b"Bearer a=b", Malformed::Characters),
            (b"Bearer ks_\xff", Malformed::Characters),
            (b"Bearer\xff ks_key", Malformed::Characters),
            ("Bearer ks_ä".as_bytes(), Malformed::Characters),
        ] {
            match extract(value) {
                Extraction::Malformed(malformed) => assert_eq!(malformed, why, "{value:?}"),
                other => panic!("{value:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_opaque_token_is_bounded_like_a_key_and_a_jwt_more_widely() {
        let is_found = |token: String| match extract(format!("Bearer {token}")) {
            Extraction::Found(_) => Ok(()),
            Extraction::Malformed(why) => Err(why),
            other => panic!("{other:?}"),
        };
        assert_eq!(is_found("a".repeat(512)), Ok(()));
        assert_eq!(is_found("a".repeat(513)), Err(Malformed::Length));
        assert_eq!(is_found(format!("a.b.{}", "c".repeat(8000))), Ok(()));
        assert_eq!(is_found(format!("a.b.{}", "c".repeat(8200))), Err(Malformed::Length));
    }

    #[test]
    fn three_base64url_parts_are_a_jwt_and_nothing_else_is() {
        let is_jwt = |value: &str| match extract(value) {
            Extraction::Found(text) => matches!(text, CredentialText::Jwt(_)),
            other => panic!("{value}: {other:?}"),
        };
        assert!(is_jwt("Bearer eyJh.eyJz.c2ln-_"));
        for value in ["Bearer a.b", "Bearer a.b.c.d", "Bearer a..c", "Bearer a.b+.c", "Bearer a.b."]
        {
            assert!(!is_jwt(value), "{value}");
        }
    }

    #[test]
    fn a_repeated_header_is_ambiguous_whatever_the_schemes() {
        for (first, second) in [("Bearer a", "Bearer a"), ("Basic a", "Bearer b"), ("Basic a", "")]
        {
            let request =
                FakeRequest::new().header("Authorization", first).header("authorization", second);
            let extraction = BearerExtractor.extract(&request, Ambiguity::Refuse);
            assert!(matches!(extraction, Extraction::Ambiguous), "{first} {second}");
        }
    }

    #[test]
    fn an_embedder_that_takes_the_first_takes_the_first_of_ours() {
        let request = FakeRequest::new()
            .header("Authorization", "Basic a")
            .header("Authorization", "Bearer b")
            .header("Authorization", "Bearer c");
        match BearerExtractor.extract(&request, Ambiguity::TakeFirst) {
            Extraction::Found(secret) => assert_eq!(secret.expose(), "b"),
            other => panic!("{other:?}"),
        }
    }
}
