//! Why a use case was not carried out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keystile_domain::{CeilingBreach, Permission};
use keystile_storage::StoreError;

use crate::LookupError;
use crate::limits::Exceeded;
use crate::passwords::HashError;
use crate::sign_in::SignInRefusal;

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
    /// A limit of the credential that was shown says no.
    #[error("a limit is exceeded: {}", .0.limit.code())]
    Exceeded(Box<Exceeded>),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// What was sent over plain HTTP may not be.
    #[error("not over plain HTTP")]
    InsecureTransport,
    /// The idempotency key was used with another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// A credential could not be looked up. Whoever asked at the same moment shares the cause.
    #[error(transparent)]
    Lookup(#[from] Arc<LookupError>),
    /// What is known here is older than what has happened: ask again.
    #[error("what is known here is behind")]
    Behind,
    /// The caller lacks a permission.
    #[error("the caller lacks {0}")]
    Lacking(Permission),
    /// The caller is neither a user nor a service account, and so has nothing of its own.
    #[error("the caller is no account")]
    NoAccount,
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The provider does not let administrators make tokens for other people.
    #[error("the provider does not let administrators make tokens for other people")]
    NotForOthers,
    /// The old secret of a rotated key tried to rotate it, or to lengthen its own life.
    #[error("the old secret of a rotated key neither rotates it nor lengthens its own life")]
    OldSecret,
    /// The caller tried to change its own password without the present one.
    #[error("whoever changes their own password shows the present one, at /me/password")]
    OwnPassword,
    /// The thing has another version than the caller expects.
    #[error("changed meanwhile")]
    Outdated,
    /// The token would live longer than the credential that asks.
    #[error("the token lives longer than the credential that asks")]
    Outlives,
    /// A refresh token is good for nothing: for the log alone, why.
    #[error("the refresh token {0}")]
    RefreshToken(&'static str),
    /// It takes a session of somebody who signed in with a password.
    #[error("it takes a session of somebody who signed in with a password")]
    SessionRequired,
    /// Somebody may not sign in: for the log alone, why.
    #[error(transparent)]
    SignIn(#[from] SignInRefusal),
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
    /// There is no key to sign tokens with.
    #[error("there is no key to sign tokens with")]
    NoSigningKey,
    /// A token could not be signed.
    #[error("a token could not be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
    /// Somebody who came with a ticket tried to change something, or asked for another ticket.
    #[error("a ticket only reads here; show the credential itself")]
    TicketOnlyReads,
    /// A token would not fit into a header.
    #[error("a token with that many permissions would be too long; ask for fewer")]
    TokenTooLong,
    /// No more verifiers can follow this node, or none more with this credential.
    #[error("too many verifiers follow")]
    TooManyFollowers,
    /// Too many attempts have failed; the next one must wait.
    #[error("too many attempts have failed")]
    TooManyAttempts(Duration),
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
    /// The user owns tokens that still work.
    LiveTokens(Vec<keystile_domain::Token>),
    /// Another role has the name.
    NameTaken,
    /// The key or token has no old secret that still works.
    NoRotation,
    /// The owner of the token is switched off.
    OwnerDisabled,
    /// So many live credentials are of the provider.
    ProviderInUse(i64),
    /// The provider is the default of its kind.
    ProviderIsDefault,
    /// Credentials of the provider have ended and are still listed.
    ProviderListed,
    /// The provider is described by the server's own settings.
    ProviderManaged,
    /// The answer was kept for another secret of the caller.
    ReplayUnreadable,
    /// Things still name the role.
    RoleInUse(keystile_domain::RoleUse),
    /// The secret that a key is to have belongs to a key already, or belonged to one.
    SecretKnown,
    /// The token has ended.
    TokenEnded,
    /// Another user has a name that looks the same.
    UsernameTaken,
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

impl From<LookupError> for ServiceError {
    fn from(error: LookupError) -> Self {
        Self::Lookup(Arc::new(error))
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
                "This is the last key or person that may do everything; without it nobody could \
                 manage Keystile.",
            ),
            Self::LiveTokens(_) => f.write_str(
                "The user owns tokens that still work; `tokens=revoke` deletes them too.",
            ),
            Self::NameTaken => f.write_str("Another role has this name."),
            Self::NoRotation => f.write_str("There is no old secret that still works."),
            Self::OwnerDisabled => f.write_str("The owner of the token is switched off."),
            Self::ProviderInUse(live) => write!(
                f,
                "The provider is in use: keys, tokens and sessions of it that have not ended: {live}.",
            ),
            Self::ProviderIsDefault => f.write_str(
                "The provider is the default of its kind; make another one the default first.",
            ),
            Self::ProviderListed => f.write_str(
                "Keys or tokens of the provider have ended and are still listed; delete them first.",
            ),
            Self::ProviderManaged => f.write_str(
                "The provider is described by the settings KEYSTILE_SSO_… of the server: change those.",
            ),
            Self::ReplayUnreadable => f.write_str(
                "The answer to this idempotency key was given to another secret of this credential.",
            ),
            Self::RoleInUse(uses) => write!(
                f,
                "The role is in use: API keys that hold it: {}, users that hold it: {}, roles that may grant it: {}.",
                uses.api_keys, uses.users, uses.roles,
            ),
            Self::SecretKnown => {
                f.write_str("The secret belongs to a key already, or to one that was deleted.")
            }
            Self::TokenEnded => f.write_str("The token has ended; make a new one."),
            Self::UsernameTaken => {
                f.write_str("Another user has this name, or one that looks the same.")
            }
        }
    }
}
