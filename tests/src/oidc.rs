//! Identity providers that others wrote, so that the server is held to what they send and not to
//! what its authors take for a token.
//!
//! - [`OpenIdProvider`] is `oidc-provider`, certified and led by the test: any audience, scope and
//!   claims, new keys during the run, outages, and tokens that no honest provider would sign;
//! - [`Keycloak`] is what many companies run, as it is delivered.
//!
//! Ask [`Part::OpenId`](crate::Part::OpenId) or [`Part::Keycloak`](crate::Part::Keycloak) first.

mod browser;
mod dialogue;
mod keycloak;
mod provider;
mod unverified;

pub use keycloak::Keycloak;
pub use provider::{OpenIdProvider, SigningAlgorithm};
pub use unverified::Unverified;

/// Somebody who signs in, and what the provider says of them.
#[derive(Clone, Debug)]
pub struct User {
    subject: String,
    claims: serde_json::Map<String, serde_json::Value>,
}

impl User {
    /// A user with this `sub` and no other claims.
    pub fn new(subject: &str) -> Self {
        Self { subject: subject.to_owned(), claims: serde_json::Map::new() }
    }

    /// The same user with one more claim, instead of what it was before.
    pub fn claim(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }
}
