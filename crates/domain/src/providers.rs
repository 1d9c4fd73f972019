//! Providers: the configured ways to authenticate.

mod claims;
mod keys;
mod oidc;
mod password;

use crate::credential::words;
use crate::{Identifier, Name, ProviderId, Timestamp, Version};

pub use claims::{ClaimName, ClaimPattern, ClaimPatternError};
pub use keys::{HeaderName, KeySettings, QueryName};
pub use oidc::{Authority, AuthorityError, JwtAlgorithm, OidcSettings, TrustRule};
pub use password::{HashCost, HashCostError, Lockout, PasswordSettings};

/// One configured way to authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct Provider {
    /// Its name for programs.
    pub id: ProviderId,
    /// Its name in requests; never changes.
    pub identifier: Identifier,
    /// Its name for people.
    pub name: Name,
    /// Which kind of credential it is for.
    pub kind: ProviderKind,
    /// Its place on the sign-in page, and among the providers of one issuer.
    pub priority: i32,
    /// Switched off, it refuses all its credentials at once.
    pub enabled: bool,
    /// Whether it is used where a create names none.
    pub is_default: bool,
    /// Whether its credentials may travel over plain HTTP.
    pub allow_insecure_http: bool,
    /// What only its kind has.
    pub settings: ProviderSettings,
    /// How often it was changed.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

words!(
    /// The kinds of provider.
    #[non_exhaustive]
    ProviderKind {
        /// For API keys.
        ApiKey = "api_key",
        /// For bearer tokens of an OpenID provider.
        Oidc = "oidc",
        /// For names with passwords.
        Password = "password",
        /// For personal access tokens.
        PersonalAccessToken = "personal_access_token",
    }
);

/// What only one kind of provider has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderSettings {
    /// For API keys and personal access tokens.
    Keys(KeySettings),
    /// For bearer tokens of an OpenID provider.
    Oidc(Box<OidcSettings>),
    /// For names with passwords.
    Password(PasswordSettings),
}
