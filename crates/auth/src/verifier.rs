//! From a presented secret to a decision: the one way in which an embedder and the server check.

use std::sync::Arc;

use arc_swap::ArcSwap;
use keystile_domain::{
    Answer, Context, Credential, CredentialStore, Decision, Formats, Found, Malformed, Secret,
    Subject, Tombstone, decide,
};

use crate::recall::{Recall, Recalled, Remember, Told, Unread};
use crate::trust::{Deciding, Trust};
use crate::{Clock, TokenError};

/// Checks credentials against a store, at the time of a clock.
///
/// Without a [`Trust`] every check asks the store, so a revocation that the store knows of is in
/// force at once. With one, [`remembering`](Self::remembering), what the store said is believed for
/// as long as the trust allows. What is remembered are facts, never a decision: every check judges
/// them anew, so what ends at a moment ends at that moment.
#[derive(Debug)]
pub struct Verifier<S: CredentialStore, C> {
    store: Arc<S>,
    clock: C,
    formats: ArcSwap<Formats>,
    trust: Arc<Trust>,
    memory: Recall<Found, Arc<S::Error>>,
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
    /// The store's answer is older than a change that is known of: as good as none.
    #[error("the store is behind")]
    Outdated,
    /// The store could not answer: an outage, which says nothing about the credential. Whoever
    /// asked at the same moment shares the cause.
    #[error("the credential could not be looked up")]
    Store(#[source] Arc<E>),
    /// It is a JWT that nobody vouches for.
    #[error("the token is not believed: {0}")]
    Untrusted(TokenError),
}

impl<S: CredentialStore + 'static, C: Clock> Verifier<S, C> {
    /// A verifier for secrets of these formats: those in use, and those that live keys still have.
    #[must_use]
    pub fn new(store: S, clock: C, formats: Formats) -> Self {
        Self {
            store: Arc::new(store),
            clock,
            formats: ArcSwap::from_pointee(formats),
            trust: Arc::default(),
            memory: Recall::new(0),
        }
    }

    /// Remembers what the store says in about so many bytes, as far as `trust` goes. Whoever
    /// follows the feed keeps the trust up; without that, nothing is believed.
    #[must_use]
    pub fn remembering(self, trust: Arc<Trust>, bytes: usize) -> Self {
        Self { trust, memory: Recall::new(bytes), ..self }
    }

    /// Begins a decision. It is to be held until the decision is made: a change that is known to
    /// be in force everywhere waits for those that had begun before it.
    pub fn begin(&self) -> Deciding<'_> {
        self.trust.begin(self.clock.elapsed())
    }

    /// How its memory does.
    pub fn recalled(&self) -> Recalled {
        self.memory.recalled()
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
        let deciding = self.begin();
        let credential = self.identify(&deciding, secret).await?;
        Ok(decide(&credential, context, self.clock.now()))
    }

    /// Finds the credential that a secret belongs to, in whatever state, and judges nothing.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] if there is none, or none any more, or the store could not say.
    pub async fn identify(
        &self,
        deciding: &Deciding<'_>,
        secret: &Secret,
    ) -> Result<Arc<Credential>, Rejection<S::Error>> {
        self.formats.load().recognise(secret).map_err(Rejection::Malformed)?;
        let ask = || {
            let (store, secret) = (Arc::clone(&self.store), secret.clone());
            async move {
                let Answer { found, holds_at } = store.find(&secret).await.map_err(Arc::new)?;
                Ok(Told { value: found, holds_at })
            }
        };
        match self.memory.find(&self.trust, deciding, &secret.fingerprint(), ask).await {
            Ok(Some(Found::Credential(credential))) => Ok(credential),
            Ok(Some(Found::Tombstone(tombstone))) => Err(Rejection::Deleted(tombstone)),
            Ok(None) => Err(Rejection::NotFound),
            Err(Unread::Behind) => Err(Rejection::Outdated),
            Err(Unread::Failed(error)) => Err(Rejection::Store(error)),
        }
    }
}

impl Remember for Found {
    fn subjects(&self) -> Vec<Subject> {
        self.depends_on().iter().map(|name| Subject::named(name)).collect()
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Credential(credential) => credential.bytes(),
            Self::Tombstone(tombstone) => size_of_val(&**tombstone) + tombstone.key_prefix.len(),
        }
    }
}

#[cfg(test)]
mod tests;
