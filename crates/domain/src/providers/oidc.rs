//! What providers of an OpenID provider's bearer tokens have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde_json::{Map, Value};
use url::{Host, Url};

use super::{ClaimName, ClaimPattern};
use crate::credential::words;
use crate::{ExternalId, RoleId};

/// Whose tokens are accepted, and what they are worth here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct OidcSettings {
    /// Who issues the tokens.
    pub authority: Authority,
    /// What `aud` must contain.
    pub audience: ExternalId,
    /// What `scope` (or `scp`) must contain.
    pub required_scope: Option<ExternalId>,
    /// What the authority calls Keystile's own sign-in page. Where it is set, the `azp` of a token
    /// that has one must be it; `None`: tokens of every client are accepted.
    pub client_id: Option<ExternalId>,
    /// The secret that goes with it, sealed under the master key.
    pub client_secret: Option<Vec<u8>>,
    /// The algorithms that a token may be signed with.
    pub algorithms: BTreeSet<JwtAlgorithm>,
    /// Whether only tokens that call themselves access tokens (`at+jwt`, RFC 9068) are accepted.
    pub require_typ: bool,
    /// The claim that names the user.
    pub username_claim: ClaimName,
    /// The claim that names roles.
    pub role_claim: Option<ClaimName>,
    /// Which roles each value of that claim stands for.
    pub role_mapping: BTreeMap<String, BTreeSet<RoleId>>,
    /// Whether a user is made for a subject that was never seen.
    pub create_users: bool,
    /// What tokens of machines may be traded for. With any, no token of this provider is a user's.
    pub trust_rules: Vec<TrustRule>,
}

/// What a machine's token may be traded for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct TrustRule {
    /// What the token must say; every one of these, and at least one.
    pub claims: BTreeMap<ClaimName, ClaimPattern>,
    /// The roles that it is worth.
    pub roles: BTreeSet<RoleId>,
    /// How long the access token lives at most: 1 to 15 minutes.
    pub max_minutes: u32,
}

/// An issuer: an `https` URL without user, query and fragment; `http` for this machine alone.
///
/// Kept as it was written, because `iss` is compared to the letter (OpenID Connect Core, section
/// 3.1.3.7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority(String);

/// The text is no authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an https URL (http only for this machine) of at most 400 characters, without user, \
     query and fragment"
)]
#[expect(clippy::exhaustive_structs, reason = "it says one thing, by its name")]
pub struct AuthorityError;

words!(
    /// The algorithms that a JWT may be signed with: asymmetric ones alone (RFC 7518, section 3.1;
    /// RFC 8037, section 3.1).
    #[non_exhaustive]
    JwtAlgorithm {
        /// Ed25519.
        EdDsa = "EdDSA",
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// ECDSA on P-384 with SHA-384.
        Es384 = "ES384",
        /// RSASSA-PSS with SHA-256.
        Ps256 = "PS256",
        /// RSASSA-PSS with SHA-384.
        Ps384 = "PS384",
        /// RSASSA-PSS with SHA-512.
        Ps512 = "PS512",
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        Rs256 = "RS256",
        /// RSASSA-PKCS1-v1_5 with SHA-384.
        Rs384 = "RS384",
        /// RSASSA-PKCS1-v1_5 with SHA-512.
        Rs512 = "RS512",
    }
);

impl OidcSettings {
    /// The roles that the claims of a token stand for.
    #[must_use]
    pub fn roles(&self, claims: &Map<String, Value>) -> BTreeSet<RoleId> {
        let value = self.role_claim.as_ref().and_then(|name| name.find(claims));
        let names: Vec<&str> = match value {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        names.iter().filter_map(|name| self.role_mapping.get(*name)).flatten().copied().collect()
    }

    /// The first rule whose every claim the token meets.
    #[must_use]
    pub fn trust(&self, claims: &Map<String, Value>) -> Option<&TrustRule> {
        self.trust_rules.iter().find(|rule| {
            !rule.claims.is_empty()
                && rule.claims.iter().all(|(name, pattern)| pattern.is_met(name, claims))
        })
    }

    /// Every role that these settings can give to somebody.
    pub fn given_roles(&self) -> impl Iterator<Item = RoleId> {
        let mapped = self.role_mapping.values().flatten();
        mapped.chain(self.trust_rules.iter().flat_map(|rule| &rule.roles)).copied()
    }
}

impl Authority {
    /// The text, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a program on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_loopback(&url))
    }
}

impl FromStr for Authority {
    type Err = AuthorityError;

    fn from_str(text: &str) -> Result<Self, AuthorityError> {
        if text.len() > 400 || text.contains(['?', '#', '\\']) {
            return Err(AuthorityError);
        }
        // `Url` forgives white space; an issuer has none.
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        let url = Url::parse(text).ok().filter(|_| plain).ok_or(AuthorityError)?;
        let travels_safely = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
        let is_bare = url.username().is_empty() && url.password().is_none();
        if travels_safely && is_bare && url.has_host() {
            Ok(Self(text.to_owned()))
        } else {
            Err(AuthorityError)
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_https_or_on_this_machine_and_stays_as_it_was_written() {
        for text in [
            "https://idp.example",
            "https://idp.example/",
            "https://idp.example:8443/realms/Main",
            "http://127.0.0.1:5556/dex",
            "http://localhost:5556",
            "http://[::1]:5556",
        ] {
            assert_eq!(text.parse::<Authority>().unwrap().as_str(), text);
        }
        for text in [
            "",
            "idp.example",
            "http://idp.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "https://user@idp.example",
            "https://idp.example?x",
            "https://idp.example#x",
            " https://idp.example",
            "https://idp.example\n",
            "https:\\\\idp.example",
            "ftp://idp.example",
            "file:///etc/passwd",
            "https://",
            &format!("https://idp.example/{}", "x".repeat(400)),
        ] {
            assert_eq!(text.parse::<Authority>(), Err(AuthorityError), "{text:?}");
        }
    }

    #[test]
    fn no_algorithm_has_a_shared_secret_or_none() {
        for text in ["none", "None", "", "HS256", "HS384", "HS512", "eddsa", "es256"] {
            assert!(text.parse::<JwtAlgorithm>().is_err(), "{text}");
        }
    }
}
