//! What the audit log says of a provider: everything but its secret, of which it says whether there
//! is one.

use keystile_domain::{Provider, ProviderSettings, RoleId};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn of(provider: &Provider) -> Value {
    json!({
        "name": provider.name.as_str(),
        "identifier": provider.identifier.as_str(),
        "kind": provider.kind.as_str(),
        "priority": provider.priority,
        "enabled": provider.enabled,
        "default": provider.is_default,
        "allow_insecure_http": provider.allow_insecure_http,
        "settings": settings(&provider.settings),
    })
}

fn settings(settings: &ProviderSettings) -> Value {
    match settings {
        ProviderSettings::Keys(keys) => json!({
            "prefix": keys.format.prefix.as_str(),
            "encoding": keys.format.encoding.as_str(),
            "key_length": keys.format.key_length.bytes(),
            "default_expiry_minutes": keys.default_expiry_minutes,
            "max_expiry_minutes": keys.max_expiry_minutes,
            "header_name": keys.header_name.as_str(),
            "accept_bearer": keys.accept_bearer,
            "allow_query_string": keys.allow_query_string,
            "query_parameter_name": keys.query_parameter_name.as_str(),
            "admin_may_create": keys.admin_may_create,
        }),
        ProviderSettings::Oidc(oidc) => json!({
            "authority": oidc.authority.as_str(),
            "audience": oidc.audience.as_str(),
            "required_scope": oidc.required_scope.as_ref().map(ToString::to_string),
            "client_id": oidc.client_id.as_ref().map(ToString::to_string),
            "client_secret_set": oidc.client_secret.is_some(),
            "algorithms": oidc.algorithms.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
            "require_typ": oidc.require_typ,
            "username_claim": oidc.username_claim.as_str(),
            "role_claim": oidc.role_claim.as_ref().map(ToString::to_string),
            "role_mapping": oidc
                .role_mapping
                .iter()
                .map(|(value, roles)| (value.clone(), ids(roles)))
                .collect::<serde_json::Map<_, _>>(),
            "create_users": oidc.create_users,
            "trust_rules": oidc
                .trust_rules
                .iter()
                .map(|rule| {
                    let claims = rule.claims.iter();
                    let claims = claims.map(|(name, it)| (name.to_string(), it.as_str().into()));
                    json!({
                        "claims": claims.collect::<serde_json::Map<_, _>>(),
                        "role_ids": ids(&rule.roles),
                        "max_minutes": rule.max_minutes,
                    })
                })
                .collect::<Vec<_>>(),
        }),
        ProviderSettings::Password(password) => json!({
            "min_length": password.min_length,
            "lockout_name_failures": password.lockout.name_failures,
            "lockout_address_failures": password.lockout.address_failures,
            "access_minutes": password.access_minutes,
            "refresh_minutes": password.refresh_minutes,
            "session_minutes": password.session_minutes,
            "hash_memory_kib": password.cost.memory_kib(),
            "hash_iterations": password.cost.iterations(),
            "hash_parallelism": password.cost.parallelism(),
        }),
        _ => Value::Null,
    }
}

fn ids(roles: &BTreeSet<RoleId>) -> Value {
    roles.iter().map(|role| role.0).collect()
}
