//! Sessions: what an access token stands on that was not made from a key or token.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::{Name, ProviderId, RoleId, SessionId, Timestamp, UserId};

/// Somebody who signed in, or a machine that traded a token of another issuer.
///
/// Its access tokens are worth nothing without it: whoever ends it ends them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct Session {
    /// Its name for programs.
    pub id: SessionId,
    /// Whose it is.
    pub holder: SessionHolder,
    /// The provider that they came by.
    pub provider: ProviderId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub ends_at: Timestamp,
    /// Where it began.
    pub address: Option<IpAddr>,
}

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a session is somebody's")]
pub enum SessionHolder {
    /// A person's.
    User(UserId),
    /// A machine's, known to its own issuer alone.
    Workload {
        /// What its issuer calls it.
        name: Name,
        /// What its token was worth.
        roles: BTreeSet<RoleId>,
    },
}
