//! Roles: named access profiles.

use std::collections::BTreeSet;

use crate::{
    Description, EndpointRule, Name, NamePattern, Permission, PermissionSet, Power, RoleId,
    Timestamp, Version,
};

/// A named access profile.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "storage and service build it field by field")]
pub struct Role {
    /// Its name for programs.
    pub id: RoleId,
    /// Its name for people; no two roles share one, whatever the case.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// What it allows.
    pub permissions: PermissionSet,
    /// Which endpoints it opens at a gateway; permissions open none.
    pub endpoints: Vec<EndpointRule>,
    /// The roles that its holders may hand out without `keystile.roles.assign`.
    pub may_grant: BTreeSet<RoleId>,
    /// Whether it came with Keystile and cannot be changed.
    pub built_in: bool,
    /// How often it was changed.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Which roles a list shows; what is `None` is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a question names what it asks")]
pub struct RoleFilter {
    /// Those whose name matches.
    pub name: Option<NamePattern>,
}

/// What a list of roles can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleSort {
    /// By the time they were made.
    CreatedAt,
    /// By id.
    Id,
    /// By name, without case.
    Name,
}

/// What stands in the way of deleting a role: how many things name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain count")]
pub struct RoleUse {
    /// Keys that hold it.
    pub api_keys: i64,
    /// Users that hold it.
    pub users: i64,
    /// Other roles that may grant it.
    pub roles: i64,
    /// Providers that give it to those who come by them.
    pub providers: i64,
}

/// The roles that every Keystile has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuiltInRole {
    /// May do everything.
    Administrator,
    /// Issues and ends keys and tokens, hands out business roles.
    KeyManager,
    /// Reads everything, changes nothing.
    Auditor,
    /// Asks whether keys are valid.
    Verifier,
}

impl BuiltInRole {
    /// All of them, in the order of their ids.
    pub const ALL: [Self; 4] =
        [Self::Administrator, Self::KeyManager, Self::Auditor, Self::Verifier];

    /// The id that it has everywhere.
    #[must_use]
    pub fn id(self) -> RoleId {
        RoleId(match self {
            Self::Administrator => 1,
            Self::KeyManager => 2,
            Self::Auditor => 3,
            Self::Verifier => 4,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::KeyManager => "key-manager",
            Self::Auditor => "auditor",
            Self::Verifier => "verifier",
        }
    }

    /// What it is for.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Administrator => "May do everything.",
            Self::KeyManager => "Issues, changes and ends keys for any business role.",
            Self::Auditor => "Reads everything, changes nothing.",
            Self::Verifier => "Asks whether credentials are valid.",
        }
    }

    /// What it allows.
    #[must_use]
    pub fn permissions(self) -> PermissionSet {
        match self {
            Self::Administrator => PermissionSet::from_iter([Permission::everything()]),
            Self::KeyManager => PermissionSet::from_iter([
                Permission::own_pattern("api_keys.*"),
                Power::ServiceAccountsTokens.permission(),
                Power::TokensRead.permission(),
                Power::UsersRead.permission(),
                Power::RolesRead.permission(),
                Power::RolesAssign.permission(),
                Power::ProvidersRead.permission(),
                Power::KeysVerify.permission(),
            ]),
            Self::Auditor => PermissionSet::from_iter([Permission::own_pattern("*.read")]),
            Self::Verifier => PermissionSet::from_iter([Power::KeysVerify.permission()]),
        }
    }

    /// Which endpoints it opens: the administrator every one, the others none.
    #[must_use]
    pub fn endpoints(self) -> Vec<EndpointRule> {
        match self {
            Self::Administrator => vec![EndpointRule::everything()],
            Self::KeyManager | Self::Auditor | Self::Verifier => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_roles_are_exactly_as_published() {
        let published: [(BuiltInRole, i64, &str, &[&str]); 4] = [
            (BuiltInRole::Administrator, 1, "administrator", &["**"]),
            (
                BuiltInRole::KeyManager,
                2,
                "key-manager",
                &[
                    "keystile.api_keys.*",
                    "keystile.keys.verify",
                    "keystile.providers.read",
                    "keystile.roles.assign",
                    "keystile.roles.read",
                    "keystile.service_accounts.tokens",
                    "keystile.tokens.read",
                    "keystile.users.read",
                ],
            ),
            (BuiltInRole::Auditor, 3, "auditor", &["keystile.*.read"]),
            (BuiltInRole::Verifier, 4, "verifier", &["keystile.keys.verify"]),
        ];
        assert_eq!(published.map(|(role, ..)| role), BuiltInRole::ALL);
        for (role, id, name, permissions) in published {
            let held = role.permissions();
            assert_eq!((role.id(), role.name()), (RoleId(id), name));
            assert_eq!(held.iter().map(Permission::as_str).collect::<Vec<_>>(), permissions);
        }
    }

    #[test]
    fn what_built_in_roles_hold_is_within_the_grammar() {
        for role in BuiltInRole::ALL {
            for permission in role.permissions() {
                assert_eq!(permission.as_str().parse(), Ok(permission));
            }
            assert!(role.name().parse::<Name>().is_ok(), "{role:?}");
            assert!(role.description().parse::<Description>().is_ok(), "{role:?}");
        }
    }

    #[test]
    fn the_administrator_alone_opens_endpoints_and_every_one() {
        assert_eq!(BuiltInRole::Administrator.endpoints(), [EndpointRule::everything()]);
        for role in [BuiltInRole::KeyManager, BuiltInRole::Auditor, BuiltInRole::Verifier] {
            assert!(role.endpoints().is_empty(), "{role:?}");
        }
    }
}
