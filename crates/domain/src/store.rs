//! The port between verifiers, which decide, and stores, which know.

use std::future::Future;
use std::sync::Arc;

use crate::{Credential, Secret, Tombstone};

/// Where a verifier looks a credential up.
///
/// `Ok(None)` is a fact: the store was asked and does not know the secret. Whenever the store could
/// not be asked, it must say so with an error; an outage never looks like an unknown secret.
pub trait CredentialStore: Send + Sync {
    /// Why the store could not answer.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Finds what belongs to a secret.
    fn find(
        &self,
        secret: &Secret,
    ) -> impl Future<Output = Result<Option<Found>, Self::Error>> + Send;
}

/// What belongs to a secret.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller must have an answer to each")]
pub enum Found {
    /// A credential, in whatever state.
    Credential(Arc<Credential>),
    /// The remains of one.
    Tombstone(Arc<Tombstone>),
}
