//! From the members of a request to what the use cases take.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use keystile_api::patch::Patch;
use keystile_api::providers::{NewProvider, ProviderPatch, Settings, TrustRule as RuleView};
use keystile_domain::{
    ClaimName, ClaimPattern, ExternalId, FormatError, KeyLength, Name, ProviderKind, RoleId,
    TextError, TrustRule,
};
use keystile_service::providers::{
    KeysChange, OidcChange, PasswordChange, ProviderChange, SettingsChange,
};

use crate::body::unknown_fields;
use crate::error::ApiError;
use crate::fields::Fields;

/// A provider that is asked for: its name, its kind, and what is not to be as it is by default.
pub(super) fn draft(
    mut new: NewProvider,
) -> Result<(Name, ProviderKind, ProviderChange), ApiError> {
    let settings = new.take_settings();
    let mut fields = Fields::default();
    let name = fields.read("/name", Name::try_from(new.name));
    let kind = fields.read("/kind", provider_kind(new.kind));
    let Some(kind) = kind else { return Ok(fields.finish(None)?) };
    all_known(kind, &settings, &new.client_secret)?;
    let settings = settings_change(&mut fields, kind, settings, new.client_secret);
    Ok(fields.finish(name.map(|name| {
        let change = ProviderChange {
            name: None,
            priority: new.priority,
            enabled: new.enabled,
            is_default: new.default,
            allow_insecure_http: new.allow_insecure_http,
            settings: Some(settings),
        };
        (name, kind, change)
    }))?)
}

/// What is to be different about a provider of this kind.
pub(super) fn change(
    kind: ProviderKind,
    mut patch: ProviderPatch,
) -> Result<ProviderChange, ApiError> {
    let settings = patch.take_settings();
    all_known(kind, &settings, &patch.client_secret)?;
    let mut fields = Fields::default();
    let change = ProviderChange {
        name: fields.replaceable("/name", patch.name, Name::try_from),
        priority: fields.replaceable("/priority", patch.priority, as_is),
        enabled: fields.replaceable("/enabled", patch.enabled, as_is),
        is_default: fields.replaceable("/default", patch.default, as_is),
        allow_insecure_http: fields.replaceable(
            "/allow_insecure_http",
            patch.allow_insecure_http,
            as_is,
        ),
        settings: Some(settings_change(&mut fields, kind, settings, patch.client_secret)),
    };
    Ok(fields.finish(Some(change))?)
}

/// The word for a kind.
pub(super) fn provider_kind(text: String) -> Result<ProviderKind, &'static str> {
    text.parse().ok().ok_or("must be api_key, personal_access_token, oidc or password")
}

/// A setting of another kind is not known here.
fn all_known(
    kind: ProviderKind,
    settings: &Settings,
    client_secret: &Patch<String>,
) -> Result<(), ApiError> {
    let given = serde_json::to_value(settings).unwrap_or_default();
    let given = given.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let secret = (!client_secret.is_absent()).then_some(CLIENT_SECRET);
    let known = |name: &str| match kind {
        ProviderKind::ApiKey => KEYS.contains(&name),
        ProviderKind::PersonalAccessToken => KEYS.contains(&name) || name == ADMIN_MAY_CREATE,
        ProviderKind::Password => PASSWORD.contains(&name),
        _ => !KEYS.contains(&name) && !PASSWORD.contains(&name) && name != ADMIN_MAY_CREATE,
    };
    let unknown = given.chain(secret).filter(|name| !known(name));
    let unknown: Vec<_> = unknown.map(|name| format!("/{name}")).collect();
    if unknown.is_empty() { Ok(()) } else { Err(unknown_fields(unknown)) }
}

fn settings_change(
    fields: &mut Fields,
    kind: ProviderKind,
    settings: Settings,
    client_secret: Patch<String>,
) -> SettingsChange {
    match kind {
        ProviderKind::Oidc => SettingsChange::Oidc(Box::new(oidc(fields, settings, client_secret))),
        ProviderKind::Password => SettingsChange::Password(password(fields, settings)),
        _ => SettingsChange::Keys(keys(fields, settings)),
    }
}

fn keys(fields: &mut Fields, given: Settings) -> KeysChange {
    KeysChange {
        prefix: fields.replaceable("/prefix", given.prefix, |text| text.parse()),
        encoding: fields.replaceable("/encoding", given.encoding, |text| text.parse()),
        key_length: fields.replaceable("/key_length", given.key_length, key_length),
        default_expiry_minutes: fields.clearable(
            "/default_expiry_minutes",
            given.default_expiry_minutes,
            whole,
        ),
        max_expiry_minutes: fields.clearable(
            "/max_expiry_minutes",
            given.max_expiry_minutes,
            whole,
        ),
        header_name: fields.replaceable("/header_name", given.header_name, |text| {
            text.parse().ok().ok_or("must be the name of a header that has no other use")
        }),
        accept_bearer: fields.replaceable("/accept_bearer", given.accept_bearer, as_is),
        allow_query_string: fields.replaceable(
            "/allow_query_string",
            given.allow_query_string,
            as_is,
        ),
        query_parameter_name: fields.replaceable(
            "/query_parameter_name",
            given.query_parameter_name,
            |text| {
                let rule = "must be 1 to 64 of A-Z, a-z, 0-9 and -._~";
                text.parse().ok().ok_or(rule)
            },
        ),
        admin_may_create: fields.replaceable("/admin_may_create", given.admin_may_create, as_is),
    }
}

fn oidc(fields: &mut Fields, given: Settings, client_secret: Patch<String>) -> OidcChange {
    let algorithms = fields.replaced_list("/algorithms", given.algorithms, |text: String| {
        text.parse().ok().ok_or("is no asymmetric algorithm that is known here")
    });
    let trust_rules = match given.trust_rules {
        Patch::Absent => None,
        Patch::Null => Some(Vec::new()),
        Patch::Value(rules) => Some(rules_of(fields, rules)),
    };
    OidcChange {
        authority: fields.replaceable("/authority", given.authority, |text| text.parse()),
        audience: fields.replaceable("/audience", given.audience, ExternalId::try_from),
        required_scope: fields.clearable("/required_scope", given.required_scope, scope),
        client_id: fields.clearable("/client_id", given.client_id, ExternalId::try_from),
        client_secret: fields.clearable("/client_secret", client_secret, |text| match text.len() {
            1..=MAX_SECRET => Ok(text.into()),
            _ => Err(format!("must have 1 to {MAX_SECRET} bytes")),
        }),
        algorithms: algorithms.map(|list| list.into_iter().collect()),
        require_typ: fields.replaceable("/require_typ", given.require_typ, as_is),
        username_claim: fields.replaceable("/username_claim", given.username_claim, claim_name),
        role_claim: fields.clearable("/role_claim", given.role_claim, claim_name),
        role_mapping: match given.role_mapping {
            Patch::Absent => None,
            Patch::Null => Some(BTreeMap::new()),
            Patch::Value(mapping) => Some(mapping_of(fields, mapping)),
        },
        create_users: fields.replaceable("/create_users", given.create_users, as_is),
        trust_rules,
    }
}

fn password(fields: &mut Fields, given: Settings) -> PasswordChange {
    let mut number = |pointer: &str, value| fields.replaceable(pointer, value, whole);
    PasswordChange {
        name_failures: number("/lockout_name_failures", given.lockout_name_failures),
        address_failures: number("/lockout_address_failures", given.lockout_address_failures),
        access_minutes: number("/access_minutes", given.access_minutes),
        refresh_minutes: number("/refresh_minutes", given.refresh_minutes),
        session_minutes: number("/session_minutes", given.session_minutes),
        memory_kib: number("/hash_memory_kib", given.hash_memory_kib),
        iterations: number("/hash_iterations", given.hash_iterations),
        parallelism: number("/hash_parallelism", given.hash_parallelism),
        min_length: fields.replaceable("/min_length", given.min_length, |length| {
            u8::try_from(length).ok().ok_or("must be from 8 to 64")
        }),
    }
}

fn mapping_of(
    fields: &mut Fields,
    mapping: BTreeMap<String, Vec<i64>>,
) -> BTreeMap<String, BTreeSet<RoleId>> {
    if mapping.len() > MAX_ITEMS {
        fields.refuse("/role_mapping", format_args!("must have at most {MAX_ITEMS} members"));
        return BTreeMap::new();
    }
    let mut read = BTreeMap::new();
    for (value, ids) in mapping {
        let pointer = format!("/role_mapping/{}", escape(&value));
        if ExternalId::try_from(value.clone()).is_err() {
            fields.refuse("/role_mapping", "must have values of one line of 1 to 200 characters");
            continue;
        }
        let roles = fields.list(&pointer, ids, RoleId::try_from);
        read.insert(value, roles.into_iter().collect());
    }
    read
}

fn rules_of(fields: &mut Fields, rules: Vec<RuleView>) -> Vec<TrustRule> {
    if rules.len() > MAX_ITEMS {
        fields.refuse("/trust_rules", format_args!("must have at most {MAX_ITEMS} items"));
        return Vec::new();
    }
    let rules = rules.into_iter().enumerate();
    rules.filter_map(|(at, rule)| rule_of(fields, &format!("/trust_rules/{at}"), rule)).collect()
}

fn rule_of(fields: &mut Fields, at: &str, rule: RuleView) -> Option<TrustRule> {
    let mut claims = BTreeMap::new();
    for (name, pattern) in rule.claims {
        let pointer = format!("{at}/claims/{}", escape(&name));
        let name = fields.read(&format!("{at}/claims"), claim_name(name));
        let pattern = fields.read(&pointer, pattern.parse::<ClaimPattern>());
        claims.extend(name.zip(pattern));
    }
    let roles = fields.list(&format!("{at}/role_ids"), rule.role_ids, RoleId::try_from);
    let max_minutes = fields.read(&format!("{at}/max_minutes"), whole(rule.max_minutes))?;
    Some(TrustRule { claims, roles: roles.into_iter().collect(), max_minutes })
}

/// A scope is one word (RFC 6749, section 3.3): with white space in it, nothing could contain it.
fn scope(text: String) -> Result<ExternalId, String> {
    if text.contains(char::is_whitespace) {
        return Err("must be one scope, without white space".to_owned());
    }
    ExternalId::try_from(text).map_err(|rule| rule.to_string())
}

fn claim_name(text: String) -> Result<ClaimName, TextError> {
    text.parse()
}

fn key_length(bytes: i64) -> Result<KeyLength, FormatError> {
    u8::try_from(bytes).or(Err(FormatError::KeyLength)).and_then(KeyLength::new)
}

fn whole(number: i64) -> Result<u32, &'static str> {
    u32::try_from(number).ok().ok_or("must be a whole number from 1 to 4294967295")
}

fn as_is<T>(value: T) -> Result<T, Infallible> {
    Ok(value)
}

/// A member's name in a JSON pointer (RFC 6901, section 3).
fn escape(name: &str) -> String {
    let plain = name.chars().filter(|c| !c.is_control()).take(64).collect::<String>();
    plain.replace('~', "~0").replace('/', "~1")
}

const CLIENT_SECRET: &str = "client_secret";
const ADMIN_MAY_CREATE: &str = "admin_may_create";
const MAX_SECRET: usize = 1_000;
const MAX_ITEMS: usize = 200;

const KEYS: [&str; 9] = [
    "prefix",
    "key_length",
    "encoding",
    "default_expiry_minutes",
    "max_expiry_minutes",
    "header_name",
    "accept_bearer",
    "allow_query_string",
    "query_parameter_name",
];

const PASSWORD: [&str; 9] = [
    "min_length",
    "lockout_name_failures",
    "lockout_address_failures",
    "access_minutes",
    "refresh_minutes",
    "session_minutes",
    "hash_memory_kib",
    "hash_iterations",
    "hash_parallelism",
];
