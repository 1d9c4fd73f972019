//! From a configured authority to the place of its keys (OpenID Connect Discovery 1.0).

use keystile_domain::Authority;
use serde::Deserialize;
use url::Url;

use crate::FetchError;

/// What a discovery document says that we act on (section 3).
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: Url,
}

/// Where the discovery document of an authority is (section 4): beneath its path, of which one
/// final slash is taken off.
pub(crate) fn document_url(authority: &Authority) -> Result<Url, FetchError> {
    let text = authority.as_str();
    let base = text.strip_suffix('/').unwrap_or(text);
    Url::parse(&format!("{base}{WELL_KNOWN}")).or(Err(FetchError::Forbidden))
}

/// Where the keys are, if the document is that of this very authority (section 4.3): one that
/// answers for another issuer is not believed in anything.
pub(crate) fn keys_url(authority: &Authority, json: &[u8]) -> Result<Url, FetchError> {
    let document: Document = serde_json::from_slice(json).map_err(FetchError::Discovery)?;
    if document.issuer == authority.as_str() {
        Ok(document.jwks_uri)
    } else {
        Err(FetchError::Issuer)
    }
}

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_beneath_the_path_of_the_authority() {
        for (authority, url) in [
            ("https://idp.example", "https://idp.example/.well-known/openid-configuration"),
            ("https://idp.example/", "https://idp.example/.well-known/openid-configuration"),
            ("https://idp.example/a/b", "https://idp.example/a/b/.well-known/openid-configuration"),
            ("https://idp.example/a/", "https://idp.example/a/.well-known/openid-configuration"),
        ] {
            let authority = authority.parse().unwrap();
            assert_eq!(document_url(&authority).unwrap().as_str(), url);
        }
    }

    #[test]
    fn a_document_is_believed_if_its_issuer_is_the_authority_to_the_last_character() {
        let authority: Authority = "https://idp.example/a".parse().unwrap();
        let read = |issuer: &str| {
            let json = format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://idp.example/keys"}}"#);
            keys_url(&authority, json.as_bytes())
        };
        assert_eq!(read("https://idp.example/a").unwrap().as_str(), "https://idp.example/keys");
        for issuer in [
            "https://idp.example/a/",
            "https://idp.example/A",
            "https://IDP.example/a",
            "https://idp.example",
            "https://idp.example:443/a",
            "http://idp.example/a",
            "",
        ] {
            assert!(matches!(read(issuer), Err(FetchError::Issuer)), "{issuer}");
        }
    }

    #[test]
    fn a_document_without_an_issuer_or_a_place_for_keys_is_none() {
        let authority: Authority = "https://idp.example".parse().unwrap();
        for json in [
            "",
            "{}",
            "[]",
            "<html>",
            r#"{"issuer":"https://idp.example"}"#,
            r#"{"jwks_uri":"https://idp.example/keys"}"#,
            r#"{"issuer":["https://idp.example"],"jwks_uri":"https://idp.example/keys"}"#,
            r#"{"issuer":"https://idp.example","jwks_uri":"/keys"}"#,
            r#"{"issuer":"https://idp.example","jwks_uri":null}"#,
            r#"{"issuer":"https://evil.example","issuer":"https://idp.example","jwks_uri":"https://idp.example/keys"}"#,
        ] {
            let outcome = keys_url(&authority, json.as_bytes());
            assert!(matches!(outcome, Err(FetchError::Discovery(_))), "{json}");
        }
    }
}
