//! Users: the people and programs that sign in or own tokens.

use std::collections::BTreeSet;

use crate::{Name, RoleId, Timestamp, UserId, Version};

/// Somebody who signs in with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct User {
    /// Its name for programs.
    pub id: UserId,
    /// The name that they sign in with; no two users share one, whatever the case.
    pub username: Name,
    /// Whether they may do anything.
    pub enabled: bool,
    /// Whether this is a program, which can never sign in.
    pub is_service_account: bool,
    /// The roles that they hold.
    pub roles: BTreeSet<RoleId>,
    /// How often it was changed.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}
