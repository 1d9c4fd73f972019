//! The header of a token: what it may say before anything of the token is believed.

use keystile_domain::JwtAlgorithm;
use serde_json::{Map, Value};

use super::TokenError;
use super::json::parse_object;

/// A JOSE header (RFC 7515, section 4) that asks for nothing we refuse.
pub(super) struct Header {
    pub(super) algorithm: JwtAlgorithm,
    pub(super) key_id: Option<String>,
    /// Without `application/`.
    media_type: Option<String>,
}

impl Header {
    pub(super) fn parse(json: &[u8]) -> Result<Self, TokenError> {
        let members = parse_object(json).ok_or(TokenError::Header)?;
        for (name, refusal) in REFUSED {
            if members.contains_key(name) {
                return Err(refusal);
            }
        }
        Ok(Self {
            algorithm: read_algorithm(&members)?,
            key_id: read_key_id(&members)?,
            media_type: read_media_type(&members)?,
        })
    }

    /// Whether its `typ` is one of `types`, which are written without `application/`.
    ///
    /// Media types have no case (RFC 7515, section 4.1.9). A missing `typ` stands for `JWT`.
    pub(super) fn is_of(&self, types: &[&str]) -> bool {
        let media_type = self.media_type.as_deref().unwrap_or("JWT");
        types.iter().any(|expected| expected.eq_ignore_ascii_case(media_type))
    }
}

fn read_algorithm(members: &Map<String, Value>) -> Result<JwtAlgorithm, TokenError> {
    let name = members.get("alg").and_then(Value::as_str).ok_or(TokenError::Algorithm)?;
    name.parse().or(Err(TokenError::Algorithm))
}

fn read_key_id(members: &Map<String, Value>) -> Result<Option<String>, TokenError> {
    match members.get("kid") {
        None => Ok(None),
        Some(Value::String(id)) if is_key_id(id) => Ok(Some(id.clone())),
        Some(_) => Err(TokenError::KeyId),
    }
}

fn is_key_id(id: &str) -> bool {
    (1..=MAX_KEY_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

fn read_media_type(members: &Map<String, Value>) -> Result<Option<String>, TokenError> {
    let Some(value) = members.get("typ") else { return Ok(None) };
    let text = value.as_str().ok_or(TokenError::Type)?;
    Ok(Some(match text.split_once('/') {
        Some((kind, rest)) if kind.eq_ignore_ascii_case("application") => rest.to_owned(),
        _ => text.to_owned(),
    }))
}

/// Members whose mere presence is refused: each has let a token choose how it is verified.
const REFUSED: [(&str, TokenError); 7] = [
    ("b64", TokenError::Transformed),
    ("crit", TokenError::Critical),
    ("jku", TokenError::KeyInHeader),
    ("jwk", TokenError::KeyInHeader),
    ("x5c", TokenError::KeyInHeader),
    ("x5u", TokenError::KeyInHeader),
    ("zip", TokenError::Transformed),
];

const MAX_KEY_ID: usize = 128;

#[cfg(test)]
mod tests {
    use keystile_domain::JwtAlgorithm;
    use serde_json::json;

    use super::*;

    fn parse(header: &Value) -> Result<Header, TokenError> {
        Header::parse(header.to_string().as_bytes())
    }

    #[test]
    fn a_header_needs_an_algorithm_by_its_exact_name() {
        assert_eq!(parse(&json!({"alg": "ES256"})).unwrap().algorithm, JwtAlgorithm::Es256);
        for header in [
            json!({}),
            json!({"alg": null}),
            json!({"alg": 1}),
            json!({"alg": ["ES256"]}),
            json!({"alg": ""}),
            json!({"alg": "none"}),
            json!({"alg": "None"}),
            json!({"alg": "NONE"}),
            json!({"alg": "noNE"}),
            json!({"alg": "HS256"}),
            json!({"alg": "HS384"}),
            json!({"alg": "HS512"}),
            json!({"alg": "es256"}),
            json!({"alg": "ES256\0"}),
            json!({"alg": "dir"}),
            json!({"ALG": "ES256"}),
        ] {
            assert_eq!(parse(&header).err(), Some(TokenError::Algorithm), "{header}");
        }
    }

    #[test]
    fn a_header_that_chooses_how_it_is_verified_is_refused() {
        for (name, refusal) in REFUSED {
            for value in [json!(null), json!(true), json!("x"), json!(["exp"]), json!({})] {
                let header = json!({"alg": "ES256", name: value});
                assert_eq!(parse(&header).err(), Some(refusal), "{header}");
            }
        }
    }

    #[test]
    fn a_key_id_is_visible_ascii_within_bounds() {
        assert_eq!(parse(&json!({"alg": "ES256"})).unwrap().key_id, None);
        for id in ["a", "2026-11/eu#1", "../../etc/passwd", &"k".repeat(128)] {
            let header = parse(&json!({"alg": "ES256", "kid": id})).unwrap();
            assert_eq!(header.key_id.as_deref(), Some(id));
        }
        for id in [
            json!(""),
            json!(" "),
            json!("a b"),
            json!("a\0"),
            json!("é"),
            json!("k".repeat(129)),
            json!(1),
            json!(null),
            json!(["a"]),
            json!({}),
        ] {
            let header = json!({"alg": "ES256", "kid": id});
            assert_eq!(parse(&header).err(), Some(TokenError::KeyId), "{header}");
        }
    }

    #[test]
    fn a_type_has_no_case_and_may_be_a_whole_media_type() {
        let is_of = |typ: &str, types: &[&str]| {
            parse(&json!({"alg": "ES256", "typ": typ})).unwrap().is_of(types)
        };
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
            assert!(is_of(typ, &["JWT", "at+jwt"]), "{typ}");
            assert!(!is_of(typ, &["JWT"]), "{typ}");
            assert!(!is_of(typ, &[]), "{typ}");
        }
        for typ in ["", "logout+jwt", "at+jwt ", "text/at+jwt", "application/application/at+jwt"] {
            assert!(!is_of(typ, &["at+jwt"]), "{typ}");
        }
    }

    #[test]
    fn a_missing_type_stands_for_jwt() {
        let header = parse(&json!({"alg": "ES256"})).unwrap();
        assert!(header.is_of(&["JWT"]));
        assert!(!header.is_of(&["at+jwt"]));
    }

    #[test]
    fn a_type_that_is_no_string_is_refused() {
        for typ in [json!(null), json!(1), json!(["at+jwt"]), json!({}), json!(true)] {
            let header = json!({"alg": "ES256", "typ": typ});
            assert_eq!(parse(&header).err(), Some(TokenError::Type), "{header}");
        }
    }
}
