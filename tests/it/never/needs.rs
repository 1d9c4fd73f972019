//! The policy of every operation that is not public, once more and by hand.

use super::operations::Operation;

/// What an operation needs beside a valid credential.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// To act as a user or service account.
    Account,
    /// To have signed in.
    Session,
    /// One of these permissions; a refusal names the first.
    OneOf(&'static [&'static str]),
}

impl Need {
    /// What an operation needs.
    pub fn of(operation: &Operation) -> Self {
        let known = NEEDS.iter().find(|(name, _)| *name == operation.name);
        known.unwrap_or_else(|| panic!("nobody has said what {} needs", operation.name)).1
    }

    /// The permissions of which one is needed.
    pub fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::OneOf(permissions) => permissions,
            Self::Account | Self::Nothing | Self::Session => &[],
        }
    }

    /// Whether whoever holds these patterns, and nothing else, has it.
    pub fn is_met_by(self, held: &[&str]) -> bool {
        self.permissions().iter().any(|it| held.iter().any(|pattern| covers(pattern, it)))
    }
}

/// Each permission that an operation needs.
pub fn permissions() -> Vec<&'static str> {
    let mut all: Vec<_> = NEEDS.iter().flat_map(|(_, need)| need.permissions()).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether a held pattern covers a permission: `*` is one segment, `**` one or more at the end.
fn covers(pattern: &str, permission: &str) -> bool {
    let (mut held, mut asked) = (pattern.split('.'), permission.split('.'));
    loop {
        match (held.next(), asked.next()) {
            (None, None) => return true,
            (Some("**"), Some(_)) => return true,
            (Some("*"), Some(_)) => {}
            (Some(held), Some(asked)) if held == asked => {}
            _ => return false,
        }
    }
}

const API_KEYS_READ: Need = Need::OneOf(&["keystile.api_keys.read"]);
const API_KEYS_WRITE: Need = Need::OneOf(&["keystile.api_keys.write"]);
const AUDIT_READ: Need = Need::OneOf(&["keystile.audit.read"]);
const CLUSTER_READ: Need = Need::OneOf(&["keystile.cluster.read"]);
const KEYS_VERIFY: Need = Need::OneOf(&["keystile.keys.verify"]);
const METRICS_READ: Need = Need::OneOf(&["keystile.metrics.read"]);
const PROVIDERS_READ: Need = Need::OneOf(&["keystile.providers.read"]);
const PROVIDERS_WRITE: Need = Need::OneOf(&["keystile.providers.write"]);
const ROLES_READ: Need = Need::OneOf(&["keystile.roles.read"]);
const ROLES_WRITE: Need = Need::OneOf(&["keystile.roles.write"]);
const USERS_READ: Need = Need::OneOf(&["keystile.users.read"]);
const USERS_WRITE: Need = Need::OneOf(&["keystile.users.write"]);
/// The tokens here are those of a service account.
const TOKENS_READ: Need =
    Need::OneOf(&["keystile.tokens.read", "keystile.service_accounts.tokens"]);
const TOKENS_WRITE: Need = Need::OneOf(&["keystile.service_accounts.tokens"]);

const NEEDS: [(&str, Need); 63] = [
    ("GET /api/v1/me", Need::Nothing),
    ("PUT /api/v1/me/password", Need::Session),
    ("GET /api/v1/me/tokens", Need::Account),
    ("POST /api/v1/me/tokens", Need::Account),
    ("GET /api/v1/me/tokens/{id}", Need::Account),
    ("PATCH /api/v1/me/tokens/{id}", Need::Account),
    ("DELETE /api/v1/me/tokens/{id}", Need::Account),
    ("POST /api/v1/me/tokens/{id}/rotate", Need::Account),
    ("GET /api/v1/me/tokens/{id}/rotation", Need::Account),
    ("POST /api/v1/me/tokens/{id}/rotation/finish", Need::Account),
    ("POST /api/v1/me/tokens/{id}/rotation/extend", Need::Account),
    ("GET /api/v1/me/tokens/{id}/usage", Need::Account),
    ("POST /api/v1/tickets", Need::Nothing),
    ("GET /api/v1/api-keys", API_KEYS_READ),
    ("POST /api/v1/api-keys", API_KEYS_WRITE),
    ("DELETE /api/v1/api-keys", API_KEYS_WRITE),
    ("POST /api/v1/api-keys/batch", API_KEYS_WRITE),
    ("GET /api/v1/api-keys/{id}", API_KEYS_READ),
    ("PATCH /api/v1/api-keys/{id}", API_KEYS_WRITE),
    ("DELETE /api/v1/api-keys/{id}", API_KEYS_WRITE),
    ("POST /api/v1/api-keys/{id}/rotate", API_KEYS_WRITE),
    ("GET /api/v1/api-keys/{id}/rotation", API_KEYS_READ),
    ("POST /api/v1/api-keys/{id}/rotation/finish", API_KEYS_WRITE),
    ("POST /api/v1/api-keys/{id}/rotation/extend", API_KEYS_WRITE),
    ("GET /api/v1/api-keys/{id}/usage", API_KEYS_READ),
    ("GET /api/v1/insights", API_KEYS_READ),
    ("GET /api/v1/insights/over-granted", API_KEYS_READ),
    ("GET /api/v1/users", USERS_READ),
    ("POST /api/v1/users", USERS_WRITE),
    ("GET /api/v1/users/{id}", USERS_READ),
    ("PATCH /api/v1/users/{id}", USERS_WRITE),
    ("DELETE /api/v1/users/{id}", USERS_WRITE),
    ("GET /api/v1/users/{id}/tokens", TOKENS_READ),
    ("POST /api/v1/users/{id}/tokens", TOKENS_WRITE),
    ("GET /api/v1/users/{id}/tokens/{token_id}", TOKENS_READ),
    ("DELETE /api/v1/users/{id}/tokens/{token_id}", TOKENS_WRITE),
    ("POST /api/v1/users/{id}/tokens/{token_id}/rotate", TOKENS_WRITE),
    ("GET /api/v1/users/{id}/tokens/{token_id}/rotation", TOKENS_READ),
    ("POST /api/v1/users/{id}/tokens/{token_id}/rotation/finish", TOKENS_WRITE),
    ("POST /api/v1/users/{id}/tokens/{token_id}/rotation/extend", TOKENS_WRITE),
    ("GET /api/v1/users/{id}/tokens/{token_id}/usage", TOKENS_READ),
    ("GET /api/v1/roles", ROLES_READ),
    ("POST /api/v1/roles", ROLES_WRITE),
    ("GET /api/v1/roles/{id}", ROLES_READ),
    ("PATCH /api/v1/roles/{id}", ROLES_WRITE),
    ("DELETE /api/v1/roles/{id}", ROLES_WRITE),
    ("GET /api/v1/providers", PROVIDERS_READ),
    ("POST /api/v1/providers", PROVIDERS_WRITE),
    ("GET /api/v1/providers/{id}", PROVIDERS_READ),
    ("PATCH /api/v1/providers/{id}", PROVIDERS_WRITE),
    ("DELETE /api/v1/providers/{id}", PROVIDERS_WRITE),
    ("GET /api/v1/audit-events", AUDIT_READ),
    ("GET /api/v1/audit-events/verify", AUDIT_READ),
    ("GET /metrics", METRICS_READ),
    ("POST /api/v1/verify", KEYS_VERIFY),
    ("GET /api/v1/changes", KEYS_VERIFY),
    ("POST /api/v1/credentials/lookup", KEYS_VERIFY),
    ("GET /api/v1/verifiers", CLUSTER_READ),
    ("POST /api/v1/verifiers/lease", KEYS_VERIFY),
    ("GET /api/v1/verifiers/settings", KEYS_VERIFY),
    ("POST /api/v1/verify/batch", KEYS_VERIFY),
    ("POST /oauth2/introspect", KEYS_VERIFY),
    ("POST /oauth2/revoke", Need::Nothing),
];
