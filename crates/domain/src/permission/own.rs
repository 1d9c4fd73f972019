//! The permissions that Keystile asks for itself: here and nowhere else, so that a check in the
//! code cannot misspell one.

use super::Permission;

/// A permission of Keystile's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Power {
    /// See API keys and their use.
    ApiKeysRead,
    /// Create, change, rotate and delete API keys, up to the ceiling.
    ApiKeysWrite,
    /// Read and check the audit log.
    AuditRead,
    /// See the nodes and verifiers, and how far each has followed the feed.
    ClusterRead,
    /// Ask about credentials of others, and follow the change feed.
    KeysVerify,
    /// Read the metrics on the main listener.
    MetricsRead,
    /// See providers.
    ProvidersRead,
    /// Create, change and delete providers.
    ProvidersWrite,
    /// Hand out roles that are no power over Keystile.
    RolesAssign,
    /// See roles.
    RolesRead,
    /// Create, change and delete roles.
    RolesWrite,
    /// Manage the tokens of service accounts.
    ServiceAccountsTokens,
    /// See the tokens of service accounts.
    TokensRead,
    /// See users.
    UsersRead,
    /// Create, change and delete users.
    UsersWrite,
}

impl Power {
    /// Every one of them, in the order of their names.
    pub const ALL: [Self; 15] = [
        Self::ApiKeysRead,
        Self::ApiKeysWrite,
        Self::AuditRead,
        Self::ClusterRead,
        Self::KeysVerify,
        Self::MetricsRead,
        Self::ProvidersRead,
        Self::ProvidersWrite,
        Self::RolesAssign,
        Self::RolesRead,
        Self::RolesWrite,
        Self::ServiceAccountsTokens,
        Self::TokensRead,
        Self::UsersRead,
        Self::UsersWrite,
    ];

    /// The name, as roles spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKeysRead => "keystile.api_keys.read",
            Self::ApiKeysWrite => "keystile.api_keys.write",
            Self::AuditRead => "keystile.audit.read",
            Self::ClusterRead => "keystile.cluster.read",
            Self::KeysVerify => "keystile.keys.verify",
            Self::MetricsRead => "keystile.metrics.read",
            Self::ProvidersRead => "keystile.providers.read",
            Self::ProvidersWrite => "keystile.providers.write",
            Self::RolesAssign => "keystile.roles.assign",
            Self::RolesRead => "keystile.roles.read",
            Self::RolesWrite => "keystile.roles.write",
            Self::ServiceAccountsTokens => "keystile.service_accounts.tokens",
            Self::TokensRead => "keystile.tokens.read",
            Self::UsersRead => "keystile.users.read",
            Self::UsersWrite => "keystile.users.write",
        }
    }

    /// The permission to ask for.
    #[must_use]
    pub fn permission(self) -> Permission {
        Permission(self.as_str().into())
    }
}

impl Permission {
    /// The pattern `keystile.<rest>`, for the roles that are built in; nothing checks its grammar.
    pub(crate) fn own_pattern(rest: &'static str) -> Self {
        Self::own(rest)
    }
}

impl From<Power> for Permission {
    fn from(power: Power) -> Self {
        power.permission()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_power_is_a_permission_over_keystile() {
        for power in Power::ALL {
            assert_eq!(power.as_str().parse(), Ok(power.permission()));
            assert!(power.permission().is_keystile());
        }
    }

    #[test]
    fn every_power_has_a_name_of_its_own() {
        let names = Power::ALL.map(Power::as_str);
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }
}
