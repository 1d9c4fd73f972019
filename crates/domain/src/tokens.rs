//! Personal access tokens: credentials that act as their owner, a user or a service account.

use crate::{
    Description, Expiry, Name, NamePattern, PermissionSet, Principal, ProviderId, Timestamp,
    TokenId, UserId, Version,
};

/// A credential that acts as its owner, never with more than the owner has at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct Token {
    /// Its name for programs.
    pub id: TokenId,
    /// Whom it acts as; never changes.
    pub owner: UserId,
    /// Its name for people; several tokens may share one.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// The provider whose rules it follows; never changes.
    pub provider: ProviderId,
    /// The beginning of its present secret, for people to recognise it.
    pub key_prefix: String,
    /// What it is narrowed to; `None`: everything that its owner may.
    pub scopes: Option<PermissionSet>,
    /// When it ends.
    pub expiry: Expiry,
    /// Who made it.
    pub created_by: Option<Principal>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// How often it was changed.
    pub version: Version,
}

/// Which tokens a list shows; what is `None` is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a question names what it asks")]
pub struct TokenFilter {
    /// Those of this user.
    pub owner: Option<UserId>,
    /// Those whose name matches.
    pub name: Option<NamePattern>,
    /// Those that have ended at the moment of the question, or have not.
    pub expired: Option<bool>,
    /// Those that were not let in from this moment on. One that never was counts from when it was
    /// made.
    pub unused_since: Option<Timestamp>,
}

/// What a list of tokens can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSort {
    /// By the time they were made.
    CreatedAt,
    /// By the time they end; those without an end come last.
    ExpiresAt,
    /// By name, without case.
    Name,
}
