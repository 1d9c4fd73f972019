//! Why a use case was not carried out.

use std::fmt;

use keystile_domain::{CeilingBreach, Permission};
use keystile_storage::StoreError;

/// Why a use case was not carried out. Nothing was changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// Members of the request break rules.
    #[error("the request breaks a rule")]
    Broken(Vec<Broken>),
    /// The change is beyond what the caller may hand out or touch.
    #[error(transparent)]
    Ceiling(#[from] CeilingBreach),
    /// It does not fit the present state.
    #[error("{0}")]
    Conflict(Conflict),
    /// No new secret could be drawn.
    #[error("no new secret could be drawn")]
    Draw(#[source] keystile_domain::DrawError<getrandom::Error>),
    /// The operating system gave no random numbers.
    #[error("no random numbers")]
    Entropy(#[source] getrandom::Error),
    /// The idempotency key was used with another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The caller lacks a permission.
    #[error("the caller lacks {0}")]
    Lacking(Permission),
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The old secret of a rotated key tried to rotate it, or to lengthen its own life.
    #[error("the old secret of a rotated key neither rotates it nor lengthens its own life")]
    OldSecret,
    /// The thing has another version than the caller expects.
    #[error("changed meanwhile")]
    Outdated,
    /// The store could not carry it out.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task that carried it out ended without an answer. Whether it was done is unknown.
    #[error("the change ended without an answer")]
    Vanished(#[source] tokio::task::JoinError),
    /// An answer could not be put into the form in which it is given or kept.
    #[error("an answer could not be rendered")]
    Render(#[from] serde_json::Error),
    /// An answer could not be sealed.
    #[error("an answer could not be sealed: {0}")]
    Seal(chacha20poly1305::Error),
    /// The caller's credential is no longer valid.
    #[error("the caller's credential is no longer valid")]
    Unauthenticated,
}

/// A member of a request that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which member: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// Which rule.
    pub detail: String,
}

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// The role came with Keystile.
    BuiltIn,
    /// Nobody would be left who may do everything.
    LastAdministrator,
    /// Another role has the name.
    NameTaken,
    /// The key has no old secret that still works.
    NoRotation,
    /// The answer was kept for another secret of the caller.
    ReplayUnreadable,
    /// Things still name the role.
    RoleInUse(keystile_domain::RoleUse),
}

impl ServiceError {
    /// One member breaks one rule.
    pub fn broken(pointer: impl Into<String>, rule: impl fmt::Display) -> Self {
        Self::Broken(vec![Broken { pointer: pointer.into(), detail: rule.to_string() }])
    }
}

impl From<Conflict> for ServiceError {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<getrandom::Error> for ServiceError {
    fn from(error: getrandom::Error) -> Self {
        Self::Entropy(error)
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("The role is built in and cannot be changed."),
            Self::LastAdministrator => f.write_str(
                "This is the last key that may do everything; without it nobody could manage Keystile.",
            ),
            Self::NameTaken => f.write_str("Another role has this name."),
            Self::NoRotation => f.write_str("The key has no old secret that still works."),
            Self::ReplayUnreadable => f.write_str(
                "The answer to this idempotency key was given to another secret of this credential.",
            ),
            Self::RoleInUse(uses) => write!(
                f,
                "The role is in use: API keys that hold it: {}, users that hold it: {}, roles that may grant it: {}.",
                uses.api_keys, uses.users, uses.roles,
            ),
        }
    }
}
