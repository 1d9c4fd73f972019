//! The port between verifiers, which decide, and stores, which know.

use std::future::Future;
use std::sync::Arc;

use crate::{Credential, Secret, Seq, Tombstone};

/// Where a verifier looks a credential up.
///
/// An answer that says that nothing was found is a fact: the store was asked and does not know the
/// secret. Whenever the store could not be asked, it must say so with an error; an outage never
/// looks like an unknown secret.
pub trait CredentialStore: Send + Sync {
    /// Why the store could not answer.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Finds what belongs to a secret.
    fn find(&self, secret: &Secret) -> impl Future<Output = Result<Answer, Self::Error>> + Send;
}

/// What a store knows of a secret.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "every store builds it")]
pub struct Answer {
    /// What belongs to it, if anything does.
    pub found: Option<Found>,
    /// The place in the feed up to which every change is in the answer. `None`: the store read
    /// what was newest when it was asked.
    pub holds_at: Option<Seq>,
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

impl From<Option<Found>> for Answer {
    fn from(found: Option<Found>) -> Self {
        Self { found, holds_at: None }
    }
}

impl Found {
    /// The names of the things that what was found depends on: a change of one of them may change
    /// it.
    pub fn depends_on(&self) -> Vec<String> {
        match self {
            Self::Credential(credential) => credential.depends_on(),
            Self::Tombstone(tombstone) => vec![tombstone.id.to_string()],
        }
    }
}
