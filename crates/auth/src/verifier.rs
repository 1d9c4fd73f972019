//! From a presented secret to a decision: the one way in which an embedder and the server check.

use std::sync::Arc;

use arc_swap::ArcSwap;
use keystile_domain::{
    Context, Credential, CredentialStore, Decision, Formats, Found, Malformed, Secret, Tombstone,
    decide,
};

use crate::{Clock, TokenError};

/// Checks credentials against a store, at the time of a clock.
///
/// Every check asks the store, so a revocation that the store knows of is in force at once.
#[derive(Debug)]
pub struct Verifier<S, C> {
    store: S,
    clock: C,
    formats: ArcSwap<Formats>,
}

/// Why no credential could be judged. It never holds the secret.
#[derive(Debug, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "a caller must have an answer to each")]
pub enum Rejection<E> {
    /// It belonged to a credential that was deleted.
    #[error("the credential was deleted")]
    Deleted(Arc<Tombstone>),
    /// It fits no format in use. The store was not asked.
    #[error("the credential is of no known format")]
    Malformed(#[source] Malformed),
    /// The store knows nothing of it.
    #[error("the credential is unknown")]
    NotFound,
    /// The store could not answer: an outage, which says nothing about the credential.
    #[error("the credential could not be looked up")]
    Store(#[source] E),
    /// It is a JWT that nobody vouches for.
    #[error("the token is not believed: {0}")]
    Untrusted(TokenError),
}

impl<S: CredentialStore, C: Clock> Verifier<S, C> {
    /// A verifier for secrets of these formats: those in use, and those that live keys still have.
    #[must_use]
    pub fn new(store: S, clock: C, formats: Formats) -> Self {
        Self { store, clock, formats: ArcSwap::from_pointee(formats) }
    }

    /// The formats of the secrets that it may be shown.
    pub fn formats(&self) -> Arc<Formats> {
        self.formats.load_full()
    }

    /// Knows other formats from now on.
    pub fn replace_formats(&self, formats: Formats) {
        self.formats.store(Arc::new(formats));
    }

    /// Identifies the secret and judges its credential.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] if there is no credential to judge. A rule's no is a [`Decision`].
    pub async fn check(
        &self,
        secret: &Secret,
        context: &Context<'_>,
    ) -> Result<Decision, Rejection<S::Error>> {
        let credential = self.identify(secret).await?;
        Ok(decide(&credential, context, self.clock.now()))
    }

    /// Finds the credential that a secret belongs to, in whatever state, and judges nothing.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] if there is none, or none any more, or the store could not say.
    pub async fn identify(&self, secret: &Secret) -> Result<Arc<Credential>, Rejection<S::Error>> {
        self.formats.load().recognise(secret.expose()).map_err(Rejection::Malformed)?;
        match self.store.find(secret).await.map_err(Rejection::Store)? {
            Some(Found::Credential(credential)) => Ok(credential),
            Some(Found::Tombstone(tombstone)) => Err(Rejection::Deleted(tombstone)),
            None => Err(Rejection::NotFound),
        }
    }
}

#[cfg(test)]
mod tests;
