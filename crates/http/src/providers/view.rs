//! Providers as they are shown.

use keystile_api::patch::Patch;
use keystile_api::providers::{Provider as View, Settings, TrustRule as RuleView};
use keystile_domain::{
    KeySettings, OidcSettings, PasswordSettings, Provider, ProviderKind, ProviderSettings, RoleId,
    TrustRule,
};

use crate::answer::Answer;

pub(super) fn created(provider: &Provider) -> Answer {
    let location = format!("/api/v1/providers/{}", provider.id);
    Answer::created(location, &self::provider(provider)).version(provider.version)
}

pub(super) fn shown(provider: &Provider) -> Answer {
    Answer::ok(&self::provider(provider)).version(provider.version)
}

pub(super) fn provider(provider: &Provider) -> View {
    let (settings, client_secret_set) = match &provider.settings {
        ProviderSettings::Keys(settings) => (keys(settings, provider.kind), Patch::Absent),
        ProviderSettings::Oidc(settings) => {
            (oidc(settings), Patch::Value(settings.client_secret.is_some()))
        }
        ProviderSettings::Password(settings) => (password(settings), Patch::Absent),
        _ => Default::default(),
    };
    let common = View {
        id: provider.id.as_uuid(),
        name: provider.name.to_string(),
        identifier: provider.identifier.to_string(),
        kind: provider.kind.to_string(),
        priority: provider.priority,
        enabled: provider.enabled,
        default: provider.is_default,
        allow_insecure_http: provider.allow_insecure_http,
        created_at: provider.created_at.to_string(),
        updated_at: provider.updated_at.to_string(),
        client_secret_set,
        ..View::default()
    };
    common.with_settings(settings)
}

fn keys(keys: &KeySettings, kind: ProviderKind) -> Settings {
    let is_for_tokens = kind == ProviderKind::PersonalAccessToken;
    Settings {
        prefix: value(keys.format.prefix.as_str()),
        key_length: value(keys.format.key_length.bytes()),
        encoding: value(keys.format.encoding.as_str()),
        default_expiry_minutes: nullable(keys.default_expiry_minutes),
        max_expiry_minutes: nullable(keys.max_expiry_minutes),
        header_name: value(keys.header_name.as_str()),
        accept_bearer: value(keys.accept_bearer),
        allow_query_string: value(keys.allow_query_string),
        query_parameter_name: value(keys.query_parameter_name.as_str()),
        admin_may_create: if is_for_tokens { value(keys.admin_may_create) } else { Patch::Absent },
        ..Settings::default()
    }
}

fn oidc(oidc: &OidcSettings) -> Settings {
    let mapped = oidc.role_mapping.iter().map(|(value, roles)| (value.clone(), ids(roles)));
    Settings {
        authority: value(oidc.authority.as_str()),
        audience: value(oidc.audience.as_str()),
        required_scope: nullable(oidc.required_scope.as_ref().map(|scope| scope.as_str())),
        client_id: nullable(oidc.client_id.as_ref().map(|id| id.as_str())),
        algorithms: Patch::Value(oidc.algorithms.iter().map(ToString::to_string).collect()),
        require_typ: value(oidc.require_typ),
        username_claim: value(oidc.username_claim.as_str()),
        role_claim: nullable(oidc.role_claim.as_ref().map(|name| name.as_str())),
        role_mapping: Patch::Value(mapped.collect()),
        create_users: value(oidc.create_users),
        trust_rules: Patch::Value(oidc.trust_rules.iter().map(rule).collect()),
        ..Settings::default()
    }
}

fn password(password: &PasswordSettings) -> Settings {
    Settings {
        min_length: value(password.min_length),
        lockout_name_failures: value(password.lockout.name_failures),
        lockout_address_failures: value(password.lockout.address_failures),
        access_minutes: value(password.access_minutes),
        refresh_minutes: value(password.refresh_minutes),
        session_minutes: value(password.session_minutes),
        hash_memory_kib: value(password.cost.memory_kib()),
        hash_iterations: value(password.cost.iterations()),
        hash_parallelism: value(password.cost.parallelism()),
        ..Settings::default()
    }
}

fn rule(rule: &TrustRule) -> RuleView {
    let claims = rule.claims.iter();
    RuleView {
        claims: claims.map(|(name, it)| (name.to_string(), it.as_str().to_owned())).collect(),
        role_ids: ids(&rule.roles),
        max_minutes: rule.max_minutes.into(),
    }
}

fn ids<'r>(roles: impl IntoIterator<Item = &'r RoleId>) -> Vec<i64> {
    roles.into_iter().map(|role| role.0).collect()
}

fn value<T>(value: impl Into<T>) -> Patch<T> {
    Patch::Value(value.into())
}

fn nullable<T>(value: Option<impl Into<T>>) -> Patch<T> {
    value.map_or(Patch::Null, |value| Patch::Value(value.into()))
}
